package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// label is what a point of a chart is called.
type label struct {
	at    vg.Point
	text  string
	first bool // it has the first choice of where it stands
}

const (
	labelHeight, labelGap, longestLabel = 11, 7, 170

	pointSize = 10
)

// write writes labels near their points, where there is room; off the lines, if
// that can be.
func write(c draw.Canvas, t Theme, labels []label, lines ...[]vg.Point) {
	sheet := &sheet{Canvas: c, lines: lines}
	for _, l := range labels {
		sheet.taken = append(sheet.taken, around(l.at, pointSize, pointSize))
	}
	sty := style(11, t.color(ink))
	for _, first := range []bool{true, false} {
		for _, l := range labels {
			if l.first != first {
				continue
			}
			text := fit(sty, l.text, longestLabel)
			room, ok := sheet.near(l.at, sty.Width(text))
			if !ok {
				continue
			}
			if end := closest(room, l.at); distance(end, l.at) > 2*labelGap {
				c.StrokeLine2(draw.LineStyle{Color: t.color(unknown), Width: .6}, l.at.X, l.at.Y, end.X, end.Y)
				sheet.lines = append(sheet.lines, []vg.Point{l.at, end})
			}
			c.FillText(sty, vg.Point{X: room.Min.X, Y: (room.Min.Y + room.Max.Y) / 2}, text)
			sheet.taken = append(sheet.taken, room)
		}
	}
}

// sheet is what labels find when they are written.
type sheet struct {
	draw.Canvas
	taken []vg.Rectangle // by points and labels
	lines [][]vg.Point
}

// near is the room for a label of some width as near to a point as there is any
// that no point and no other label takes: above right of it, below left, above
// left, below right, right, left, above, below; then the same farther off. It is
// off the lines unless there is no such room.
func (s *sheet) near(at vg.Point, width vg.Length) (vg.Rectangle, bool) {
	aside := width/2 + labelGap
	var crossed vg.Rectangle
	found := false
	for off := vg.Length(labelGap); off < 12*labelGap; off += 2 * labelGap {
		above := off + labelGap + 1
		for _, d := range []vg.Point{
			{X: aside, Y: off}, {X: -aside, Y: -off}, {X: -aside, Y: off}, {X: aside, Y: -off},
			{X: aside}, {X: -aside}, {Y: above}, {Y: -above},
		} {
			room := around(at.Add(d), width, labelHeight)
			switch {
			case !s.free(room):
			case s.clear(at, room):
				return room, true
			case !found:
				crossed, found = room, true
			}
		}
	}
	return crossed, found
}

// free says whether a label can be in a room at all.
func (s *sheet) free(room vg.Rectangle) bool {
	if room.Min.X < s.Min.X || room.Max.X > s.Max.X || room.Min.Y < s.Min.Y || room.Max.Y > s.Max.Y {
		return false
	}
	return !slices.ContainsFunc(s.taken, func(r vg.Rectangle) bool { return overlap(r, room) })
}

// clear says whether no line goes through a label's room, and the way from there
// to its point through nobody else's.
func (s *sheet) clear(at vg.Point, room vg.Rectangle) bool {
	for _, line := range s.lines {
		for i := 1; i < len(line); i++ {
			if crosses(line[i-1], line[i], room) {
				return false
			}
		}
	}
	end := closest(room, at)
	return !slices.ContainsFunc(s.taken, func(r vg.Rectangle) bool {
		return closest(r, at) != at && crosses(at, end, r) // not its own point's
	})
}

// around is the rectangle of some size about a point.
func around(at vg.Point, width, height vg.Length) vg.Rectangle {
	half := vg.Point{X: width / 2, Y: height / 2}
	return vg.Rectangle{Min: at.Sub(half), Max: at.Add(half)}
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// closest is the point of a rectangle that is closest to another one.
func closest(r vg.Rectangle, to vg.Point) vg.Point {
	return vg.Point{X: min(max(to.X, r.Min.X), r.Max.X), Y: min(max(to.Y, r.Min.Y), r.Max.Y)}
}

func distance(a, b vg.Point) vg.Length {
	return vg.Length(math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)))
}

// crosses says whether the straight line from a to b goes through a rectangle:
// of the shares of the way at which it is between the sides, and between top and
// bottom, some are the same (Liang and Barsky 1984).
func crosses(a, b vg.Point, r vg.Rectangle) bool {
	from, to := 0., 1.
	for _, side := range [][4]vg.Length{{a.X, b.X, r.Min.X, r.Max.X}, {a.Y, b.Y, r.Min.Y, r.Max.Y}} {
		start, way, low, high := float64(side[0]), float64(side[1]-side[0]), float64(side[2]), float64(side[3])
		if way == 0 {
			if start <= low || start >= high {
				return false
			}
			continue
		}
		enters, leaves := (low-start)/way, (high-start)/way
		from, to = max(from, min(enters, leaves)), min(to, max(enters, leaves))
	}
	return from < to
}
