package html_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/html"
)

// compared is a comparison that has everything a page can show. Its function
// has a name that tries to get out of wherever it stands.
func compared() *reports.Comparison {
	const hostile = `shop"><script>alert(1)</script>`
	record := gate.Record{
		Budget: budget.Budget{Metric: "latency.p50", Start: "cold", Function: hostile}, Margin: .1, Severity: "fail",
		Verdict: gate.Regressed, Why: "worse by more than 10%", Runs: [2]int{2, 2}, Relative: true,
		Base: new(1e8), Head: new(1.3e8), Change: new(.3), Lower: new(.2), Upper: new(.4),
		Detectable: new(.15), DetectableAt: 8, Needed: new(9.),
	}
	moved := comparison.Part{Name: "init", Base: 80e6, Head: 110e6, Change: 30e6, Lower: new(20 * time.Millisecond), Upper: new(40 * time.Millisecond), Pairs: 2}
	d := &comparison.Document{
		Scenario: "idle", State: comparison.Interrupted, Verdict: gate.Regressed,
		Pairs: []comparison.Pair{
			{Number: 1, First: comparison.Head, Base: comparison.Run{Dir: "pair-001-base"}, Head: comparison.Run{Dir: "pair-001-head"}},
			{Number: 2, First: comparison.Base, Base: comparison.Run{Dir: "pair-002-base"}, Head: comparison.Run{Dir: "pair-002-head", Invalid: []string{"was not made"}}},
		},
		Findings: []comparison.Finding{{Record: record, Pairs: [][2]float64{{1e8, 1.3e8}, {1.1e8, 1.2e8}}, Parts: []comparison.Part{moved}}},
		Shifts:   []comparison.Shift{{Start: "cold", Pairs: 2, Deciles: []comparison.Decile{{Share: .1, Change: .3}, {Share: .5, Change: .2}}}},
		Colds: []comparison.Cold{
			{Start: "forced-cold", Base: comparison.ColdSide{N: 2, Median: 90e6}},
			{Start: "idle-cold", Base: comparison.ColdSide{N: 1200, Median: 80e6}, Head: comparison.ColdSide{N: 1180, Median: 110e6}},
		},
	}
	h := hist.New()
	for i := range 100 {
		h.Record(time.Duration(80+i) * time.Millisecond)
	}
	rule := gate.Rule{Budget: record.Budget}
	return &reports.Comparison{
		Document: d,
		Verdicts: reports.Verdicts{Title: "idle, 2 pairs: regressed", Base: "before", Head: "after", Paired: true, Findings: d.Records(), Notes: []string{"a note"}},
		Curves:   []reports.Overlay{{Start: sample.Cold, Base: reports.DistributionOf(sample.Cold, h), Head: reports.DistributionOf(sample.Cold, h)}},
		Trends:   []*reports.Trend{{Rule: rule, Points: []reports.TrendPoint{{Name: "main", Values: []float64{1e8}}, {Name: "this head", Values: []float64{1.3e8}}}}},
	}
}

// TestComparisonPage: the answer, each table, all four pictures and what it
// would take are there, and nothing of it is somebody else's markup.
func TestComparisonPage(t *testing.T) {
	var b strings.Builder
	if err := html.Comparison(&b, compared()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if n := strings.Count(page, "<svg"); n != 4 {
		t.Errorf("%d pictures, want the shift, the pairs, the percentiles and the trend", n)
	}
	for _, bad := range []string{"<script", "src=", "NaN", "%!", "&lt;nil&gt;"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
	text := words(page)
	for _, want := range []string{
		"got 30.0% slower (20.0% to 40.0%): regressed; init moved by +30.0 ms (+20.0 ms to +40.0 ms).",
		"Interrupted: compare --resume goes on where this ended.",
		"worse by more than 10%; no change is large enough for 2 pairs: 8 detect one of +15.0%; if nothing changed, to rule out one of +10.0% takes about 9.",
		"forced-cold first of its version, or evicted 2 90.0 ms 0 -",
		"idle-cold keep-alive ran out 1,200 80.0 ms 1,180 110 ms",
		"pair-002-head was not made",
		"a note",
	} {
		if !strings.Contains(text, strings.ReplaceAll(want, "+", "&#43;")) && !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestComparisonOfNothing: one that was interrupted before its first pair has a
// page, too.
func TestComparisonOfNothing(t *testing.T) {
	var b strings.Builder
	c := &reports.Comparison{Document: &comparison.Document{State: comparison.Running}}
	if err := html.Comparison(&b, c); err != nil || !strings.Contains(b.String(), "it is running, or was killed") {
		t.Errorf("error %v, page %s", err, words(b.String()))
	}
}
