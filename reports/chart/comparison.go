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

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// baseLook is how what was looks.
func baseLook() look { return look{unknown, ring, []vg.Length{6, 3}} }

// headLook is how what is judged looks.
func headLook() look { return look{cold, dot, nil} }

// Comparison draws up the charts of a comparison, those that have data, in the
// order to be shown.
func Comparison(c *reports.Comparison) []Chart {
	var out []Chart
	for i := range c.Document.Shifts {
		out = append(out, shift(&c.Document.Shifts[i]))
	}
	for i := range c.Document.Findings {
		if f := &c.Document.Findings[i]; len(f.Pairs) > 0 && metric.Metric(f.Metric).Unit() == metric.Duration {
			out = append(out, slopes(f))
		}
	}
	for _, curves := range c.Curves {
		out = append(out, sides(curves))
	}
	for _, t := range c.Trends {
		if trend, ok := Trend(t); ok {
			trend.Name = "trend-" + fileWord(t.Rule.Subject())
			out = append(out, trend)
		}
	}
	for i := range out {
		out[i].subtitle = c.Title
	}
	return out
}

// shift is the difference of the quantiles, decile by decile, with its band.
func shift(s *comparison.Shift) Chart {
	low, high := 0.0, 0.0
	for _, d := range s.Deciles {
		for _, v := range []*float64{&d.Change, d.Lower, d.Upper} {
			if v != nil {
				low, high = min(low, *v), max(high, *v)
			}
		}
	}
	middle := s.Deciles[len(s.Deciles)/2]
	return Chart{
		Name: "shift-" + s.Start, Title: "How much slower, from the fastest to the slowest: " + s.Start,
		Caption: fmt.Sprintf("Head's latency against base's at each decile of a run, estimated over %s, with 95%% limits at each decile. "+
			"Above the line head is slower; a band that holds the line shows no difference there.", s.Over()),
		Alt: fmt.Sprintf("Change of %s latency by decile: %+.1f%% at the fastest tenth, %+.1f%% at the median, %+.1f%% at the slowest.",
			s.Start, 100*s.Deciles[0].Change, 100*middle.Change, 100*s.Deciles[len(s.Deciles)-1].Change),
		height: 3.6 * vg.Inch,
		keys:   []key{lineKey("head against base", headLook()), {"95% limits", areaSwatch}},
		body: func(dc draw.Canvas, t Theme) {
			p := newPlot(t)
			p.X.Label.Text, p.Y.Label.Text = "percentile of a run", "change of latency"
			shareAxis(&p.X, .1, .9, .1)
			changeAxis(&p.Y, low, high)
			p.Add(gridLines(t, false, true), plotter(func(c draw.Canvas, p *plot.Plot) { paintShift(c, p, t, s) }))
			p.Draw(dc)
		},
	}
}

func areaSwatch(c draw.Canvas, t Theme, at vg.Point) {
	c.SetColor(t.color(area))
	c.Fill(vg.Rectangle{Min: vg.Point{X: at.X - 20, Y: at.Y - 5}, Max: vg.Point{X: at.X, Y: at.Y + 5}}.Path())
}

func paintShift(c draw.Canvas, p *plot.Plot, t Theme, s *comparison.Shift) {
	x, y := p.Transforms(&c)
	var line, upper, lower []vg.Point
	for _, d := range s.Deciles {
		line = append(line, vg.Point{X: x(d.Share), Y: y(d.Change)})
		if d.Lower != nil && d.Upper != nil {
			upper = append(upper, vg.Point{X: x(d.Share), Y: y(*d.Upper)})
			lower = append(lower, vg.Point{X: x(d.Share), Y: y(*d.Lower)})
		}
	}
	paintBand(c, t, upper, lower)
	c.StrokeLine2(draw.LineStyle{Color: t.color(ink), Width: 1}, c.Min.X, y(0), c.Max.X, y(0))
	c.StrokeLines(draw.LineStyle{Color: t.color(headLook().role), Width: 2.2}, line)
	var marks vg.Path
	for _, at := range line {
		headLook().glyph.add(&marks, at, 3)
	}
	headLook().glyph.paint(c, t, headLook().role, marks)
}

// paintBand fills what lies between two lines, from left to right each.
func paintBand(c draw.Canvas, t Theme, upper, lower []vg.Point) {
	if len(upper) == 0 {
		return
	}
	around := slices.Clone(upper)
	for _, at := range slices.Backward(lower) {
		around = append(around, at)
	}
	c.FillPolygon(t.color(area), around)
}

// shareAxis labels shares from low to high in percent.
func shareAxis(a *plot.Axis, low, high, step float64) {
	var ticks plot.ConstantTicks
	for i := 0; low+float64(i)*step <= high*1.0001; i++ {
		v := low + float64(i)*step
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.0f%%", 100*v)})
	}
	a.Min, a.Max, a.Tick.Marker = low-step/2, high+step/2, ticks
}

