package gate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// figures is a run that has nothing but a few figures.
type figures struct {
	latency   float64 // p50, ns; 0 for none
	cold      uint64  // of 100 known
	perSecond float64
}

func (f figures) Select(summary.Selection) summary.Pool {
	p := summary.Pool{Cold: f.cold, Known: 100, PerSecond: f.perSecond}
	p.N = 5
	if f.latency > 0 {
		p50 := int64(f.latency)
		p.N, p.Latency.P50 = 100, &p50
	}
	return p
}

func trial(f figures) gate.Trial {
	return gate.Trial{Name: "run", Figures: f, Kind: map[string]string{"scenario": "cold", "cpu": "one"}}
}

// runs draws n runs of a side whose latency is lognormal around ms.
func runs(rng *rand.Rand, n int, ms, cv float64) []gate.Trial {
	trials := make([]gate.Trial, n)
	for i := range trials {
		trials[i] = trial(figures{latency: ms * 1e6 * math.Exp(cv*rng.NormFloat64())})
	}
	return trials
}

func rule(name string, margin float64) gate.Rule {
	return gate.Rule{Budget: budget.Budget{Metric: name}, Margin: margin}
}

func judge(c gate.Comparison, rules ...gate.Rule) []gate.Finding {
	return gate.Judge(&gate.Policy{Rules: rules}, c, gate.Look{})
}

func TestVerdicts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 28
	same, other := runs(rng, n, 100, .03), runs(rng, n, 100, .03)
	for _, c := range []struct {
		name       string
		base, head []gate.Trial
		want       gate.Verdict
		why        string
	}{
		{"nothing changed", same, other, gate.Equivalent, "not worse by 5%"},
		{"a fifth slower", same, runs(rng, n, 120, .03), gate.Regressed, "worse by more than 5%"},
		{"a fifth faster", same, runs(rng, n, 80, .03), gate.Improved, "better by more than 5%"},
		{"as much as the margin", same, runs(rng, n, 105, .03), gate.Inconclusive, "do not tell"},
		{"noise", runs(rng, n, 100, .5), runs(rng, n, 100, .5), gate.Inconclusive, "do not tell; if nothing changed, to rule out a change of 5% takes about"},
		{"two runs a side", same[:2], other[:2], gate.Inconclusive, "that a verdict takes"},
		{"no runs", nil, nil, gate.Inconclusive, "there are no runs to compare"},
	} {
		for _, paired := range []bool{true, false} {
			f := judge(gate.Comparison{Base: c.base, Head: c.head, Paired: paired}, rule("latency.p50", .05))[0]
			if f.Verdict != c.want || !strings.Contains(f.Why, c.why) {
				t.Errorf("%s (paired %v): %s (%s), change %.3f in %.3f to %.3f; want %s (%s)", c.name, paired, f.Verdict, f.Why, f.Change, f.Lower, f.Upper, c.want, c.why)
			}
		}
	}
}

func TestMoreIsBetter(t *testing.T) {
	rates := func(perSecond float64) []gate.Trial {
		trials := make([]gate.Trial, 12)
		for i := range trials {
			trials[i] = trial(figures{perSecond: perSecond * (1 + float64(i)/1000)})
		}
		return trials
	}
	for _, c := range []struct {
		head float64
		want gate.Verdict
	}{{80, gate.Regressed}, {100, gate.Equivalent}, {125, gate.Improved}} {
		f := judge(gate.Comparison{Base: rates(100), Head: rates(c.head), Paired: true}, rule("throughput", .05))[0]
		if f.Verdict != c.want {
			t.Errorf("throughput 100 to %v: %s (%s), want %s", c.head, f.Verdict, f.Why, c.want)
		}
		if f.Detectable > -.05 {
			t.Errorf("throughput 100 to %v: a change of %+.3f is detected, want a loss beyond the margin", c.head, f.Detectable)
		}
		if want := c.head/100 - 1; math.Abs(f.Change-want) > 1e-6 || f.Lower > f.Change || f.Upper < f.Change {
			t.Errorf("throughput 100 to %v: change %v in %v to %v, want %v", c.head, f.Change, f.Lower, f.Upper, want)
		}
	}
}

