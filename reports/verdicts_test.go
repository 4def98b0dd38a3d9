package reports_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

func record(metric string, verdict gate.Verdict, change, lower, upper float64) gate.Record {
	return gate.Record{
		Budget: budget.Budget{Metric: metric, Start: "cold"}, Verdict: verdict, Why: "because", Relative: !strings.HasSuffix(metric, "share"),
		Base: new(1e8), Head: new(1e8 * (1 + change)), Change: &change, Lower: &lower, Upper: &upper, Margin: .05, Runs: [2]int{10, 10},
	}
}

func TestVerdictsAnswer(t *testing.T) {
	slower := record("latency.p50", gate.Regressed, .148, .121, .173)
	slower.Cause = "init moved by +30.1 ms (28.0 ms to 32.2 ms)"
	faster := record("service.p50", gate.Improved, -.2, -.25, -.15)
	rate := record("throughput", gate.Regressed, -.2, -.25, -.15)
	open := record("latency.p90", gate.Inconclusive, .01, -.1, .1)
	same := record("cold_share", gate.Equivalent, 0, 0, 0)
	over := record("latency.p99", gate.Regressed, -.01, -.05, .03)
	over.Standing, over.Why = gate.Beyond, "60.0 ms (58.0 ms to 62.0 ms), allowed 50ms; not worse by 5%"
	v := reports.Verdicts{Findings: []gate.Record{same, faster, open, slower, rate, over, same}}
	want := []string{
		"latency.p50 of cold got 14.8% slower (12.1% to 17.3%): regressed; init moved by +30.1 ms (28.0 ms to 32.2 ms).",
		"throughput of cold got 20.0% lower (15.0% to 25.0%): regressed.",
		"latency.p99 of cold: regressed: 60.0 ms (58.0 ms to 62.0 ms), allowed 50ms; not worse by 5%.",
		"latency.p90 of cold: inconclusive: because.",
		"service.p50 of cold got 20.0% faster (15.0% to 25.0%): improved.",
		"Equivalent: cold_share of cold.",
	}
	if d := cmp.Diff(want, v.Answer()); d != "" {
		t.Errorf("answer (-want +got):\n%s", d)
	}
	held := reports.Verdicts{Findings: []gate.Record{same}}
	if got := held.Answer(); len(got) != 1 || got[0] != "Nothing got worse: cold_share of cold: equivalent." {
		t.Errorf("nothing changed: %q", got)
	}
}

// TestWhyThereIsNoVerdict: what makes runs unusable is said once, of all figures
// together, and not again among the reasons.
func TestWhyThereIsNoVerdict(t *testing.T) {
	cold, share := record("latency.p50", gate.Invalid, 0, 0, 0), record("cold_share", gate.Invalid, 0, 0, 0)
	other, open := record("throughput", gate.Invalid, 0, 0, 0), record("latency.p90", gate.Inconclusive, 0, 0, 0)
	too := record("latency.p50", gate.Inconclusive, 0, 0, 0)
	cold.Why, share.Why, other.Why = "head-1: the platform failed: killed", "head-1: the platform failed: killed", "head-2: the run was interrupted"
	open.Detectable, open.DetectableAt = new(.08), 10
	v := reports.Verdicts{Findings: []gate.Record{cold, open, share, other, too}}
	want := []string{
		"latency.p50 of cold and cold_share of cold: invalid: head-1: the platform failed: killed.",
		"throughput of cold: invalid: head-2: the run was interrupted.",
		"latency.p90 of cold and latency.p50 of cold: inconclusive: because.",
	}
	if d := cmp.Diff(want, v.Answer()); d != "" {
		t.Errorf("answer (-want +got):\n%s", d)
	}
	for _, reason := range v.Reasons() {
		if strings.Contains(reason, "killed") || strings.Contains(reason, "because") || !strings.Contains(reason, "verdict") && !strings.Contains(reason, "detect") {
			t.Errorf("the reasons say what the answer has: %q", reason)
		}
	}
}

// TestPower: a loss of what more is better of has the sign of one, and a rule of
// absolute limits alone says what it takes, and where head's median lies.
func TestPower(t *testing.T) {
	rate := record("throughput", gate.Equivalent, -.01, -.02, 0)
	rate.Detectable, rate.DetectableAt, rate.Needed = new(-.08), 10, new(12.)
	budgeted := gate.Record{
		Budget: budget.Budget{Metric: "latency.p50"}, Standing: gate.Within, Runs: [2]int{10, 10},
		Head: new(45e6), HeadLower: new(44e6), HeadUpper: new(46e6), HeadNeeded: new(7.),
	}
	open := budgeted
	open.Standing = gate.Astride
	v := reports.Verdicts{}
	for _, c := range []struct {
		f               *gate.Record
		power, interval string
	}{
		{&rate, "10 runs of each side detect a change of -8.0%; if nothing changed, to rule out one of -5.0% takes about 12", "-2.0% to +0.0%"},
		{&budgeted, "a verdict takes about 7 runs of head", "44.0 ms to 46.0 ms"},
		{&open, "", "44.0 ms to 46.0 ms"},
	} {
		if power, interval := v.Power(c.f), v.Interval(c.f); power != c.power || interval != c.interval {
			t.Errorf("%s %s: %q, %q; want %q, %q", c.f.Metric, c.f.Standing, power, interval, c.power, c.interval)
		}
	}
}
