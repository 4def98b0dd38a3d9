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
	v := reports.Verdicts{Findings: []gate.Record{same, faster, open, slower, rate}}
	want := []string{
		"latency.p50 of cold got 14.8% slower (12.1% to 17.3%): regressed; init moved by +30.1 ms (28.0 ms to 32.2 ms).",
		"throughput of cold got 20.0% lower (15.0% to 25.0%): regressed.",
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
