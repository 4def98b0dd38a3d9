package chart

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

// TestComparison draws what a comparison of few pairs has, limits missing and
// both sides alike too.
func TestComparison(t *testing.T) {
	band := .1
	for name, deciles := range map[string][]comparison.Decile{
		"a band":    {{Share: .1, Change: .05, Lower: new(-.1), Upper: &band}, {Share: .2, Change: .3, Lower: &band, Upper: new(.5)}},
		"no limits": {{Share: .1, Change: -.05}},
		"alike":     {{Share: .1, Lower: new(0.), Upper: new(0.)}},
	} {
		c := &reports.Comparison{Document: &comparison.Document{
			Shifts: []comparison.Shift{{Start: "cold", Pairs: 2, Deciles: deciles}},
			Findings: []comparison.Finding{{
				Record: gate.Record{Budget: budget.Budget{Metric: "latency.p50", Start: "cold"}},
				Pairs:  [][2]float64{{1e8, 1e8}, {1.1e8, 1.3e8}},
			}},
		}}
		charts := Comparison(c)
		if len(charts) != 2 || charts[0].Name != "shift-cold" || charts[1].Name != "pairs-latency-p50-of-cold" {
			t.Fatalf("%s: %d charts", name, len(charts))
		}
		if !strings.Contains(charts[1].Caption, "the higher in 1 of 2") {
			t.Errorf("caption %q", charts[1].Caption)
		}
		for i := range charts {
			var png bytes.Buffer
			if err := charts[i].PNG(&png); err != nil {
				t.Errorf("%s, %s: %v", name, charts[i].Name, err)
			}
			if svg := charts[i].Inline(); strings.Contains(svg, "NaN") {
				t.Errorf("%s, %s: something is nowhere", name, charts[i].Name)
			}
		}
	}
}
