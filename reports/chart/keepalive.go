package chart

import (
	"fmt"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// KeepAlive draws up the chart of a search for how long an idle instance is
// kept, if a probe was answered.
func KeepAlive(k *reports.KeepAlive) []Chart {
	f := &k.Document.Finding
	if len(f.Points) == 0 {
		return nil
	}
	curve, each := lookOf(sample.Warm), lookOf(sample.Cold)
	curve.dash = nil
	low, high := f.Points[0].Asked, f.Points[len(f.Points)-1].Asked
	c := Chart{
		Name: "survival", Title: "Share of instances still there, by how long they were idle",
		Caption: "The line is the most likely course among those that only fall, by all probes. A triangle is the probes of one gap, with their 95% interval " +
			"by Clopper and Pearson, which is wide where a gap was tried once. The band is what these intervals leave to a curve that only falls.",
		Alt:      "Share still there by idle time:",
		subtitle: k.Title, height: 4 * vg.Inch,
		keys: []key{{"share still there", stepSwatch(curve.role)}, lineKey("one gap, 95% interval", each), {"what they leave to a curve that falls", areaSwatch}},
	}
	for _, p := range f.Points {
		c.Alt += fmt.Sprintf(" %s %d of %d (95%%: %s to %s);", units.FormatDuration(p.Asked), p.Kept, p.N, units.FormatShare(p.Lower), units.FormatShare(p.Upper))
	}
	c.body = func(dc draw.Canvas, t Theme) {
		p := newPlot(t)
		durationAxis(&p.X, low, high, true)
		p.X.Label.Text = "idle for"
		shareAxis(&p.Y, 0, 1, .25)
		p.Add(gridLines(t, true, true), plotter(func(c draw.Canvas, p *plot.Plot) { paintSurvival(c, p, t, f, curve, each) }))
		p.Draw(dc)
	}
	return []Chart{c}
}

// stepSwatch is a line that has no marks on it.
func stepSwatch(r role) func(draw.Canvas, Theme, vg.Point) {
	return func(c draw.Canvas, t Theme, at vg.Point) {
		c.StrokeLine2(draw.LineStyle{Color: t.color(r), Width: 2.2}, at.X-20, at.Y, at.X, at.Y)
	}
}

func paintSurvival(c draw.Canvas, p *plot.Plot, t Theme, f *keepalive.Finding, curve, each look) {
	x, y := p.Transforms(&c)
	at := func(d time.Duration) vg.Length { return x(float64(d)) }
	var marks vg.Path
	paintFalling(c, t, keepalive.Falling(f.Points), at, y)
	for _, o := range f.Points {
		c.StrokeLine2(draw.LineStyle{Color: t.color(each.role), Width: 1.1}, at(o.Asked), y(o.Lower), at(o.Asked), y(o.Upper))
		each.glyph.add(&marks, vg.Point{X: at(o.Asked), Y: y(o.Share)}, 3)
	}
	each.glyph.paint(c, t, each.role, marks)
	var line []vg.Point
	for _, s := range f.Steps {
		line = append(line, vg.Point{X: at(s.From), Y: y(s.Share)}, vg.Point{X: at(s.To), Y: y(s.Share)})
	}
	c.StrokeLines(draw.LineStyle{Color: t.color(curve.role), Width: 2.2}, line)
}

// paintFalling fills what a falling curve may be between the points' limits: an
// upper one holds up to the next gap, a lower one back to the one before.
func paintFalling(c draw.Canvas, t Theme, points []keepalive.Point, at func(time.Duration) vg.Length, share func(float64) vg.Length) {
	var upper, lower []vg.Point
	for i, p := range points {
		if i > 0 {
			before := points[i-1]
			upper = append(upper, vg.Point{X: at(p.Asked), Y: share(before.Upper)})
			lower = append(lower, vg.Point{X: at(before.Asked), Y: share(p.Lower)})
		}
		upper = append(upper, vg.Point{X: at(p.Asked), Y: share(p.Upper)})
		lower = append(lower, vg.Point{X: at(p.Asked), Y: share(p.Lower)})
	}
	paintBand(c, t, upper, lower)
}
