package chart

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// latency is every request's latency over time, its start kind by glyph and colour.
func latency(run *summary.Run, data *reports.Run) (Chart, bool) {
	if len(data.Points) == 0 {
		return Chart{}, false
	}
	groups := gather(data.Points)
	c := Chart{
		Name:    "latency-over-time",
		Title:   "Latency over time",
		Caption: "Each dot is a request at the moment when it was meant to be sent, at the height of what its caller waited. " + density(data.Points),
		height:  5 * vg.Inch,
	}
	words := "Latency of requests over time:"
	low, high := time.Duration(math.MaxInt64), time.Duration(0)
	for _, g := range groups {
		c.keys = append(c.keys, g.key())
		words += fmt.Sprintf(" %s %s;", units.FormatCount(g.count), g.name())
		for _, p := range g.points {
			if p.Latency > 0 {
				low = min(low, p.Latency)
			}
			high = max(high, p.Latency)
		}
	}
	low = min(low, max(high, 1))
	c.Alt = fmt.Sprintf("%s from %s to %s.", words, units.FormatDuration(low), units.FormatDuration(high))
	end := runEnd(run, data)
	c.body = func(dc draw.Canvas, t Theme) {
		p := newPlot(t)
		timeAxis(&p.X, end)
		durationAxis(&p.Y, low, high, high/low >= spread)
		p.Y.Label.Text = "latency"
		p.Add(phaseBands(run, t), gridLines(t, false, true))
		for _, g := range groups {
			p.Add(g.dots(t))
		}
		p.Draw(draw.Crop(dc, 0, 0, 0, -phaseRoom(run)))
	}
	return c, true
}

// density says how much a dot may hide.
func density(points []reports.Point) string {
	var most uint64
	for _, p := range points {
		most = max(most, p.Count)
	}
	if most <= 1 {
		return "No request is left out."
	}
	return fmt.Sprintf("A dot stands for up to %s alike and grows with them; the slowest of them gives its place, so no extreme is hidden.", units.FormatCount(most))
}

// dotGroup is the dots of one look.
type dotGroup struct {
	look
	start  sample.Start
	failed bool
	count  uint64
	points []reports.Point
}

// gather sorts points into groups, in the order of painting: the many warm
// first, the rare and the failed on top.
func gather(points []reports.Point) []dotGroup {
	order := sample.StartOrder()
	var all []dotGroup
	for i := len(order) - 1; i >= 0; i-- {
		all = append(all, dotGroup{look: lookOf(order[i]), start: order[i]})
	}
	bad := dotGroup{look: look{role: failed, glyph: cross}, failed: true}
	for _, p := range points {
		g := &bad
		if !p.Failed {
			for i := range all {
				if all[i].start == p.Start {
					g = &all[i]
				}
			}
		}
		g.count += p.Count
		g.points = append(g.points, p)
	}
	var out []dotGroup
	for _, g := range append(all, bad) {
		if len(g.points) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func (g *dotGroup) name() string {
	if g.failed {
		return "failed"
	}
	return g.start.String()
}

func (g *dotGroup) key() key {
	return key{
		label: fmt.Sprintf("%s (%s)", g.name(), units.FormatCount(g.count)),
		swatch: func(c draw.Canvas, t Theme, at vg.Point) {
			var p vg.Path
			g.glyph.add(&p, vg.Point{X: at.X - 7, Y: at.Y}, 3.6)
			g.glyph.paint(c, t, g.role, p)
		},
	}
}

func (g *dotGroup) dots(t Theme) plotter {
	// Sparse dots may be large; thousands have to leave each other room.
	base := 2.6
	if len(g.points) > 400 {
		base = 1.3
	}
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		var path vg.Path
		for _, pt := range g.points {
			r := base + .45*math.Log10(float64(max(pt.Count, 1)))
			g.glyph.add(&path, vg.Point{X: toX(float64(pt.At)), Y: toY(float64(pt.Latency))}, vg.Length(r))
		}
		g.glyph.paint(c, t, g.role, path)
	}
}

// runEnd is where the time axis of a run ends.
func runEnd(run *summary.Run, data *reports.Run) time.Duration {
	var end time.Duration
	for _, p := range run.Phases {
		end = max(end, time.Duration(p.Start+p.Duration))
	}
	for _, p := range data.Points {
		end = max(end, p.At)
	}
	return end
}
