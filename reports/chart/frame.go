package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	xfont "golang.org/x/image/font"
)

// The frame around every chart, in points.
const (
	margin      vg.Length = 14
	titleHeight vg.Length = 30
	keyHeight   vg.Length = 22
	keyGap      vg.Length = 22
)

// key is an entry of the legend; swatch draws it to the left of at.
type key struct {
	label  string
	swatch func(c draw.Canvas, t Theme, at vg.Point)
}

// swatchWidth is the room that a legend's swatch has.
const swatchWidth vg.Length = 26

func style(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		YAlign:  draw.YCenter,
		Handler: plot.DefaultTextHandler,
	}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

func right(s text.Style) text.Style {
	s.XAlign = draw.XRight
	return s
}

func centre(s text.Style) text.Style {
	s.XAlign = draw.XCenter
	return s
}

// fit cuts s to a width and marks the cut.
func fit(sty text.Style, s string, w vg.Length) string {
	if sty.Width(s) <= w {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if cut := string(runes[:n]) + "…"; sty.Width(cut) <= w {
			return cut
		}
	}
	return ""
}

// fitEnd is [fit] for words of which the end counts.
func fitEnd(sty text.Style, s string, w vg.Length) string {
	if sty.Width(s) <= w {
		return s
	}
	for runes := []rune(s); len(runes) > 1; {
		runes = runes[1:]
		if cut := "…" + string(runes); sty.Width(cut) <= w {
			return cut
		}
	}
	return ""
}

// paint draws background, title, legend and body.
func (c *Chart) paint(dc draw.Canvas, t Theme, title bool) {
	dc.SetColor(t.color(background))
	dc.Fill(dc.Rectangle.Path())
	dc = draw.Crop(dc, margin, -margin, margin/2, -margin/2)
	if title {
		c.paintTitle(dc, t)
		dc = draw.Crop(dc, 0, 0, 0, -titleHeight)
	}
	dc = draw.Crop(dc, 0, 0, 0, -paintKeys(dc, t, c.keys))
	c.body(dc, t)
}

func (c *Chart) paintTitle(dc draw.Canvas, t Theme) {
	y := dc.Max.Y - titleHeight/2
	head, sub := bold(style(15, t.color(ink))), right(style(11, t.color(faint)))
	dc.FillText(head, vg.Point{X: dc.Min.X, Y: y}, c.Title)
	room := dc.Max.X - dc.Min.X - head.Width(c.Title) - keyGap
	dc.FillText(sub, vg.Point{X: dc.Max.X, Y: y}, fit(sub, c.subtitle, room))
}

// paintKeys draws the legend above the data, where it covers none, in as many
// lines as it takes, and returns their height.
func paintKeys(dc draw.Canvas, t Theme, keys []key) vg.Length {
	if len(keys) == 0 {
		return 0
	}
	sty := style(11, t.color(ink))
	x, y := dc.Min.X, dc.Max.Y-keyHeight/2
	for _, k := range keys {
		label := fit(sty, k.label, dc.Max.X-dc.Min.X-swatchWidth)
		w := swatchWidth + sty.Width(label)
		if x > dc.Min.X && x+w > dc.Max.X {
			x, y = dc.Min.X, y-keyHeight
		}
		// Letters without descenders stand a little below the middle of their line.
		k.swatch(dc, t, vg.Point{X: x + swatchWidth - 6, Y: y - 1})
		dc.FillText(sty, vg.Point{X: x + swatchWidth, Y: y}, label)
		x += w + keyGap
	}
	return dc.Max.Y - y + keyHeight/2
}

// newPlot is an empty plot in the house style.
func newPlot(t Theme) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle = draw.LineStyle{Color: t.color(grid), Width: 1}
		a.Padding = 0
		a.Label.TextStyle = centre(style(11, t.color(faint)))
		a.Tick.LineStyle = draw.LineStyle{Color: t.color(grid), Width: 1}
		a.Tick.Length = 4
		a.Label.Padding = 4
	}
	p.X.Tick.Label = centre(style(11, t.color(ink)))
	p.X.Tick.Label.YAlign = draw.YTop
	p.X.Label.TextStyle.YAlign = draw.YBottom
	p.Y.Tick.Label = right(style(11, t.color(ink)))
	p.Y.Label.TextStyle.YAlign = draw.YBottom
	return p
}

// plotter makes a plot.Plotter of a function.
type plotter func(draw.Canvas, *plot.Plot)

// Plot implements plot.Plotter.
func (f plotter) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// gridLines draws a line at every labelled tick.
func gridLines(t Theme, x, y bool) plotter {
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		sty := draw.LineStyle{Color: t.color(grid), Width: .6}
		if x {
			for _, tick := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
				if !tick.IsMinor() {
					c.StrokeLine2(sty, toX(tick.Value), c.Min.Y, toX(tick.Value), c.Max.Y)
				}
			}
		}
		if y {
			for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
				if !tick.IsMinor() {
					c.StrokeLine2(sty, c.Min.X, toY(tick.Value), c.Max.X, toY(tick.Value))
				}
			}
		}
	}
}
