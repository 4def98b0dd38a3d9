package gate_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// billed are runs that cost so many dollars a month, and a million requests a
// tenth of it.
func billed(dollars ...float64) []gate.Trial {
	trials := make([]gate.Trial, len(dollars))
	for i, d := range dollars {
		trials[i] = trial(figures{})
		trials[i].Cost = func(summary.Selection) (gate.Cost, error) {
			month := units.Money(d * float64(units.Dollar))
			return gate.Cost{Month: month, Million: month / 10}, nil
		}
	}
	return trials
}

// TestCostsWithoutChance: runs that agree are compared as they are; one run, or
// runs that differ, are not.
func TestCostsWithoutChance(t *testing.T) {
	noisy := make([]float64, 20)
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range noisy {
		noisy[i] = 20 * math.Exp(.01*rng.NormFloat64())
	}
	for _, c := range []struct {
		name       string
		base, head []float64
		want       gate.Verdict
		why        string
	}{
		{"a nano-dollar within the margin", []float64{20, 20}, []float64{21, 21}, gate.Equivalent, "not worse by 5%, exactly"},
		{"a nano-dollar beyond it", []float64{20, 20}, []float64{21.000000001, 21.000000001}, gate.Regressed, "worse by more than 5%, exactly"},
		{"cheaper", []float64{20, 20, 20}, []float64{18, 18}, gate.Improved, "better by more than 5%, exactly"},
		{"one run a side", []float64{20}, []float64{40}, gate.Inconclusive, "1 of the"},
		{"runs that differ", noisy, noisy, gate.Equivalent, "not worse by 5%"},
		{"a side that differs", []float64{20, 20}, []float64{40, 41}, gate.Inconclusive, "2 of the"},
	} {
		f := judge(gate.Comparison{Base: billed(c.base...), Head: billed(c.head...)}, rule("cost.month", .05))[0]
		if exact := strings.HasSuffix(f.Why, "to the nano-dollar"); f.Verdict != c.want || !strings.Contains(f.Why, c.why) || exact != strings.Contains(c.why, "exactly") {
			t.Errorf("%s: %s (%s), want %s (%s)", c.name, f.Verdict, f.Why, c.want, c.why)
		} else if exact && (f.Lower != f.Change || f.Upper != f.Change || f.Detectable != .05) {
			t.Errorf("%s: change %v in %v to %v, detects %v", c.name, f.Change, f.Lower, f.Upper, f.Detectable)
		}
	}
}

func TestCostsThatAreNotKnown(t *testing.T) {
	unpriced := []gate.Trial{trial(figures{}), trial(figures{})}
	failing := []gate.Trial{trial(figures{})}
	failing[0].Cost = func(summary.Selection) (gate.Cost, error) { return gate.Cost{}, errors.New("no memory") }
	f := judge(gate.Comparison{Base: unpriced, Head: failing}, rule("cost.million", .05))[0]
	if f.Verdict != gate.Inconclusive || leftOut(&f) != 3 || !strings.Contains(f.Why, "nobody has priced it") {
		t.Errorf("%s (%s), %d left out; want inconclusive, and why", f.Verdict, f.Why, leftOut(&f))
	}
	over := gate.Rule{Budget: budget.Budget{Metric: "cost.million", Max: &budget.Bound{Text: "$3", Value: 3e9}}}
	f = judge(gate.Comparison{Base: billed(20), Head: billed(31, 31)}, over)[0]
	if f.Verdict != gate.Regressed || f.Why != "$3.10, allowed $3" {
		t.Errorf("beyond a limit: %s (%s)", f.Verdict, f.Why)
	}
	f = judge(gate.Comparison{Base: billed(20), Head: billed(31)}, over)[0]
	if f.Verdict != gate.Inconclusive || !strings.Contains(f.Why, "1 of the 5 runs of head that a verdict takes") {
		t.Errorf("one run beyond a limit: %s (%s)", f.Verdict, f.Why)
	}
}

// TestWhatItTakesIsAlwaysSaid: however few the runs are, it is known how many a
// verdict takes; from two on, what they detect or would.
func TestWhatItTakesIsAlwaysSaid(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	all := [2][]gate.Trial{runs(rng, 30, 100, .05), runs(rng, 30, 100, .05)}
	for _, paired := range []bool{true, false} {
		before := math.Inf(1)
		for n := 0; n <= 30; n++ {
			f := judge(gate.Comparison{Base: all[0][:n], Head: all[1][:n], Paired: paired}, rule("latency.p50", .05), rule("latency.p90", .05))[0]
			tells := !math.IsInf(f.Detectable, 1) && f.Detectable > .05 && !math.IsInf(f.Needed, 1) && f.Needed >= 1
			if f.DetectableAt < max(n, 4) || tells != (n >= 2) {
				t.Errorf("%d (paired %v): %d detect %v, %v needed", n, paired, f.DetectableAt, f.Detectable, f.Needed)
			}
			if n == 30 && f.Detectable >= before || n == 30 && f.DetectableAt != 30 {
				t.Errorf("30 (paired %v) detect %v, 10 detect %v", paired, f.Detectable, before)
			}
			if n == 10 {
				before = f.Detectable
			}
		}
	}
}