// TestSharesAreDifferences: a cold share may be 0 on one side or on both, and
// its margin is in percentage points.
func TestSharesAreDifferences(t *testing.T) {
	shares := func(cold uint64) []gate.Trial {
		trials := make([]gate.Trial, 10)
		for i := range trials {
			trials[i] = trial(figures{cold: cold})
		}
		return trials
	}
	for _, c := range []struct {
		base, head uint64
		want       gate.Verdict
	}{{0, 0, gate.Equivalent}, {0, 1, gate.Inconclusive}, {0, 3, gate.Regressed}, {5, 1, gate.Improved}} {
		f := judge(gate.Comparison{Base: shares(c.base), Head: shares(c.head), Paired: true}, rule("cold_share", .01))[0]
		if f.Verdict != c.want {
			t.Errorf("cold share %d%% to %d%%: %s (%s), want %s", c.base, c.head, f.Verdict, f.Why, c.want)
		}
	}
}

// TestAbsoluteLimits: a limit is broken, or held, where the whole interval of
// head's median says so, and else it is open.
func TestAbsoluteLimits(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	base, head := runs(rng, 20, 100, .03), runs(rng, 20, 100, .03)
	for _, c := range []struct {
		n        int
		max, min string
		margin   float64
		want     gate.Verdict
		standing gate.Standing
		why      string
	}{
		{20, "50ms", "", 0, gate.Regressed, gate.Beyond, "allowed 50ms"},
		{20, "200ms", "", 0, gate.Equivalent, gate.Within, "within 200ms: "},
		{20, "100ms", "", 0, gate.Inconclusive, gate.Astride, "do not tell; to tell takes about "},
		{20, "", "150ms", 0, gate.Regressed, gate.Beyond, "allowed at least 150ms"},
		{20, "120ms", "80ms", 0, gate.Equivalent, gate.Within, "within 80ms to 120ms: "},
		{20, "80ms", "50ms", 0, gate.Regressed, gate.Beyond, "allowed 50ms to 80ms"},
		{20, "200ms", "100ms", 0, gate.Inconclusive, gate.Astride, "allowed 100ms to 200ms: 20 "},
		{4, "50ms", "", 0, gate.Inconclusive, gate.Astride, "allowed 50ms: 4 of the 5 "},
		{5, "50ms", "", 0, gate.Regressed, gate.Beyond, "allowed 50ms"},
		{5, "200ms", "80ms", 0, gate.Inconclusive, gate.Astride, "5 of the 6 "}, // two limits are two tests
		{20, "200ms", "", .05, gate.Equivalent, gate.Within, "not worse by 5%; within 200ms: "},
		{20, "50ms", "", .05, gate.Regressed, gate.Beyond, "allowed 50ms; not worse by 5%"},
		{20, "100ms", "", .05, gate.Inconclusive, gate.Astride, "; not worse by 5%"},
	} {
		r := gate.Rule{Budget: budget.Budget{Metric: "latency.p50", Max: limit(t, "latency.p50", c.max), Min: limit(t, "latency.p50", c.min)}, Margin: c.margin}
		for _, paired := range []bool{true, false} {
			f := judge(gate.Comparison{Base: base[:c.n], Head: head[:c.n], Paired: paired}, r)[0]
			if f.Verdict != c.want || f.Standing != c.standing || !strings.Contains(f.Why, c.why) || f.HeadNeeded < 5 {
				t.Errorf("%d runs, %q to %q (paired %v): %s, %s (%s), %v needed; want %s, %s (%s)", c.n, c.min, c.max, paired, f.Verdict, f.Standing, f.Why, f.HeadNeeded, c.want, c.standing, c.why)
			}
		}
	}
}

