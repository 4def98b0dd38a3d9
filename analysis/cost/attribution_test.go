package cost

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

func user(function, consumer string, requests uint64, memoryTime int64, peak uint64) User {
	return User{usage.Entry{
		Key:   usage.Key{Function: function, Version: "$LATEST", Consumer: consumer, Stage: "prod"},
		Usage: usage.Usage{Requests: requests, MemoryTime: memoryTime},
	}, peak}
}

func lines(amounts map[Driver]units.Money) *Bill {
	b := &Bill{}
	for _, d := range []Driver{ByRequests, ByCompute, ByProvisioned, ByTransfer, Idle, Shared} {
		if a, ok := amounts[d]; ok {
			b.Lines = append(b.Lines, Line{Amount: a, Driver: d})
			b.Total += a
		}
	}
	return b
}

func TestAttribute(t *testing.T) {
	b := lines(map[Driver]units.Money{ByRequests: 100, ByCompute: 1000, Idle: 90, Shared: 31})
	users := []User{
		user("pay", "shop", 30, 100, 1),
		user("list", "shop", 50, 300, 1),
		user("list", "blog", 20, 600, 4),
	}
	for _, c := range []struct {
		by    By
		rules Rules
		want  []Part
	}{
		{ByConsumer, Rules{}, []Part{
			{usage.Key{Consumer: "blog"}, 20, 20 + 600, 54, 19, 693},
			{usage.Key{Consumer: "shop"}, 80, 80 + 400, 36, 12, 528},
		}},
		{ByConsumer, Rules{Idle: Peak, Shared: Even}, []Part{
			{usage.Key{Consumer: "blog"}, 20, 620, 60, 16, 696},
			{usage.Key{Consumer: "shop"}, 80, 480, 30, 15, 525},
		}},
		{ByFunction, Rules{Shared: Even}, []Part{
			{usage.Key{Function: "list"}, 70, 70 + 900, 81, 16, 1067},
			{usage.Key{Function: "pay"}, 30, 30 + 100, 9, 15, 154},
		}},
	} {
		a, err := Attribute(b, users, c.by, c.rules)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, a.Parts); d != "" {
			t.Errorf("by %s, %+v (-want +got):\n%s", c.by, c.rules, d)
		}
	}
}

// TestAttributionSumsToTheBill: whoever used what, by whatever rules, the
// parts sum to the bill to the nano-dollar, and a part to its own parts.
func TestAttributionSumsToTheBill(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 13))
	rules := []Rule{"", Proportional, Even, Peak}
	for range 5000 {
		amounts := make(map[Driver]units.Money)
		for _, d := range []Driver{ByRequests, ByCompute, ByProvisioned, ByTransfer, Idle, Shared} {
			if rng.IntN(3) > 0 {
				amounts[d] = units.Money(rng.Int64N(1 << uint(1+rng.IntN(50))))
			}
		}
		b := lines(amounts)
		var users []User
		for i := range 1 + rng.IntN(12) {
			u := user(fmt.Sprint("f", rng.IntN(4)), fmt.Sprint("c", rng.IntN(3)), uint64(rng.IntN(1000)), rng.Int64N(1<<40), uint64(1+rng.IntN(9)))
			u.Usage.MemoryTimeProvisioned = rng.Int64N(u.Usage.MemoryTime + 1)
			u.Key.Version = fmt.Sprint(i % 3)
			if rng.IntN(4) == 0 {
				u.Usage = usage.Usage{}
			}
			users = append(users, u)
		}
		for _, by := range []By{ByFunction, ByVersion, ByConsumer, ByStage} {
			a, err := Attribute(b, users, by, Rules{rules[rng.IntN(4)], rules[rng.IntN(4)]})
			if err != nil {
				t.Fatal(err)
			}
			var sum units.Money
			for _, p := range a.Parts {
				if p.Direct+p.Idle+p.Shared != p.Total || p.Direct < 0 || p.Idle < 0 || p.Shared < 0 {
					t.Fatalf("a part does not sum: %+v", p)
				}
				sum += p.Total
			}
			if sum != b.Total || a.Total != b.Total {
				t.Fatalf("by %s: the parts sum to %d, the bill is %d", by, sum, b.Total)
			}
		}
	}
}

func TestAttributeRefuses(t *testing.T) {
	b := lines(map[Driver]units.Money{Idle: 1})
	for _, c := range []struct {
		users []User
		by    By
		rules Rules
		want  string
	}{
		{nil, ByConsumer, Rules{}, "attribute: nobody has used anything, as far as is known"},
		{[]User{user("f", "c", 1, 1, 0)}, "team", Rules{}, `attribute: by "team": write function, version, consumer or stage`},
		{[]User{user("f", "c", 1, 1, 0)}, ByConsumer, Rules{Idle: "fair"}, `attribute: rule "fair": write proportional, even or peak`},
		{[]User{user("f", "c", 1, 1, 0)}, ByConsumer, Rules{Idle: Peak}, "attribute: rule peak: nobody's most instances at once are known"},
	} {
		if _, err := Attribute(b, c.users, c.by, c.rules); err == nil || err.Error() != c.want {
			t.Errorf("Attribute: %v, want %s", err, c.want)
		}
	}
}
