package chart

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Curves draws what options cost over an axis, what their bills are made of at
// one place of it, and their cost against their response time there.
func Curves(c reports.Curves) []Chart {
	out := []Chart{curveChart(c)}
	for _, draw := range []func(reports.Curves) (Chart, bool){shareChart, paretoChart} {
		if chart, ok := draw(c); ok {
			out = append(out, chart)
		}
	}
	return out
}

// curveLook tells options apart: colour, dash and glyph.
func curveLook(i int) look {
	kinds := []sample.Start{sample.Warm, sample.Cold, sample.Restored, sample.Queued, sample.Prewarmed, sample.Provisioned, sample.Unknown}
	l := lookOf(kinds[i%len(kinds)])
	if i == 0 {
		l.dash = nil // the option that the others are set against
	}
	return l
}

func curveKeys(c reports.Curves) []key {
	var keys []key
	for i, s := range c.Series {
		l := curveLook(i)
		keys = append(keys, key{s.Option, func(dc draw.Canvas, t Theme, at vg.Point) {
			dc.StrokeLine2(draw.LineStyle{Color: t.color(l.role), Width: 1.8, Dashes: l.dash}, at.X-20, at.Y, at.X, at.Y)
		}})
	}
	return keys
}

func curveChart(c reports.Curves) Chart {
	return Chart{
		Name: "curve", Title: "What a month costs",
		Caption: "Both axes are logarithmic. A ring is where one option becomes cheaper than another; a line that ends cannot go on.",
		Alt:     strings.Join(c.Answer(), " "), subtitle: "over " + c.Axis(), height: 5.4 * vg.Inch,
		keys: append(curveKeys(c), key{"break-even", func(dc draw.Canvas, t Theme, at vg.Point) { ringAt(dc, t, at.Add(vg.Point{X: -8})) }}),
		body: func(dc draw.Canvas, t Theme) { curvePlot(c, t).Draw(dc) },
	}
}

// curvePlot is the plot of a curve chart: its axes and everything on them.
func curvePlot(c reports.Curves, t Theme) *plot.Plot {
	p := newPlot(t)
	p.X.Label.Text, p.Y.Label.Text = c.Axis(), "US dollars a month"
	low, high := math.Inf(1), 0.
	for _, s := range c.Series {
		for _, point := range s.Points {
			if point.Err == nil && point.Total > 0 {
				low, high = min(low, dollarsOf(point.Total)), max(high, dollarsOf(point.Total))
			}
		}
	}
	if high == 0 {
		low, high = .1, 1
	}
	p.X.Scale, p.Y.Scale = logScale{}, logScale{}
	p.X.Min, p.X.Max = c.From, c.To
	p.Y.Min, p.Y.Max = max(low/1.25, high/1e7), high*1.6
	p.X.Tick.Marker = decadesOf(c.From, c.To*1.0001, c.Place)
	if c.Over == study.OverMemory {
		p.X.Tick.Marker = doubles(c.From, c.To, c.Place)
	}
	p.Y.Tick.Marker = decadesOf(p.Y.Min, p.Y.Max, func(v float64) string { return "$" + short(v) })
	p.Add(gridLines(t, true, true), plotter(func(dc draw.Canvas, p *plot.Plot) { paintCurves(dc, p, c, t) }))
	return p
}

// doubles puts a tick at each doubling, as sizes of memory go.
func doubles(from, to float64, label func(float64) string) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for v := math.Exp2(math.Ceil(math.Log2(from))); v <= to; v *= 2 {
		ticks = append(ticks, plot.Tick{Value: v, Label: label(v)})
	}
	return ticks
}

func dollarsOf(m units.Money) float64 { return float64(m) / 1e9 }

func paintCurves(dc draw.Canvas, p *plot.Plot, c reports.Curves, t Theme) {
	x, y := p.Transforms(&dc)
	for i := len(c.Series) - 1; i >= 0; i-- { // the first on top
		l := curveLook(i)
		line := draw.LineStyle{Color: t.color(l.role), Width: 1.8, Dashes: l.dash}
		var part []vg.Point
		for _, point := range c.Series[i].Points {
			if point.Err == nil {
				part = append(part, vg.Point{X: x(point.X), Y: y(dollarsOf(point.Total))})
				continue
			}
			dc.StrokeLines(line, part)
			part = nil
		}
		dc.StrokeLines(line, part)
	}
	var lines []string
	for _, b := range c.Breakevens() {
		ringAt(dc, t, vg.Point{X: x(b.X), Y: y(dollarsOf(b.After[1]))})
		if b.Cheapest {
			lines = append(lines, fmt.Sprintf("above %s: %s", c.Place(b.X), reports.Instances(b.Between[1], b.Instances[1], b.Instances[1])))
		}
	}
	paintCorner(dc, t, lines)
}

