package gate_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/gate"
)

// first are the first n pairs of two sides.
func first(n int, base, head []gate.Trial) gate.Comparison {
	return gate.Comparison{Base: base[:n], Head: head[:n]}
}

func verdicts(findings []gate.Finding) []gate.Verdict {
	var list []gate.Verdict
	for _, f := range findings {
		list = append(list, f.Verdict)
	}
	return list
}

// TestVerdictsAreKept: what regressed at the first look stays so though later
// pairs would take it back, and what was open then gets its verdict later.
func TestVerdictsAreKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	base := runs(rng, 28, 100, .01)
	head := append(runs(rng, 10, 120, .01), runs(rng, 18, 60, .01)...)
	policy := gate.Policy{Rules: []gate.Rule{rule("latency.p50", .05), rule("latency.p50", .21)}}
	policy.Rules[1].Pairs = 14
	s := gate.NewSequence(&policy)
	if s.Settled() || s.Next() != 10 {
		t.Fatalf("before the first look: settled %v, next at %d pairs", s.Settled(), s.Next())
	}
	if got := verdicts(s.Look(first(10, base, head))); !cmp.Equal(got, []gate.Verdict{gate.Regressed, gate.Inconclusive}) || s.Settled() || s.Next() != 14 {
		t.Fatalf("first look: %v, settled %v, next at %d pairs", got, s.Settled(), s.Next())
	}
	found := s.Look(first(14, base, head))
	if got := verdicts(found); !cmp.Equal(got, []gate.Verdict{gate.Regressed, gate.Equivalent}) || !s.Settled() {
		t.Errorf("second look: %v, settled %v", got, s.Settled())
	}
	if found[0].Look != 10 || found[0].Runs != [2]int{10, 10} || found[1].Look != 14 {
		t.Errorf("looks %d and %d, want 10 and 14; the first rests on %v runs", found[0].Look, found[1].Look, found[0].Runs)
	}
	if got := verdicts(s.Glance(first(20, base, head), "no look")); !cmp.Equal(got, []gate.Verdict{gate.Regressed, gate.Equivalent}) {
		t.Errorf("a glance changes verdicts: %v", got)
	}
}

func TestAGlanceGivesNoVerdict(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	policy := gate.Policy{Rules: []gate.Rule{rule("latency.p50", .05)}}
	c := first(9, runs(rng, 9, 100, .001), runs(rng, 9, 150, .001))
	f := gate.NewSequence(&policy).Glance(c, "interrupted")[0]
	if f.Verdict != gate.Inconclusive || f.Why != "interrupted" || f.Change < .4 {
		t.Errorf("%s (%s), change %v; want no verdict beside an estimate", f.Verdict, f.Why, f.Change)
	}
}

// TestAFigureThatNobodyHas settles: 28 pairs would not bring it.
func TestAFigureThatNobodyHas(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	policy := gate.Policy{Rules: []gate.Rule{rule("latency.p99", .05)}}
	s := gate.NewSequence(&policy)
	f := s.Look(first(10, runs(rng, 10, 100, .01), runs(rng, 10, 100, .01)))[0]
	if f.Verdict != gate.Inconclusive || !s.Settled() {
		t.Errorf("%s (%s), settled %v", f.Verdict, f.Why, s.Settled())
	}
}

func TestRecordHasNoInfinity(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, n := range []int{0, 1, 3, 12} {
		f := judge(gate.Comparison{Base: runs(rng, n, 100, .1), Head: runs(rng, n, 100, .1), Paired: true}, rule("latency.p50", .05))[0]
		r := f.Record()
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%d pairs: %v", n, err)
		}
		var again gate.Record
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, again); d != "" {
			t.Errorf("%d pairs: a record reads as another (-written +read):\n%s", n, d)
		}
	}
}

func TestOverall(t *testing.T) {
	for _, c := range []struct {
		verdicts []gate.Verdict
		want     gate.Verdict
	}{
		{nil, gate.Improved},
		{[]gate.Verdict{gate.Improved, gate.Equivalent}, gate.Equivalent},
		{[]gate.Verdict{gate.Inconclusive, gate.Equivalent}, gate.Inconclusive},
		{[]gate.Verdict{gate.Invalid, gate.Regressed, gate.Inconclusive}, gate.Regressed},
	} {
		var records []gate.Record
		for _, v := range c.verdicts {
			records = append(records, gate.Record{Verdict: v, Severity: "fail"})
		}
		if got := gate.Overall(records); got != c.want {
			t.Errorf("%v come to %s, want %s", c.verdicts, got, c.want)
		}
	}
	for verdict, want := range map[gate.Verdict]gate.Verdict{
		gate.Regressed: gate.Warned, gate.Inconclusive: gate.Warned, gate.Equivalent: gate.Equivalent, gate.Improved: gate.Equivalent,
	} {
		warns := []gate.Record{{Verdict: verdict, Severity: "warn"}, {Verdict: gate.Equivalent, Severity: "fail"}}
		if got := gate.Overall(warns); got != want {
			t.Errorf("a rule that warns, %s, comes to %s, want %s", verdict, got, want)
		}
		if got := gate.Overall(append(warns, gate.Record{Verdict: gate.Inconclusive, Severity: "fail"})); got != gate.Inconclusive {
			t.Errorf("beside a rule that fails, %s comes to %s", verdict, got)
		}
	}
}
