package chart

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

func TestTrendNames(t *testing.T) {
	for _, c := range []struct {
		names         []string
		common, label string
	}{
		{[]string{"main"}, "", "main"},
		{[]string{"main", "later"}, "", "later"},
		{[]string{"lambda-perf-2026-08-20", "lambda-perf-2026-08-21"}, "baselines lambda-perf-2026-08-…", "21"},
		{[]string{"main", "main-2"}, "", "main-2"},
		{[]string{"x", strings.Repeat("very-", 20) + "long-2026"}, "", "ong-2026"},
		{[]string{"shop-main-2026-11-20", "this head"}, "", "this head"},
	} {
		trend := &reports.Trend{}
		for _, name := range c.names {
			trend.Points = append(trend.Points, reports.TrendPoint{Name: name})
		}
		ticks, below := trendTicks(trend)
		if first := ticks[0].Label; len(c.names) < 5 && c.common == "" && first != c.names[0] {
			t.Errorf("%v: %q is cut, with room for all of it", c.names, first)
		}
		if last := ticks[len(ticks)-1].Label; below != c.common || !strings.HasSuffix(last, c.label) {
			t.Errorf("%v: %q, below %q; want the end %q and %q", c.names, last, below, c.label, c.common)
		}
	}
}

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
		for _, want := range []string{">baselines a-long-name-a-long-name-a-long-name-a-long-name-…<", ">t<", ">p<"} {
			if !strings.Contains(svg, want) {
				t.Errorf("%s: no label %s: the end of a name tells it from the others", name, want)
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: a place that is no number", name)
		}
	}
}
