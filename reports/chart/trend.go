package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/reports"
)

// Trend draws a figure over saved baselines: a ring a run, and a line through
// the medians.
func Trend(t *reports.Trend) (Chart, bool) {
	if len(t.Points) == 0 {
		return Chart{}, false
	}
	first, last := &t.Points[0], &t.Points[len(t.Points)-1]
	m := metric.Metric(t.Rule.Metric)
	over, caption := " over baselines", "Each ring is a run; the line joins the medians of the baselines' runs, the oldest on the left."
	if t.Alone {
		over, caption = ", run by run", "Each ring is a run; the line joins the medians of the two sides."
	}
	return Chart{
		Name: "trend", Title: t.Rule.Subject() + over, Caption: caption,
		Alt: fmt.Sprintf("%s over %d baselines: a median of %s in %s, and of %s in %s.", t.Rule.Subject(), len(t.Points),
			metric.FormatValue(m, stats.Median(first.Values)), first.Name, metric.FormatValue(m, stats.Median(last.Values)), last.Name),
		subtitle: fmt.Sprintf("%s to %s", first.Name, last.Name),
		height:   4.6 * vg.Inch,
		keys: []key{
			{"run", func(c draw.Canvas, t Theme, at vg.Point) { mark(c, t, at.Add(vg.Point{X: -10}), false) }},
			{"median", func(c draw.Canvas, t Theme, at vg.Point) { mark(c, t, at.Add(vg.Point{X: -10}), true) }},
		},
		body: func(c draw.Canvas, theme Theme) { drawTrend(t, c, theme) },
	}, true
}

func drawTrend(trend *reports.Trend, c draw.Canvas, t Theme) {
	p := newPlot(t)
	p.X.Min, p.X.Max = -.5, float64(len(trend.Points))-.5
	p.X.Tick.Marker, p.X.Label.Text = trendTicks(trend)
	trendAxis(&p.Y, trend)
	p.Add(gridLines(t, false, true), plotter(func(c draw.Canvas, p *plot.Plot) { paintTrend(trend, c, p, t) }))
	p.Draw(c)
}

// trendTicks name at most six baselines, the last one among them. What all names
// begin with is said once, below: what tells them apart stands at their ends.
func trendTicks(trend *reports.Trend) (ticks plot.ConstantTicks, below string) {
	const most, width = 6, 630 // of the axis, with some air between names
	n := len(trend.Points)
	common := commonStart(trend.Points)
	every := (n + most - 1) / most
	room := vg.Length(width / ((n + every - 1) / every))
	for i := (n - 1) % every; i < n; i += every {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: fitEnd(style(11, nil), trend.Points[i].Name[len(common):], room)})
	}
	if common != "" {
		below = fit(style(11, nil), "baselines "+common+"…", width)
	}
	return ticks, below
}

// commonStart is what all names begin with, to the end of a word of theirs; ""
// for a single name.
func commonStart(points []reports.TrendPoint) string {
	common := points[0].Name
	for _, p := range points {
		for !strings.HasPrefix(p.Name, common) {
			common = common[:len(common)-1]
		}
	}
	if len(points) == 1 {
		return ""
	}
	return common[:strings.LastIndexAny(common, "-._")+1]
}

// trendAxis begins at 0: what looks like a jump is one.
func trendAxis(a *plot.Axis, trend *reports.Trend) {
	high := 0.
	for _, point := range trend.Points {
		high = max(high, slices.Max(point.Values))
	}
	m := metric.Metric(trend.Rule.Metric)
	if m.Unit() == metric.Duration {
		durationAxis(a, 0, time.Duration(high), false)
		return
	}
	step := niceFloat(high)
	steps := max(1, int(math.Ceil(high/step)))
	var ticks plot.ConstantTicks
	for i := range steps + 1 {
		ticks = append(ticks, plot.Tick{Value: float64(i) * step, Label: metric.FormatValue(m, float64(i)*step)})
	}
	a.Min, a.Max, a.Tick.Marker = 0, float64(steps)*step, ticks
}

func paintTrend(trend *reports.Trend, c draw.Canvas, p *plot.Plot, t Theme) {
	x, y := p.Transforms(&c)
	var line []vg.Point
	for i, point := range trend.Points {
		for _, v := range point.Values {
			mark(c, t, vg.Point{X: x(float64(i)), Y: y(v)}, false)
		}
		line = append(line, vg.Point{X: x(float64(i)), Y: y(stats.Median(point.Values))})
	}
	c.StrokeLines(draw.LineStyle{Color: t.color(warm), Width: 1.2}, line)
	for _, at := range line {
		mark(c, t, at, true)
	}
}
