package chart

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

func TestTrend(t *testing.T) {
	if _, ok := Trend(&reports.Trend{}); ok {
		t.Error("a trend over nothing is drawn")
	}
	for name, scale := range map[string]float64{"latency.p50": 1e6, "cold_share": .001, "errors": 0, "throughput": 10} {
		trend := &reports.Trend{Rule: gate.Rule{Budget: budget.Budget{Metric: name}}}
		for i := range 20 {
			trend.Points = append(trend.Points, reports.TrendPoint{
				Name: strings.Repeat("a-long-name-", 4) + string(rune('a'+i)), Values: []float64{scale * float64(100+i), scale * 100, scale * 90},
			})
		}
		c, ok := Trend(trend)
		if !ok || c.Alt == "" || c.Caption == "" {
			t.Fatalf("%s: no chart: %+v", name, c)
		}
		svg := svgOf(t, &c, Light)
		if got := strings.Count(svg, "…"); got < 5 {
			t.Errorf("%s: %d names of baselines, cut to fit; want most of 6", name, got)
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: a place that is no number", name)
		}
	}
}
