package chart

import (
	"fmt"
	"html"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/reports"
)

// InlineCurve is the curve chart for a page, over which a pointer shows the
// exact values of the place that it is at: elements of class spot, whose tip the
// page's style sheet shows while the pointer is over them. It has no script.
func InlineCurve(c reports.Curves) string {
	var h hover
	chart := curveChart(c)
	chart.body = func(dc draw.Canvas, t Theme) {
		p := curvePlot(c, t)
		p.Add(plotter(func(dc draw.Canvas, p *plot.Plot) { h = hoverOf(dc, p, c) }))
		p.Draw(dc)
	}
	svg := strings.TrimSuffix(strings.TrimSpace(chart.Inline()), "</svg>")
	var b strings.Builder
	b.WriteString(svg)
	for i := range h.x {
		h.spot(&b, c, i, chart.bodyHeight())
	}
	b.WriteString("</svg>")
	return b.String()
}

// hover is where the plot has put its places.
type hover struct {
	x    []vg.Length
	area vg.Rectangle
}

func hoverOf(dc draw.Canvas, p *plot.Plot, c reports.Curves) hover {
	x, _ := p.Transforms(&dc)
	h := hover{area: dc.Rectangle}
	for _, point := range c.Series[0].Points {
		h.x = append(h.x, x(point.X))
	}
	return h
}

// The tip's lines, in points.
const (
	tipWidth = 250
	tipLine  = 15
)

// spot writes one place: a strip that the pointer meets, and what it shows.
func (h hover) spot(b *strings.Builder, c reports.Curves, i int, height vg.Length) {
	left, right := h.area.Min.X, h.area.Max.X
	if i > 0 {
		left = (h.x[i-1] + h.x[i]) / 2
	}
	if i < len(h.x)-1 {
		right = (h.x[i] + h.x[i+1]) / 2
	}
	top := (height - h.area.Max.Y).Points()
	tall := (h.area.Max.Y - h.area.Min.Y).Points()
	lines := tipLines(c, i)
	at := h.x[i].Points() + 8
	if at+tipWidth > h.area.Max.X.Points() {
		at = h.x[i].Points() - 8 - tipWidth
	}
	fmt.Fprintf(b, `<g class="spot"><rect class="strip" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, left.Points(), top, (right - left).Points(), tall)
	fmt.Fprintf(b, `<g class="tip"><line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, h.x[i].Points(), h.x[i].Points(), top, top+tall)
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%d" height="%d" rx="3"/>`, at, top+6, tipWidth, tipLine*len(lines)+8)
	for k, line := range lines {
		class := ""
		if k == 0 {
			class = ` class="head"`
		}
		fmt.Fprintf(b, `<text%s x="%.1f" y="%.1f">%s</text>`, class, at+8, top+6+float64(tipLine*(k+1)), html.EscapeString(line))
	}
	b.WriteString("</g></g>")
}

// tipLines are what all options cost at a place.
func tipLines(c reports.Curves, i int) []string {
	lines := []string{c.Name(c.Series[0].Points[i].X)}
	for _, s := range c.Series {
		p := s.Points[i]
		if p.Err != nil {
			lines = append(lines, s.Option+": cannot do it")
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: $%s", reports.Instances(s.Option, p.Instances, p.Instances), p.Total.Cents().USD()))
	}
	return lines
}