// TestConfidenceLevels: the levels that are told are those of the limits beside
// them, and there are none where there are no limits.
func TestConfidenceLevels(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	const n, risk, looks, rules = 20, .1, 4, 3
	base, head := runs(rng, n, 100, .03), runs(rng, n, 103, .03)
	policy := &gate.Policy{Risk: risk, Rules: []gate.Rule{
		rule("latency.p50", .05), {Budget: budget.Budget{Metric: "latency.p50", Max: limit(t, "latency.p50", "200ms")}}, rule("throughput", .05),
	}}
	ys, heads := make([]float64, n), make([]float64, n)
	for i := range n {
		b, _ := policy.Rules[0].Figure(&base[i])
		h, _ := policy.Rules[0].Figure(&head[i])
		ys[i], heads[i] = math.Log(h/b), h
	}
	d := gate.NewDocument(policy, gate.Comparison{}, gate.Judge(policy, gate.Comparison{Base: base, Head: head, Paired: true}, gate.Look{Number: 1, Of: looks}))
	change, median, none := &d.Findings[0], &d.Findings[1], &d.Findings[2]
	if want := 1 - risk/looks; change.ConfidenceLevel != want || change.HeadConfidenceLevel != 0 {
		t.Errorf("of the change %v, of head %v; want %v and none", change.ConfidenceLevel, change.HeadConfidenceLevel, want)
	}
	if want := 1 - risk/looks/rules; math.Abs(median.HeadConfidenceLevel-want) > 1e-12 || median.ConfidenceLevel != 0 {
		t.Errorf("of head's median %v, of a change %v; want %v and none", median.HeadConfidenceLevel, median.ConfidenceLevel, want)
	}
	if none.ConfidenceLevel != 0 || none.HeadConfidenceLevel != 0 {
		t.Errorf("of a figure that nobody has %v and %v", none.ConfidenceLevel, none.HeadConfidenceLevel)
	}
	lower, upper := stats.SignedRankLimits(ys, change.ConfidenceLevel)
	if got := []float64{*change.Lower, *change.Upper}; math.Abs(got[0]-math.Expm1(lower)) > 1e-9 || math.Abs(got[1]-math.Expm1(upper)) > 1e-9 {
		t.Errorf("limits %v, and at their level %v, %v", got, math.Expm1(lower), math.Expm1(upper))
	}
	if lower, upper := stats.MedianLimits(heads, median.HeadConfidenceLevel); *median.HeadLower != lower || *median.HeadUpper != upper {
		t.Errorf("head's limits %v, %v, and at their level %v, %v", *median.HeadLower, *median.HeadUpper, lower, upper)
	}
}

// TestRiskOfLimits repeats comparisons whose medians lie just at their limits:
// with three rules and four looks, an alarm anywhere stays within the risk.
func TestRiskOfLimits(t *testing.T) {
	const repetitions, risk = 500, .05
	at := gate.Rule{Budget: budget.Budget{Metric: "latency.p50", Max: limit(t, "latency.p50", "100ms")}}
	policy := gate.Policy{Risk: risk, Rules: []gate.Rule{at, at, at}}
	rng := rand.New(rand.NewPCG(7, 2))
	looks := policy.LookAt()
	last := looks[len(looks)-1]
	base, alarms := runs(rng, last, 100, .03), 0
	for range repetitions {
		head := runs(rng, last, 100, .03)
		if slices.ContainsFunc(looks, func(n int) bool {
			return gate.Judge(&policy, gate.Comparison{Base: base[:n], Head: head[:n], Paired: true}, gate.Look{Number: 1, Of: len(looks)})[0].Verdict == gate.Regressed
		}) {
			alarms++
		}
	}
	// The three rules see the same figures here, so that one stands for all: its
	// part is a third.
	if got, bound := float64(alarms)/repetitions, risk/3+4*math.Sqrt(risk/3/repetitions); got > bound || alarms == 0 {
		t.Errorf("%d false alarms in %d, want some and at most %.0f", alarms, repetitions, bound*repetitions)
	}
}

func TestUnlikeAndUnusableRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	base, head := runs(rng, 12, 100, .01), runs(rng, 12, 100, .01)
	elsewhere := runs(rng, 12, 100, .01)
	for i := range elsewhere {
		elsewhere[i].Kind = map[string]string{"scenario": "cold", "cpu": "two"}
	}
	lagged := runs(rng, 12, 100, .01)
	for i := range lagged {
		lagged[i].Invalid = []string{"the load generator was late"}
	}
	mixed := append(append([]gate.Trial{}, lagged[:2]...), head[2:]...)
	slower := append(append([]gate.Trial{}, lagged[:2]...), runs(rng, 10, 120, .01)...)
	faster := append(append([]gate.Trial{}, lagged[:2]...), runs(rng, 10, 80, .01)...)
	small := make([]gate.Trial, 12)
	for i := range small {
		small[i] = trial(figures{})
	}
	for _, c := range []struct {
		name string
		head []gate.Trial
		want gate.Verdict
		why  string
		left int
	}{
		{"another machine", elsewhere, gate.Incomparable, "the two sides differ in cpu (one, two)", 0},
		{"generator-limited", lagged, gate.Invalid, "run: the load generator was late", 12},
		{"two generator-limited", mixed, gate.Invalid, "head lost 2 of its 12 runs, base 0 of 12: the others would be equivalent", 2},
		{"two generator-limited, the others faster", faster, gate.Invalid, "would be improved", 2},
		{"two generator-limited, the others slower", slower, gate.Regressed, "worse by more than 5%", 2},
		{"too few samples", small, gate.Inconclusive, "p50 needs n >= 6, have 5", 12},
	} {
		f := judge(gate.Comparison{Base: base, Head: c.head, Paired: true}, rule("latency.p50", .05))[0]
		if f.Verdict != c.want || !strings.Contains(f.Why, c.why) || leftOut(&f) != c.left {
			t.Errorf("%s: %s (%s), %d left out; want %s (%s), %d", c.name, f.Verdict, f.Why, leftOut(&f), c.want, c.why, c.left)
		}
	}
	both := append(append([]gate.Trial{}, lagged[:2]...), base[2:]...)
	if f := judge(gate.Comparison{Base: both, Head: mixed, Paired: true}, rule("latency.p50", .05))[0]; f.Verdict != gate.Equivalent {
		t.Errorf("each side lost two runs: %s (%s), want equivalent", f.Verdict, f.Why)
	}
}

// TestRiskOfARule: a rule with a risk of its own wants more than the others, and its
// limits have that confidence.
func TestRiskOfARule(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	strict, plain := rule("latency.p50", .05), rule("latency.p50", .05)
	strict.Risk = .01
	for _, c := range []struct {
		n    int
		want [2]gate.Verdict // at 1%, which takes 7 pairs, and at 5%
	}{{5, [2]gate.Verdict{gate.Inconclusive, gate.Regressed}}, {7, [2]gate.Verdict{gate.Regressed, gate.Regressed}}} {
		pairs := gate.Comparison{Base: runs(rng, c.n, 100, .01), Head: runs(rng, c.n, 130, .01), Paired: true}
		for i, r := range []gate.Rule{strict, plain} {
			f := judge(pairs, r)[0]
			if level := []float64{.99, .95}[i]; f.Verdict != c.want[i] || f.Confidence != level {
				t.Errorf("%d pairs: %s (%s) at confidence %v, want %s at %v", c.n, f.Verdict, f.Why, f.Confidence, c.want[i], level)
			}
		}
	}
	policy := gate.Policy{Rules: []gate.Rule{strict}}
	if note := policy.Levels(false, 1); !strings.HasSuffix(note, "Of latency.p50 it is 99%.") {
		t.Errorf("the note says %q", note)
	}
	for risk, ok := range map[float64]bool{.05: true, .06: false, -.01: false} {
		policy.Rules[0].Risk = risk
		if err := policy.Validate(); (err == nil) != ok {
			t.Errorf("a risk of %v under 5%%: %v", risk, err)
		}
	}
}

