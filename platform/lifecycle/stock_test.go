package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/google/go-cmp/cmp"
)

// TestStockStories replays histories: after the arrow stands what the stock does.
func TestStockStories(t *testing.T) {
	for _, story := range []struct {
		name   string
		refill lifecycle.Refill
		want   string
	}{
		{"a stem is taken and replaced", lifecycle.Refill{Size: 2}, `
			0s tick -> boot 1, boot 2
			1s booted 2 ->
			2s booted 1 ->
			3s take -> assign 2, boot 3
			3s take -> assign 1, boot 4
			3s take -> miss
			4s booted 4 ->
			5s take -> assign 4, boot 5`},
		{"not all boot at once", lifecycle.Refill{Size: 3, AtOnce: 2}, `
			0s tick -> boot 1, boot 2
			1s booted 1 -> boot 3
			2s booted 2 ->
			2s booted 3 ->
			3s take -> assign 1, boot 4`},
		{"a runtime that does not boot is not tried all the time", lifecycle.Refill{Size: 1, Retry: 5 * time.Second}, `
			0s tick -> boot 1
			1s failed 1 ->
			2s take -> miss
			5s tick ->
			6s tick -> boot 2
			7s booted 2 ->
			8s lost 2 -> drop 2
			9s cleared 2 ->
			13s tick -> boot 3`},
		{"it is resized", lifecycle.Refill{Size: 0}, `
			0s take -> miss
			1s resize 3 -> boot 1, boot 2, boot 3
			2s booted 1 ->
			3s booted 3 ->
			4s resize 1 -> drop 2, drop 1
			5s failed 2 ->
			5s cleared 1 ->
			6s resize 0 -> drop 3`},
		{"what fits nothing changes nothing", lifecycle.Refill{Size: 1}, `
			0s booted 1 -> boot 1
			1s booted 1 ->
			1s booted 1 ->
			1s failed 1 ->
			2s take -> assign 1, boot 2
			3s lost 1 ->
			3s cleared 1 ->`},
	} {
		t.Run(story.name, func(t *testing.T) {
			stock := lifecycle.NewStock(story.refill)
			var want, got []string
			for line := range strings.SplitSeq(strings.TrimSpace(story.want), "\n") {
				line = strings.TrimSpace(line)
				want = append(want, line)
				event, _, _ := strings.Cut(line, " ->")
				fields := strings.Fields(event)
				now, err := time.ParseDuration(fields[0])
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, event+" ->"+actionsOf(stock.Step(now, stockEvent(fields[1:]), nil)))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

func stockEvent(words []string) (ev lifecycle.StockEvent) {
	for ev.Kind.String() != words[0] && ev.Kind <= lifecycle.StockResize {
		ev.Kind++
	}
	if len(words) > 1 {
		n := 0
		fmt.Sscan(words[1], &n)
		ev.Stem, ev.Size = lifecycle.Stem(n), n
	}
	return ev
}

func actionsOf(actions []lifecycle.StockAction) string {
	var words []string
	for _, a := range actions {
		word := " " + a.Kind.String()
		if a.Stem != 0 {
			word += fmt.Sprint(" ", a.Stem)
		}
		words = append(words, word)
	}
	return strings.Join(words, ",")
}

// TestStockLaws: whatever happens, the counts add up, no stem is there twice,
// and Ticks at the deadlines change nothing.
func TestStockLaws(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0))
		refill := lifecycle.Refill{Size: random.IntN(4), AtOnce: random.IntN(3), Retry: time.Duration(random.IntN(5) + 1)}
		stock, lazy := lifecycle.NewStock(refill), lifecycle.NewStock(refill)
		size := refill.Size
		var now time.Duration
		var ticked, unticked []lifecycle.StockAction
		for range 200 {
			now += time.Duration(random.IntN(3))
			ev := lifecycle.StockEvent{
				Kind: lifecycle.StockEventKind(random.IntN(8)), Stem: lifecycle.Stem(random.IntN(int(stock.Counts().Boots) + 2)), Size: random.IntN(4),
			}
			for {
				at, ok := stock.NextDeadline()
				if !ok || at > now {
					break
				}
				n := len(ticked)
				if ticked = stock.Step(at, lifecycle.StockEvent{}, ticked); len(ticked) == n {
					t.Fatalf("seed %d: a Tick at the deadline %v did nothing", seed, at)
				}
			}
			ticked = stock.Step(now, ev, ticked)
			unticked = lazy.Step(now, ev, unticked)
			if ev.Kind == lifecycle.StockResize {
				size = ev.Size
			}
			c := stock.Counts()
			if sum := uint64(c.Booting+c.Booted+c.Going) + c.Assigned + c.Gone; c.Boots != sum {
				t.Fatalf("seed %d: %d boots, but their parts make %d: %+v", seed, c.Boots, sum, c)
			}
			if c.Booting+c.Booted > size || refill.AtOnce > 0 && c.Booting > refill.AtOnce {
				t.Fatalf("seed %d: more than %+v allows with size %d: %+v", seed, refill, size, c)
			}
		}
		if diff := cmp.Diff(ticked, unticked); diff != "" {
			t.Fatalf("seed %d: with Ticks at the deadlines and without (-with +without):\n%s", seed, diff)
		}
	}
}

func TestRefillValidate(t *testing.T) {
	err := lifecycle.Refill{Size: -1, AtOnce: -2, Retry: -3}.Validate()
	want := "stock refill: size -1: must be at least 0\n" +
		"stock refill: at once -2: must be at least 0, which is no bound\n" +
		"stock refill: retry -3ns: must be at least 0s, which is 1s"
	if err == nil || err.Error() != want {
		t.Errorf("faults: got %v, want %v", err, want)
	}
}
