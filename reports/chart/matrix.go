package chart

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Matrix draws up the charts of what was measured on several platforms, those
// that have data, in the order to be shown.
func Matrix(m *reports.Matrix) []Chart {
	var out []Chart
	if waits, ok := waitsByPlatform(m.Lines); ok {
		out = append(out, waits)
	}
	if starts, ok := breakdown(startsByPlatform(m), nil); ok {
		out = append(out, starts)
	}
	for _, b := range m.Curves {
		out = append(out, bundled(b))
	}
	for i := range out {
		out[i].subtitle = m.Title
	}
	return out
}

// startsByPlatform are the lines in the shape of a run's groups, named by their
// platforms.
func startsByPlatform(m *reports.Matrix) *summary.Run {
	run := &summary.Run{}
	for _, l := range m.Lines {
		g := l.Group
		g.Function, g.Tier = lineName(m.Lines, &l), ""
		run.Groups = append(run.Groups, g)
	}
	return run
}

// lineName is a line's platform, with the function where there are several.
func lineName(lines []reports.MatrixLine, l *reports.MatrixLine) string {
	for i := range lines {
		if lines[i].Function != l.Function {
			return l.Platform + ", " + l.Function
		}
	}
	return l.Platform
}

const (
	mostWaits           = 24 // of one chart; the table has the rest
	waitRow   vg.Length = 30
)

// waitsByPlatform shows the median with its interval for each platform and
// start kind, and each run's median beside.
func waitsByPlatform(all []reports.MatrixLine) (Chart, bool) {
	var lines []reports.MatrixLine
	for _, l := range all {
		if l.Latency.P50 != nil {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return Chart{}, false
	}
	c := Chart{
		Name: "platforms", Title: "What callers wait, platform by platform",
		Caption: "The median of each platform and start kind with its 95% interval, all runs together; the small lines are the runs' own medians. " +
			"Where those lie far apart, the platform or the machine varies more than requests of one run do.",
		Alt: "Median latency:", keys: []key{lineKey("median, 95% interval", lookOf(sample.Cold)), {"median of a run", tickSwatch}},
	}
	if n := len(lines); n > mostWaits {
		c.Caption += fmt.Sprintf(" The first %d of %d are shown.", mostWaits, n)
		lines = lines[:mostWaits]
	}
	c.height = titleHeight + keyHeight + 56 + waitRow*vg.Length(len(lines))
	low, high := int64(math.MaxInt64), int64(1)
	for i := range lines {
		l := &lines[i]
		for _, v := range waitValues(l) {
			low, high = min(low, max(v, 1)), max(high, v)
		}
		c.Alt += fmt.Sprintf(" %s, %s %s;", lineName(lines, l), l.Kind, units.FormatDuration(time.Duration(*l.Latency.P50)))
	}
	c.body = func(dc draw.Canvas, t Theme) {
		p := newPlot(t)
		durationAxis(&p.X, time.Duration(low), time.Duration(high), high/low >= spread)
		p.X.Label.Text = "latency"
		p.HideY()
		p.Y.Min, p.Y.Max = 0, float64(len(lines))
		p.Add(gridLines(t, true, false))
		for i := range lines {
			p.Add(waitLine(t, lineName(all, &lines[i]), &lines[i], float64(len(lines)-1-i)+.5))
		}
		p.Draw(draw.Crop(dc, stackLabel, -stackTotal, 0, 0))
	}
	return c, true
}

// waitValues are the values that a line shows.
func waitValues(l *reports.MatrixLine) []int64 {
	values := []int64{*l.Latency.P50}
	if i := l.Interval.P50; i != nil {
		values = append(values, i[0], i[1])
	}
	for _, m := range l.Medians {
		if m != nil {
			values = append(values, *m)
		}
	}
	return values
}

func tickSwatch(c draw.Canvas, t Theme, at vg.Point) {
	c.StrokeLine2(draw.LineStyle{Color: t.color(ink), Width: 1.2}, at.X-10, at.Y-5, at.X-10, at.Y+5)
}

// waitLine draws one line of a platform: interval, median, and what it is.
func waitLine(t Theme, name string, l *reports.MatrixLine, height float64) plotter {
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		start, err := sample.ParseStart(l.Start)
		if err != nil {
			start = sample.Unknown
		}
		look, y := lookOf(start), toY(height)
		at := vg.Point{X: toX(float64(*l.Latency.P50)), Y: y}
		end := at.X
		if i := l.Interval.P50; i != nil {
			end = max(end, toX(float64(i[1])))
			c.StrokeLine2(draw.LineStyle{Color: t.color(look.role), Width: 2.2}, toX(float64(i[0])), y, toX(float64(i[1])), y)
		}
		for _, m := range l.Medians {
			if m != nil {
				x := toX(float64(*m))
				end = max(end, x)
				c.StrokeLine2(draw.LineStyle{Color: t.color(ink), Width: 1.2}, x, y-6, x, y+6)
			}
		}
		var mark vg.Path
		look.glyph.add(&mark, at, 4.5)
		look.glyph.paint(c, t, look.role, mark)
		label, small := style(11, t.color(ink)), style(10, t.color(faint))
		left, count := c.Min.X-stackLabel, "n = "+units.FormatCount(l.N)
		c.FillText(right(small), vg.Point{X: c.Min.X - 10, Y: y}, count)
		c.FillText(label, vg.Point{X: left, Y: y}, fit(label, name+", "+l.Kind, stackLabel-small.Width(count)-24))
		c.FillText(bold(style(11, t.color(ink))), vg.Point{X: end + 8, Y: y}, units.FormatDuration(time.Duration(*l.Latency.P50)))
	}
}

// bundled is the percentile plot of one start kind on each platform.
func bundled(b reports.Bundle) Chart {
	looks := []look{lookOf(sample.Cold), lookOf(sample.Warm), lookOf(sample.Restored), lookOf(sample.Prewarmed), lookOf(sample.Queued), lookOf(sample.Provisioned)}
	var all []overlay
	for i, name := range b.Platforms {
		all = append(all, overlay{name, b.Latencies[i], looks[i%len(looks)]})
	}
	c := overlaid(all...)
	c.Name, c.Title = "percentiles-"+b.Start.String(), "Latency by percentile, platform by platform: "+b.Start.String()
	c.Caption = "All requests of this start kind, all runs of a platform together. A thin line goes beyond what the number of requests can support."
	c.Alt = fmt.Sprintf("Latency of %s requests by percentile on %s.", b.Start, strings.Join(b.Platforms, ", "))
	return c
}
