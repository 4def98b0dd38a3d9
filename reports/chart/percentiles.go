package chart

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// percentiles is the HDR plot: latency by percentile, the axis logarithmic in
// 1/(1-share), so that each further nine takes the same room.
func percentiles(_ *summary.Run, data *reports.Run) (Chart, bool) {
	low, high, ok := latencies(data.Distributions)
	if !ok {
		return Chart{}, false
	}
	c := Chart{
		Name:  "percentiles",
		Title: "Latency by percentile",
		Caption: "How long the slowest share of callers waited, by start kind, warm-up and failures left out. Each further nine takes the same room. " +
			"A thin line goes beyond what the number of requests can support with an interval.",
		Alt:    "Latency by percentile:",
		height: 4.6 * vg.Inch,
	}
	nines := 10.0
	for _, d := range data.Distributions {
		if len(d.Curve) == 0 {
			continue
		}
		c.keys = append(c.keys, lineKey(fmt.Sprintf("%s (%s)", d.Start, units.FormatCount(d.N)), lookOf(d.Start)))
		last := d.Curve[len(d.Curve)-1]
		c.Alt += fmt.Sprintf(" %s from %s to %s;", d.Start, units.FormatDuration(d.Curve[0].Latency), units.FormatDuration(last.Latency))
		nines = max(nines, 1/(1-last.Share))
	}
	c.body = func(dc draw.Canvas, t Theme) {
		p := newPlot(t)
		percentileAxis(&p.X, nines)
		durationAxis(&p.Y, low, high, high/low >= spread)
		p.Y.Label.Text = "latency"
		p.Add(gridLines(t, true, true))
		for _, d := range data.Distributions {
			p.Add(curve(t, d))
		}
		p.Draw(dc)
	}
	return c, true
}

// latencies is the range of all that was measured.
func latencies(ds []reports.Distribution) (low, high time.Duration, ok bool) {
	low = math.MaxInt64
	for _, d := range ds {
		for _, q := range d.Curve {
			low, high, ok = min(low, max(q.Latency, 1)), max(high, q.Latency, 1), true
		}
	}
	return low, high, ok
}

// crowded is an axis on which there is room for the nines alone.
const crowded = 2e4

// percentileAxis labels 50%, 90%, 99%, ... on an axis of 1/(1-share).
func percentileAxis(a *plot.Axis, high float64) {
	a.Scale = logScale{}
	a.Min, a.Max = 1, high*1.05
	a.Label.Text = "percentile"
	ticks := plot.ConstantTicks{{Value: 1, Label: "0%"}, {Value: 2, Label: "50%"}, {Value: 4, Label: "75%"}, {Value: 10, Label: "90%"}}
	decimals := 0
	for v := 20.0; v <= a.Max; v *= 10 {
		// 95% and 99%, 99.5% and 99.9%, ...
		if v == 20 || a.Max < crowded {
			ticks = append(ticks, plot.Tick{Value: v, Label: percent(v, decimals)})
		}
		if 5*v <= a.Max {
			ticks = append(ticks, plot.Tick{Value: 5 * v, Label: percent(5*v, decimals)})
		}
		decimals++
	}
	a.Tick.Marker = ticks
}

func percent(v float64, decimals int) string {
	return strconv.FormatFloat(100*(1-1/v), 'f', decimals, 64) + "%"
}

func lineKey(label string, l look) key {
	return key{label: label, swatch: func(c draw.Canvas, t Theme, at vg.Point) {
		c.StrokeLine2(draw.LineStyle{Color: t.color(l.role), Width: 2.2, Dashes: l.dash}, at.X-20, at.Y, at.X, at.Y)
		var p vg.Path
		l.glyph.add(&p, vg.Point{X: at.X - 10, Y: at.Y}, 3)
		l.glyph.paint(c, t, l.role, p)
	}}
}

// curve draws the supported stretch bold with a glyph at each labelled
// percentile, and the rest thin.
func curve(t Theme, d reports.Distribution) plotter { return curveAs(t, d, lookOf(d.Start)) }

func curveAs(t Theme, d reports.Distribution, l look) plotter {
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		at := func(q reports.Quantile) vg.Point {
			return vg.Point{X: toX(1 / (1 - q.Share)), Y: toY(float64(q.Latency))}
		}
		var bold, thin vg.Path
		for i, q := range d.Curve {
			if i == 0 {
				continue
			}
			path := &thin
			if q.Supported && d.Curve[i-1].Supported {
				path = &bold
			}
			// The gap between paths of one stretch would restart its dashes.
			if from := at(d.Curve[i-1]); len(*path) == 0 || (*path)[len(*path)-1].Pos != from {
				path.Move(from)
			}
			path.Line(at(q))
		}
		c.SetColor(t.color(l.role))
		c.SetLineDash(nil, 0)
		c.SetLineWidth(.8)
		c.Stroke(thin)
		c.SetLineDash(l.dash, 0)
		c.SetLineWidth(2.2)
		c.Stroke(bold)
		var marks vg.Path
		if len(d.Curve) == 1 {
			l.glyph.add(&marks, at(d.Curve[0]), 3)
		}
		for _, tick := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			for i := 1; i < len(d.Curve); i++ {
				if 1/(1-d.Curve[i-1].Share) < tick.Value && tick.Value <= 1/(1-d.Curve[i].Share) {
					l.glyph.add(&marks, at(d.Curve[i]), 3)
				}
			}
		}
		l.glyph.paint(c, t, l.role, marks)
	}
}
