package gate_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/gate"
)

// seeded are runs whose seeds are these.
func seeded(seeds ...int) []gate.Trial {
	trials := runs(rand.New(rand.NewPCG(11, 11)), len(seeds), 100, .03)
	for i, seed := range seeds {
		trials[i].Kind["seed"] = strconv.Itoa(seed)
		trials[i].Kind["--seed"] = strconv.Itoa(seed)
	}
	return trials
}

// TestSeedsOfSides: runs of several seeds can be held against runs of the same
// ones, and what differs is said once a side.
func TestSeedsOfSides(t *testing.T) {
	for _, c := range []struct {
		name       string
		base, head []gate.Trial
		want       string // "" for comparable
	}{
		{"the same", seeded(1, 2, 3), seeded(3, 1, 2), ""},
		{"more runs of each", seeded(1, 2, 1, 2), seeded(1, 2), ""},
		{"another one", seeded(1, 2, 3), seeded(1, 2, 10), "differ in seed (3, 1, 2 against 10, 1, 2)"},
		{"one of many", seeded(1, 2, 3, 4, 5, 6, 7), seeded(1, 2, 3, 4, 5, 6, 8), "differ in seed (7, 1, 2, and 4 more against 8, 1, 2, and 4 more)"},
		{"more often", seeded(1, 1, 2), seeded(1, 2, 2), "differ in seed (1 in 2 runs, 2 against 1, 2 in 2 runs)"},
		{"none in common", seeded(1), seeded(2, 2), "differ in seed (1, 2)"},
	} {
		f := judge(gate.Comparison{Base: c.base, Head: c.head}, rule("latency.p50", .05))[0]
		if got := f.Verdict == gate.Incomparable; got != (c.want != "") || !strings.HasSuffix(f.Why, c.want) {
			t.Errorf("%s: %s (%s), want incomparable for %q", c.name, f.Verdict, f.Why, c.want)
		}
	}
}

// TestMixedMachines: half of each side on another machine is not the same
// machine, though both sides have the same two.
func TestMixedMachines(t *testing.T) {
	mixed := func() []gate.Trial {
		trials := seeded(1, 1, 1, 1)
		trials[0].Kind["cpu"], trials[3].Kind["cpu"] = "two", "two"
		return trials
	}
	f := judge(gate.Comparison{Base: mixed(), Head: mixed()}, rule("latency.p50", .05))[0]
	if want := "the two sides differ in cpu (one in 2 runs, two in 2 runs against one in 2 runs, two in 2 runs)"; f.Verdict != gate.Incomparable || f.Why != want {
		t.Errorf("%s (%s), want incomparable (%s)", f.Verdict, f.Why, want)
	}
}
