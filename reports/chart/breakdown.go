package chart

import (
	"fmt"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

const (
	mostStacks           = 16 // of one chart; the table has the rest
	stackRow   vg.Length = 34
	stackLabel vg.Length = 190
	stackTotal vg.Length = 66
)

// part is one section of a stack.
type part struct {
	name string
	role role
	mean time.Duration
}

// stack is the mean request of one group that waited for a start, taken apart.
type stack struct {
	label string
	n     uint64
	parts []part
	total time.Duration
}

// breakdown is the mean request of each group that waited for a start as a
// stacked bar.
func breakdown(run *summary.Run, _ *reports.Run) (Chart, bool) {
	stacks := stacksOf(run)
	if len(stacks) == 0 {
		return Chart{}, false
	}
	caption := "The mean request that waited for a start or a trigger, taken apart by what the platform tells. The rest is what remains of the time that it took: network and front end."
	if n := len(stacks); n > mostStacks {
		caption += fmt.Sprintf(" The first %d of %d are shown.", mostStacks, n)
		stacks = stacks[:mostStacks]
	}
	c := Chart{
		Name:    "cold-start",
		Title:   "Starts taken apart",
		Caption: caption,
		Alt:     "Mean starts:",
		height:  titleHeight + keyHeight + 56 + stackRow*vg.Length(len(stacks)),
	}
	var high time.Duration
	used := map[string]bool{}
	for _, s := range stacks {
		high = max(high, s.total)
		c.Alt += fmt.Sprintf(" %s %s:", s.label, units.FormatDuration(s.total))
		for _, p := range s.parts {
			used[p.name] = true
			c.Alt += fmt.Sprintf(" %s %s,", p.name, units.FormatDuration(p.mean))
		}
	}
	for _, p := range partsOf(summary.Breakdown{}) {
		if used[p.name] {
			c.keys = append(c.keys, boxKey(p.name, p.role))
		}
	}
	c.body = func(dc draw.Canvas, t Theme) {
		p := newPlot(t)
		durationAxis(&p.X, 0, high, false)
		p.X.Label.Text = "mean"
		p.HideY()
		p.Y.Min, p.Y.Max = 0, float64(len(stacks))
		p.Add(gridLines(t, true, false))
		for i, s := range stacks {
			p.Add(s.bar(t, float64(len(stacks)-1-i)))
		}
		p.Draw(draw.Crop(dc, stackLabel, -stackTotal, 0, 0))
	}
	return c, true
}

func stacksOf(run *summary.Run) []stack {
	phases, functions := map[string]bool{}, map[string]bool{}
	for _, g := range run.Groups {
		phases[g.Phase], functions[g.Function] = true, true
	}
	var out []stack
	for _, g := range run.Groups {
		if !g.TakenApart() {
			continue
		}
		s := stack{n: g.Breakdown.N}
		switch {
		case len(functions) == 1:
			s.label = g.Start + ", " + g.Phase
		case len(phases) == 1:
			s.label = g.Start + ", " + g.Function
		default:
			s.label = g.Start + ", " + g.Function + ", " + g.Phase
		}
		if g.Tier != "" {
			s.label += ", " + g.Tier
		}
		for _, p := range partsOf(g.Breakdown) {
			if p.mean > 0 {
				s.parts = append(s.parts, p)
				s.total += p.mean
			}
		}
		if s.total > 0 {
			out = append(out, s)
		}
	}
	return out
}

// partsOf lists the parts in the order in which they happen.
func partsOf(b summary.Breakdown) []part {
	at := func(v *int64) time.Duration {
		if v == nil {
			return 0
		}
		return time.Duration(*v)
	}
	return []part{
		{"trigger", partTrigger, at(b.Trigger)},
		{"queue", partQueue, at(b.Queue)},
		{"provision", partProvision, at(b.Provision)},
		{"boot", partBoot, at(b.Boot)},
		{"init", partInit, at(b.Init)},
		{"handler", partHandler, at(b.Handler)},
		{"rest", partRest, at(b.Rest)},
	}
}

func boxKey(label string, r role) key {
	return key{label: label, swatch: func(c draw.Canvas, t Theme, at vg.Point) {
		c.SetColor(t.color(r))
		c.Fill(vg.Rectangle{Min: vg.Point{X: at.X - 14, Y: at.Y - 6}, Max: vg.Point{X: at.X, Y: at.Y + 6}}.Path())
	}}
}

// bar draws the stack; a part that has room for its name carries it, so that
// the parts need not be told apart by colour.
func (s *stack) bar(t Theme, floor float64) plotter {
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		y0, y1 := toY(floor+.16), toY(floor+.84)
		y := (y0 + y1) / 2
		inside, small := centre(style(10, t.color(ink))), style(10, t.color(faint))
		var at time.Duration
		for _, part := range s.parts {
			x0, x1 := toX(float64(at)), toX(float64(at+part.mean))
			at += part.mean
			box := vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}
			c.SetColor(t.color(part.role))
			c.Fill(box.Path())
			c.SetColor(t.color(background))
			c.SetLineWidth(.6)
			c.SetLineDash(nil, 0)
			c.Stroke(box.Path())
			for _, label := range []string{part.name + " " + units.FormatDuration(part.mean), part.name} {
				if inside.Width(label) <= x1-x0-6 {
					c.FillText(inside, vg.Point{X: (x0 + x1) / 2, Y: y}, label)
					break
				}
			}
		}
		name := style(11, t.color(ink))
		count := "n = " + units.FormatCount(s.n)
		left := c.Min.X - stackLabel
		c.FillText(right(small), vg.Point{X: c.Min.X - 10, Y: y}, count)
		c.FillText(name, vg.Point{X: left, Y: y}, fit(name, s.label, stackLabel-small.Width(count)-24))
		total := bold(style(11, t.color(ink)))
		c.FillText(total, vg.Point{X: toX(float64(at)) + 6, Y: y}, units.FormatDuration(s.total))
	}
}