// mostCorner is how many lines the corner below the curves has room for.
const mostCorner = 6

// paintCorner writes which option is the cheapest from where on into the corner
// that rising curves leave.
func paintCorner(dc draw.Canvas, t Theme, lines []string) {
	if len(lines) == 0 {
		return
	}
	if hidden := len(lines) - mostCorner; hidden > 0 {
		lines = append(lines[:mostCorner:mostCorner], fmt.Sprintf("and %d more", hidden))
	}
	lines = append([]string{"cheapest of all"}, lines...)
	sty := right(style(11, t.color(ink)))
	for i, line := range lines {
		text := sty
		if i == 0 {
			text = bold(sty)
		}
		dc.FillText(text, vg.Point{X: dc.Max.X - 10, Y: dc.Min.Y + 15*vg.Length(len(lines)-i)}, line)
	}
}

func ringAt(dc draw.Canvas, t Theme, at vg.Point) {
	dc.DrawGlyph(draw.GlyphStyle{Color: t.color(ink), Radius: 4.5, Shape: draw.RingGlyph{}}, at)
}

// shareRole is a bill's part in colour.
func shareRole(s cost.Share) role {
	return map[cost.Share]role{
		cost.ShareRequests: partProvision, cost.ShareDuration: partHandler, cost.ShareGateway: partQueue,
		cost.ShareTransfer: partTrigger, cost.ShareIdle: partRest,
	}[s]
}

// bar is an option's bill at a place.
type bar struct {
	label  string
	total  units.Money
	shares map[cost.Share]units.Money
}

func shareChart(c reports.Curves) (Chart, bool) {
	var bars []bar
	for i, s := range c.Series {
		if p := c.Here[i]; p.Err == nil {
			bars = append(bars, bar{reports.Instances(s.Option, p.Instances, p.Instances), p.Total, p.Shares})
		}
	}
	return barChart("shares", "What the bill is made of", "at "+c.Name(c.At), bars)
}

// barChart is bills side by side, each made of its shares; false where all are 0.
// When is what they are of: "at 10 requests/s".
func barChart(name, title, when string, bars []bar) (Chart, bool) {
	most := units.Money(0)
	var words []string
	for _, b := range bars {
		most = max(most, b.total)
		words = append(words, fmt.Sprintf("%s %v", b.label, b.total))
	}
	if most == 0 {
		return Chart{}, false
	}
	var keys []key
	for _, share := range cost.Shares() {
		if slices.ContainsFunc(bars, func(b bar) bool { return b.shares[share] > 0 }) {
			keys = append(keys, key{string(share), func(dc draw.Canvas, t Theme, at vg.Point) {
				fillBox(dc, t, shareRole(share), at.X-16, at.X-2, at.Y-4, at.Y+5)
			}})
		}
	}
	when = "a month " + when
	return Chart{
		Name: name, Title: title, Caption: strings.ToUpper(when[:1]) + when[1:] + ".",
		Alt: strings.ToUpper(when[:1]) + when[1:] + ": " + strings.Join(words, ", ") + ".", subtitle: when,
		height: titleHeight + 2*keyHeight + 34*vg.Length(len(bars)), keys: keys,
		body: func(dc draw.Canvas, t Theme) { paintBars(dc, t, bars, most) },
	}, true
}

// Bills draws what each of several bills is made of.
func Bills(c *reports.Cost) []Chart {
	var bars []bar
	for _, p := range c.Ranked() {
		bars = append(bars, bar{p.Option, p.Bill.Total, p.Bill.ByShare()})
	}
	if one, ok := barChart("bills", "What the bill is made of", "of "+c.Work(), bars); ok {
		return []Chart{one}
	}
	return nil
}

// Outlook draws what each option's bill is made of in each situation.
func Outlook(o reports.Outlook) []Chart {
	var out []Chart
	for i := range o.Cases {
		k := &o.Cases[i]
		var bars []bar
		for j := range k.Served {
			if s := &k.Served[j]; s.Err == nil {
				bars = append(bars, bar{o.Label(s), s.Bill.Total, s.Bill.ByShare()})
			}
		}
		if one, ok := barChart("situation-"+k.Name, "With "+k.Title, "with "+k.Title, bars); ok {
			out = append(out, one)
		}
	}
	return out
}

func fillBox(dc draw.Canvas, t Theme, r role, x0, x1, y0, y1 vg.Length) {
	dc.SetColor(t.color(r))
	dc.Fill(vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}.Path())
}