// TestWhoseRunsAreShort: the reason is one of the side that has too few, and there
// is none where that side lost none.
func TestWhoseRunsAreShort(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	side := func(name string, good, bad int) []gate.Trial {
		trials := runs(rng, good+bad, 100, .01)
		for i := range trials {
			if trials[i].Name = fmt.Sprint(name, i+1); i < bad {
				trials[i].Invalid = []string{"was late"}
			}
		}
		return trials
	}
	for _, c := range []struct {
		base, head []gate.Trial
		want       gate.Verdict
		why        string
	}{
		{side("base", 6, 1), side("head", 2, 0), gate.Inconclusive, "2 of the 3 runs of each side that a verdict takes"},
		{side("base", 2, 0), side("head", 6, 1), gate.Inconclusive, "2 of the 3 runs of each side that a verdict takes"},
		{side("base", 6, 1), side("head", 2, 1), gate.Inconclusive, "2 of the 3 runs of each side that a verdict takes: head1: was late"},
		{side("base", 6, 1), side("head", 0, 2), gate.Invalid, "head1: was late"},
	} {
		f := judge(gate.Comparison{Base: c.base, Head: c.head}, rule("latency.p50", .05))[0]
		if f.Verdict != c.want || f.Why != c.why {
			t.Errorf("%d and %d runs: %s (%s), want %s (%s)", len(c.base), len(c.head), f.Verdict, f.Why, c.want, c.why)
		}
	}
}

// leftOut is how many runs a finding does not rest on.
func leftOut(f *gate.Finding) int { return len(f.Left[0].Runs) + len(f.Left[1].Runs) }

// TestLeftOut: runs that must not be used are named once, whatever the number of
// rules, and those that lack figures beside these; a reason once, of many runs
// the first few.
func TestLeftOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	head := runs(rng, 12, 100, .01)
	for i := range 6 {
		head[i].Name, head[i].Invalid = fmt.Sprintf("h%d", i+1), []string{"50 of 289 arrivals were dropped"}
	}
	head[5].Invalid = []string{"the run was interrupted"}
	head[6] = trial(figures{})
	d := gate.NewDocument(&gate.Policy{}, gate.Comparison{}, judge(gate.Comparison{Base: runs(rng, 12, 100, .01), Head: head}, rule("latency.p50", .05), rule("cold_share", .01), gate.Rule{Budget: budget.Budget{Metric: "latency.p50", Phase: "sale"}, Margin: .05}))
	want := []string{
		"6 of 12 runs of head are left out (h1, h2, h3, and 2 more: 50 of 289 arrivals were dropped; h6: the run was interrupted)",
		"latency.p50, latency.p50 in sale: 1 of 12 runs of head are left out (run: p50 needs n >= 6, have 5)",
	}
	if diff := cmp.Diff(want, d.LeftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	if r := d.Findings[0]; r.Left != 7 || len(r.LeftRuns[1]) != 7 || r.Given != [2]int{12, 12} {
		t.Errorf("%d left out, %v of %v; want 7 of head's 12", r.Left, r.LeftRuns, r.Given)
	}
}

