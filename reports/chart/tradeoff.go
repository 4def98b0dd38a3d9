package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// tradeoffOf draws what a sweep's policies cost in idle instances and what they
// leave in cold starts, and the front of those that no other beats in both.
func tradeoffOf(s *study.Sweep) (Chart, bool) {
	if len(s.Points) == 0 {
		return Chart{}, false
	}
	points := slices.Clone(s.Points)
	slices.SortStableFunc(points, func(a, b study.Point) int { return cmp.Compare(a.IdleHours, b.IdleHours) })
	var front []string
	for _, p := range points {
		if p.Pareto {
			front = append(front, strings.Join(p.Values, " "))
		}
	}
	keys := make([]string, len(s.Axes))
	for i, a := range s.Axes {
		keys[i] = strings.ReplaceAll(a.Key, "_", " ")
	}
	return Chart{
		Name: "tradeoff", Title: "Cold starts against idle instances",
		Caption: "Each point is a policy; the line joins those that no other beats in both. Down and left is better. Cold share is of all requests." + monthsOf(points),
		Alt: fmt.Sprintf("Share of cold starts over idle instance hours for %d values of %s. On the front: %s.",
			len(points), strings.Join(keys, " and "), cmp.Or(strings.Join(front, ", "), "none")),
		subtitle: s.Traffic.Name + ", by " + strings.Join(keys, " and "),
		height:   4.6 * vg.Inch,
		keys:     tradeoff(points).keys(),
		body:     func(c draw.Canvas, t Theme) { tradeoff(points).draw(c, t) },
	}, true
}

// monthsOf says whose the amounts beside the points are.
func monthsOf(points []study.Point) string {
	for _, p := range points {
		if p.Bill != nil && p.Bill.Why == "" {
			return " Beside a policy stands what a month of such traffic costs on " + p.Bill.Option + "."
		}
	}
	return ""
}

type tradeoff []study.Point

func (points tradeoff) draw(c draw.Canvas, t Theme) {
	p := newPlot(t)
	p.X.Label.Text, p.Y.Label.Text = "idle instance hours", "cold share"
	idle := func(p *study.Point) float64 { return p.IdleHours }
	cold := func(p *study.Point) float64 { return p.PCold }
	points.axis(&p.X, idle, func(v float64) string { return short(v) })
	points.axis(&p.Y, cold, func(v float64) string { return short(100*v) + "%" })
	p.Add(gridLines(t, true, true), plotter(func(c draw.Canvas, p *plot.Plot) { points.paint(c, p, t) }))
	p.Draw(c)
}

// axis lets a show a figure of the points, logarithmic where it spreads wide.
func (points tradeoff) axis(a *plot.Axis, of func(*study.Point) float64, label func(float64) string) {
	low, high := math.Inf(1), 0.
	for i := range points {
		v := of(&points[i])
		low, high = min(low, v), max(high, v)
	}
	if low > 0 && high/low > spread {
		a.Scale = logScale{}
		a.Min, a.Max = low/1.25, high*1.25
		a.Tick.Marker = decadesOf(a.Min, a.Max, label)
		return
	}
	step := niceFloat(high)
	if high == 0 {
		step = .1
	}
	a.Min, a.Max = 0, math.Ceil(max(high, step)/step)*step
	var ticks plot.ConstantTicks
	for i := 0; float64(i)*step <= a.Max*1.0001; i++ {
		ticks = append(ticks, plot.Tick{Value: float64(i) * step, Label: label(float64(i) * step)})
	}
	a.Tick.Marker = ticks
}

// short is a number with as few digits as it needs.
func short(v float64) string {
	if v >= 1000 {
		return units.FormatCount(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// keys are what the marks mean that are drawn.
func (points tradeoff) keys() []key {
	var keys []key
	add := func(label string, glyph func(draw.Canvas, Theme, vg.Point), is func(p study.Point) bool) {
		if slices.ContainsFunc(points, is) {
			keys = append(keys, key{label, func(c draw.Canvas, t Theme, at vg.Point) { glyph(c, t, at.Add(vg.Point{X: -10})) }})
		}
	}
	add("on the front", markOf(true), func(p study.Point) bool { return p.Pareto })
	add("another does better", markOf(false), func(p study.Point) bool { return !p.Pareto && p.Excluded == "" })
	add("not compared: "+points.whyNot(), crossOut, func(p study.Point) bool { return p.Excluded != "" })
	return keys
}

// whyNot says why points are compared with none.
func (points tradeoff) whyNot() string {
	var why []string
	for _, c := range []struct {
		reason string
		is     func(p study.Point) bool
	}{
		{"refuses or delays requests", func(p study.Point) bool { return p.Excluded != "" && !p.Interrupted }},
		{"interrupted", func(p study.Point) bool { return p.Interrupted }},
	} {
		if slices.ContainsFunc(points, c.is) {
			why = append(why, c.reason)
		}
	}
	return strings.Join(why, ", or ")
}

func markOf(front bool) func(draw.Canvas, Theme, vg.Point) {
	return func(c draw.Canvas, t Theme, at vg.Point) { mark(c, t, at, front) }
}

// mark is a point: full on the front, hollow off it.
func mark(c draw.Canvas, t Theme, at vg.Point, front bool) {
	sty := draw.GlyphStyle{Color: t.color(unknown), Radius: 4, Shape: draw.RingGlyph{}}
	if front {
		sty.Color, sty.Shape = t.color(warm), draw.CircleGlyph{}
	}
	c.DrawGlyph(sty, at)
}

// crossOut is a point that is compared with none.
func crossOut(c draw.Canvas, t Theme, at vg.Point) {
	c.DrawGlyph(draw.GlyphStyle{Color: t.color(cold), Radius: 4, Shape: draw.CrossGlyph{}}, at)
}

// paint draws the front's line, the points, and their values near them.
func (points tradeoff) paint(c draw.Canvas, p *plot.Plot, t Theme) {
	x, y := p.Transforms(&c)
	var line []vg.Point
	labels := make([]label, len(points))
	for i, point := range points {
		at := vg.Point{X: x(point.IdleHours), Y: y(point.PCold)}
		labels[i] = label{at: at, text: labelOf(&point), first: point.Pareto}
		if point.Pareto {
			line = append(line, at)
		}
	}
	c.StrokeLines(draw.LineStyle{Color: t.color(warm), Width: 1.2}, line)
	for i, point := range points {
		if point.Excluded != "" {
			crossOut(c, t, labels[i].at)
			continue
		}
		mark(c, t, labels[i].at, point.Pareto)
	}
	write(c, t, labels, line)
}

// labelOf is a policy and what a month of it costs, where that is known.
func labelOf(p *study.Point) string {
	label := strings.Join(p.Values, ", ")
	if p.Bill != nil && p.Bill.Why == "" {
		label += "  " + p.Bill.Total.String()
	}
	return label
}