// changeAxis labels changes in percent, with their sign; 0 is always on it.
func changeAxis(a *plot.Axis, low, high float64) {
	step := niceFloat(max(high-low, .02))
	a.Min, a.Max = math.Floor(low/step)*step, math.Ceil(high/step)*step
	if a.Min == a.Max {
		a.Min, a.Max = -step, step
	}
	var ticks plot.ConstantTicks
	for i := 0; a.Min+float64(i)*step <= a.Max+step/2; i++ {
		v := a.Min + float64(i)*step
		label := "0%"
		if math.Abs(v) > step/2 {
			label = fmt.Sprintf("%+.3g%%", 100*v)
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	a.Tick.Marker = ticks
}

// slopes joins base's and head's figure of each pair.
func slopes(f *comparison.Finding) Chart {
	low, high, up := time.Duration(math.MaxInt64), time.Duration(0), 0
	for _, pair := range f.Pairs {
		for _, v := range pair {
			low, high = min(low, time.Duration(v)), max(high, time.Duration(v))
		}
		if pair[1] > pair[0] {
			up++
		}
	}
	return Chart{
		Name: "pairs-" + fileWord(f.Subject()), Title: f.Subject() + ", pair by pair",
		Caption: fmt.Sprintf("Each line is a pair of runs, one right after the other: base's figure on the left, head's on the right. "+
			"Head's is the higher in %d of %d. Where lines lie is the machine; how they lean is the change.", up, len(f.Pairs)),
		Alt:    fmt.Sprintf("%s of %s: head's is higher in %d.", f.Subject(), units.FormatNoun(len(f.Pairs), "pair"), up),
		height: 3.8 * vg.Inch,
		keys:   []key{lineKey("head is slower", headLook()), lineKey("head is faster", baseLook())},
		body: func(dc draw.Canvas, t Theme) {
			p := newPlot(t)
			p.X.Min, p.X.Max = -.35, 1.35
			p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "base"}, {Value: 1, Label: "head"}}
			closeAxis(&p.Y, low, high)
			p.Add(gridLines(t, false, true), plotter(func(c draw.Canvas, p *plot.Plot) { paintSlopes(c, p, t, f.Pairs) }))
			p.Draw(dc)
		},
	}
}

// fileWord is a figure's name as a part of a file's.
func fileWord(subject string) string {
	return strings.NewReplacer(".", "-", " ", "-", "/", "-").Replace(subject)
}

// closeAxis shows durations from low to high and nothing below, as slopes are
// about differences.
func closeAxis(a *plot.Axis, low, high time.Duration) {
	step := max(niceStep(max(high-low, high/50)), 1)
	a.Min, a.Max = float64(low/step*step), float64((high+step-1)/step*step)
	var ticks plot.ConstantTicks
	for v := time.Duration(a.Min); float64(v) <= a.Max; v += step {
		ticks = append(ticks, plot.Tick{Value: float64(v), Label: tickLabel(v)})
	}
	a.Tick.Marker = ticks
}

func paintSlopes(c draw.Canvas, p *plot.Plot, t Theme, pairs [][2]float64) {
	x, y := p.Transforms(&c)
	for _, pair := range pairs {
		l := baseLook()
		if pair[1] > pair[0] {
			l = headLook()
		}
		from, to := vg.Point{X: x(0), Y: y(pair[0])}, vg.Point{X: x(1), Y: y(pair[1])}
		c.StrokeLine2(draw.LineStyle{Color: t.color(l.role), Width: 1.4, Dashes: l.dash}, from.X, from.Y, to.X, to.Y)
		var marks vg.Path
		l.glyph.add(&marks, from, 3)
		l.glyph.add(&marks, to, 3)
		l.glyph.paint(c, t, l.role, marks)
	}
}

// sides are both sides' percentile plots, all runs together.
func sides(c reports.Overlay) Chart {
	chart := overlaid(overlay{"base", c.Base, baseLook()}, overlay{"head", c.Head, headLook()})
	chart.Name, chart.Title = "percentiles-"+c.Start.String(), "Latency by percentile: "+c.Start.String()
	chart.Caption = "All requests of a side together, of the runs that a verdict on the median rests on. To look at, not to judge by: requests of one run have much in common. " +
		"A thin line goes beyond what the number of requests can support."
	chart.Alt = fmt.Sprintf("Latency of %s requests by percentile, %s of base and %s of head.", c.Start, units.FormatCount(c.Base.N), units.FormatCount(c.Head.N))
	return chart
}

// overlay is a distribution among others in one plot. It is not empty.
type overlay struct {
	name string
	reports.Distribution
	look look
}

// overlaid is a percentile plot of several distributions, without its words.
func overlaid(all ...overlay) Chart {
	c := Chart{height: 4.2 * vg.Inch}
	nines := 10.0
	var shown []reports.Distribution
	for _, o := range all {
		shown = append(shown, o.Distribution)
		nines = max(nines, 1/(1-o.Curve[len(o.Curve)-1].Share))
		c.keys = append(c.keys, lineKey(fmt.Sprintf("%s (%s)", o.name, units.FormatCount(o.N)), o.look))
	}
	low, high, _ := latencies(shown)
	c.body = func(dc draw.Canvas, t Theme) {
		p := newPlot(t)
		percentileAxis(&p.X, nines)
		durationAxis(&p.Y, low, high, high/low >= spread)
		p.Y.Label.Text = "latency"
		p.Add(gridLines(t, true, true))
		for _, o := range all {
			p.Add(curveAs(t, o.Distribution, o.look))
		}
		p.Draw(dc)
	}
	return c
}