// TestRisk repeats comparisons whose head is worse by just the margin, the
// worst case that is no regression: with three rules and four looks a false
// alarm anywhere stays within the risk; and a change of twice the margin, which
// the plan says is detectable, is detected with the power. The bounds are four
// standard errors.
func TestRisk(t *testing.T) {
	const repetitions, risk, margin = 400, .05, .05
	policy := gate.Policy{Risk: risk, Rules: []gate.Rule{rule("latency.p50", margin), rule("latency.p50", margin), rule("latency.p50", margin)}}
	rng := rand.New(rand.NewPCG(4, 4))
	var plans stats.Planner
	alarm := func(head float64) bool {
		looks := policy.LookAt()
		last := looks[len(looks)-1]
		base, head2 := runs(rng, last, 100, .03), runs(rng, last, head, .03)
		for i, n := range looks {
			for _, f := range gate.Judge(&policy, gate.Comparison{Base: base[:n], Head: head2[:n], Paired: true, Plans: &plans}, gate.Look{Number: i + 1, Of: len(looks)}) {
				if f.Verdict == gate.Regressed {
					return true
				}
			}
		}
		return false
	}
	share := func(head float64) float64 {
		n := 0
		for range repetitions {
			if alarm(head) {
				n++
			}
		}
		return float64(n) / repetitions
	}
	if got, bound := share(100*(1+margin)), risk+4*math.Sqrt(risk*(1-risk)/repetitions); got > bound {
		t.Errorf("%.3f false alarms, want at most %.3f", got, bound)
	}
	if got := share(100 * (1 + 2*margin)); got < .9 {
		t.Errorf("a change of twice the margin is found in %.3f of comparisons, want at least .9", got)
	}
}

func TestPolicyFaults(t *testing.T) {
	p := gate.Policy{Risk: 2, Power: 1.1, Looks: []int{10, 10}, Rules: []gate.Rule{{Budget: budget.Budget{Metric: "latency.p5"}, Margin: -1, Pairs: -1}, {Budget: budget.Budget{Metric: "errors"}}}}
	err := p.Validate()
	for _, want := range []string{"risk 2", "power 1.1", "looks [10 10]", "latency.p5", "margin -1", "pairs -1", "rule 2 (errors): nothing to judge by"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("faults %v lack %q", err, want)
		}
	}
	if err := (&gate.Policy{}).Validate(); err == nil {
		t.Error("a policy without rules is accepted")
	}
	if err := (&gate.Policy{Rules: []gate.Rule{rule("latency.p50", .05)}}).Validate(); err != nil {
		t.Error(fmt.Errorf("a good policy: %w", err))
	}
}

// TestAStalledRunMovesNoPlan: what pairs detect and how many it takes are of the
// rank test, which one wild value among twenty hardly moves.
func TestAStalledRunMovesNoPlan(t *testing.T) {
	for _, paired := range []bool{true, false} {
		rng := rand.New(rand.NewPCG(21, 21))
		base, head := runs(rng, 20, 100, .05), runs(rng, 20, 100, .05)
		plan := func() gate.Finding {
			return judge(gate.Comparison{Base: base, Head: head, Paired: paired}, rule("latency.p50", .05))[0]
		}
		calm := plan()
		head[7] = trial(figures{latency: 2000e6})
		stalled := plan()
		if ratio := stalled.Needed / calm.Needed; ratio > 1.7 || ratio < 1/1.7 {
			t.Errorf("paired %v: one run of 2 s, the others around 100 ms: %.0f needed, without it %.0f", paired, stalled.Needed, calm.Needed)
		}
		if ratio := stalled.Detectable / calm.Detectable; ratio > 1.3 || ratio < 1/1.3 {
			t.Errorf("paired %v: it has them detect %.3f, without it %.3f", paired, stalled.Detectable, calm.Detectable)
		}
	}
	if got, want := gate.Runs(1925.2), "1,926"; got != want {
		t.Errorf("1925.2 runs are %s, want %s", got, want)
	}
	if got, want := gate.Runs(math.Inf(1)), "more than 1,000,000,000"; got != want {
		t.Errorf("infinitely many runs are %s, want %s", got, want)
	}
}