func paintBars(dc draw.Canvas, t Theme, bars []bar, most units.Money) {
	const names, sums, row = 230, 80, 34
	label, sum := style(11, t.color(ink)), style(11, t.color(ink))
	left, right := dc.Min.X+names, dc.Max.X-sums
	for i, b := range bars {
		y := dc.Max.Y - row*vg.Length(i) - row/2
		dc.FillText(label, vg.Point{X: dc.Min.X, Y: y}, fit(label, b.label, names-10))
		x := left
		for _, share := range cost.Shares() {
			w := (right - left) * vg.Length(float64(b.shares[share])/float64(most))
			fillBox(dc, t, shareRole(share), x, x+w, y-11, y+11)
			x += w
		}
		dc.FillText(sum, vg.Point{X: x + 6, Y: y}, b.total.String())
	}
}

func paretoChart(c reports.Curves) (Chart, bool) {
	if len(c.Tradeoffs) < 2 {
		return Chart{}, false
	}
	place := c.Name(c.At)
	var front []string
	for _, t := range c.Tradeoffs {
		if t.Front {
			front = append(front, fmt.Sprintf("%s %v at %s", reports.Instances(t.Option, t.Instances, t.Instances), t.Money(), units.FormatDuration(time.Duration(t.Response))))
		}
	}
	return Chart{
		Name: "pareto", Title: "Cost against " + c.Quantile(),
		Caption: "At " + place + ", with the fewest instances that hold the target and with up to 8 more. Down and left is better; full marks, joined by a line, are what nothing else beats in both.",
		Alt:     "On the front: " + strings.Join(front, ", ") + ".", subtitle: "at " + place, height: 4.6 * vg.Inch, keys: curveKeys(c),
		body: func(dc draw.Canvas, t Theme) { paretoPlot(c, t).Draw(dc) },
	}, true
}

func paretoPlot(c reports.Curves, t Theme) *plot.Plot {
	p := newPlot(t)
	p.X.Label.Text, p.Y.Label.Text = "US dollars a month", c.Quantile()+" response time"
	cheap, dear := math.Inf(1), 0.
	fast, slow := time.Duration(math.MaxInt64), time.Duration(0)
	for _, o := range c.Tradeoffs {
		cheap, dear = min(cheap, dollarsOf(o.Money())), max(dear, dollarsOf(o.Money()))
		fast, slow = min(fast, time.Duration(o.Response)), max(slow, time.Duration(o.Response))
	}
	cheap = max(cheap, dear/1e7, 1e-9)
	p.X.Scale = logScale{}
	p.X.Min, p.X.Max = cheap/1.25, max(dear, cheap)*1.25
	p.X.Tick.Marker = decadesOf(p.X.Min, p.X.Max, func(v float64) string { return "$" + short(v) })
	durationAxis(&p.Y, fast, slow, slow > spread*fast)
	p.Add(gridLines(t, true, true), plotter(func(dc draw.Canvas, p *plot.Plot) { paintPareto(dc, p, c, t) }))
	return p
}

func paintPareto(dc draw.Canvas, p *plot.Plot, c reports.Curves, t Theme) {
	x, y := p.Transforms(&dc)
	at := func(o *study.Tradeoff) vg.Point {
		return vg.Point{X: x(dollarsOf(o.Money())), Y: y(float64(o.Response))}
	}
	var front []vg.Point
	for i := range c.Tradeoffs {
		if c.Tradeoffs[i].Front {
			front = append(front, at(&c.Tradeoffs[i]))
		}
	}
	slices.SortFunc(front, func(a, b vg.Point) int { return int(math.Copysign(1, float64(a.X-b.X))) })
	dc.StrokeLines(draw.LineStyle{Color: t.color(faint), Width: 1}, front)
	for k, s := range c.Series {
		l := curveLook(k)
		var full, hollow vg.Path
		for i := range c.Tradeoffs {
			switch o := &c.Tradeoffs[i]; {
			case o.Option != s.Option:
			case o.Front:
				l.glyph.add(&full, at(o), 5)
			default:
				l.glyph.add(&hollow, at(o), 4)
			}
		}
		l.glyph.paint(dc, t, l.role, full)
		outline(dc, t, l.role, hollow)
	}
	labelTradeoffs(dc, t, c.Tradeoffs, at)
}

// labelTradeoffs names the points, those of the front first.
func labelTradeoffs(dc draw.Canvas, t Theme, list []study.Tradeoff, at func(*study.Tradeoff) vg.Point) {
	labels := make([]label, len(list))
	for i := range list {
		o := &list[i]
		labels[i] = label{at: at(o), text: o.Option, first: o.Front}
		if o.Instances > 0 {
			labels[i].text = fmt.Sprintf("%d x %s", o.Instances, path.Base(o.Option))
		}
	}
	write(dc, t, labels)
}
