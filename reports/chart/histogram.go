package chart

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// barRow is the height of one start kind's row.
const barRow = .95 * vg.Inch

// histogram is how often each latency occurred. Each start kind has a row of
// its own scale: a dozen cold starts would vanish beside thousands of warm ones.
func histogram(_ *summary.Run, data *reports.Run) (Chart, bool) {
	var rows []reports.Distribution
	low, high := time.Duration(math.MaxInt64), time.Duration(0)
	alt := "How often each latency occurred:"
	for _, d := range data.Distributions {
		if len(d.Bars) == 0 {
			continue
		}
		rows = append(rows, d)
		low, high = min(low, d.Bars[0].Low), max(high, d.Bars[len(d.Bars)-1].High)
		top := tallest(d.Bars)
		alt += fmt.Sprintf(" %s most often between %s and %s;", d.Start, units.FormatDuration(top.Low), units.FormatDuration(top.High))
	}
	if len(rows) == 0 {
		return Chart{}, false
	}
	return Chart{
		Name:    "histogram",
		Title:   "How often each latency occurred",
		Caption: "One row for each start kind, each with its own scale: the number of requests in its tallest bar is written at its right. Bars are equally wide on the logarithmic axis.",
		Alt:     alt,
		height:  titleHeight + 48 + barRow*vg.Length(len(rows)),
		body: func(dc draw.Canvas, t Theme) {
			p := newPlot(t)
			durationAxis(&p.X, low, high, true)
			p.X.Label.Text = "latency"
			p.HideY()
			p.Y.Min, p.Y.Max = 0, float64(len(rows))
			p.Add(gridLines(t, true, false))
			for i, d := range rows {
				p.Add(barsOf(t, d, float64(len(rows)-1-i)))
			}
			p.Draw(draw.Crop(dc, rowLabel, -rowCount, 0, 0))
		},
	}, true
}

// The rooms beside the rows.
const (
	rowLabel vg.Length = 92
	rowCount vg.Length = 86
)

func tallest(bars []reports.Bar) reports.Bar {
	var top reports.Bar
	for _, b := range bars {
		if b.Count > top.Count {
			top = b
		}
	}
	return top
}

func barsOf(t Theme, d reports.Distribution, floor float64) plotter {
	l := lookOf(d.Start)
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		base, roof := toY(floor), toY(floor+.82)
		top := tallest(d.Bars)
		var path vg.Path
		for _, b := range d.Bars {
			x0, x1 := toX(float64(max(b.Low, 1))), toX(float64(max(b.High, 1)))
			// A single request among millions still shows.
			h := max((roof-base)*vg.Length(float64(b.Count)/float64(top.Count)), 1)
			path.Move(vg.Point{X: x0 + .4, Y: base})
			path.Line(vg.Point{X: x0 + .4, Y: base + h})
			path.Line(vg.Point{X: x1 - .4, Y: base + h})
			path.Line(vg.Point{X: x1 - .4, Y: base})
			path.Close()
		}
		c.SetColor(t.color(l.role))
		c.Fill(path)
		c.StrokeLine2(draw.LineStyle{Color: t.color(grid), Width: 1}, c.Min.X, base, c.Max.X, base)

		name, small := bold(style(11, t.color(ink))), style(10, t.color(faint))
		y := base + (roof-base)/2
		left := c.Min.X - rowLabel
		var mark vg.Path
		l.glyph.add(&mark, vg.Point{X: left + 4, Y: y + 6}, 3.6)
		l.glyph.paint(c, t, l.role, mark)
		c.FillText(name, vg.Point{X: left + 14, Y: y + 7}, d.Start.String())
		c.FillText(small, vg.Point{X: left + 14, Y: y - 7}, "n = "+units.FormatCount(d.N))
		c.FillText(small, vg.Point{X: c.Max.X + 6, Y: roof - 5}, "tallest "+units.FormatCount(top.Count))
	}
}
