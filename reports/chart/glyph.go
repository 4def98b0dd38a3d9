package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// glyph is the shape of a dot. Shapes differ, not only colours.
type glyph int

const (
	dot glyph = iota
	triangle
	wedge // a triangle on its tip
	square
	diamond
	ring
	plus
	cross
)

// open says that the glyph is drawn by its outline.
func (g glyph) open() bool { return g == ring || g == plus || g == cross }

// add appends the glyph's outline to p. Glyphs of one colour share one path, which
// keeps an SVG of thousands of dots small.
func (g glyph) add(p *vg.Path, at vg.Point, r vg.Length) {
	corner := func(dx, dy vg.Length) vg.Point { return vg.Point{X: at.X + dx, Y: at.Y + dy} }
	polygon := func(first vg.Point, rest ...vg.Point) {
		p.Move(first)
		for _, c := range rest {
			p.Line(c)
		}
		p.Close()
	}
	switch g {
	case triangle:
		polygon(corner(0, 1.35*r), corner(1.2*r, -.8*r), corner(-1.2*r, -.8*r))
	case wedge:
		polygon(corner(0, -1.35*r), corner(-1.2*r, .8*r), corner(1.2*r, .8*r))
	case square:
		polygon(corner(-r, -r), corner(r, -r), corner(r, r), corner(-r, r))
	case diamond:
		polygon(corner(0, 1.35*r), corner(1.35*r, 0), corner(0, -1.35*r), corner(-1.35*r, 0))
	case plus:
		p.Move(corner(-r, 0))
		p.Line(corner(r, 0))
		p.Move(corner(0, -r))
		p.Line(corner(0, r))
	case cross:
		p.Move(corner(-r, -r))
		p.Line(corner(r, r))
		p.Move(corner(-r, r))
		p.Line(corner(r, -r))
	default: // dot, ring
		p.Move(corner(r, 0))
		p.Arc(at, r, 0, 2*math.Pi)
		p.Close()
	}
}

// paint draws a path of glyphs that was made with add.
func (g glyph) paint(c draw.Canvas, t Theme, r role, p vg.Path) {
	if len(p) == 0 {
		return
	}
	if !g.open() {
		c.SetColor(t.color(r))
		c.Fill(p)
		return
	}
	outline(c, t, r, p)
}

// outline strokes glyphs of one colour, which leaves closed ones hollow.
func outline(c draw.Canvas, t Theme, r role, p vg.Path) {
	if len(p) == 0 {
		return
	}
	c.SetColor(t.color(r))
	c.SetLineWidth(1.1)
	c.SetLineDash(nil, 0)
	c.Stroke(p)
}
