package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/summary"
)

// phaseNames is the room for the phases' names above the data.
const phaseNames vg.Length = 16

func phaseRoom(run *summary.Run) vg.Length {
	if len(run.Phases) == 0 {
		return 0
	}
	return phaseNames
}

// phaseBands shades every other phase and writes each one's name above it, cut
// to its width.
func phaseBands(run *summary.Run, t Theme) plotter {
	return func(c draw.Canvas, p *plot.Plot) {
		toX, _ := p.Transforms(&c)
		sty := style(10, t.color(faint))
		for i, ph := range run.Phases {
			x0, x1 := toX(float64(ph.Start)), toX(float64(ph.Start+ph.Duration))
			if i%2 == 0 {
				c.SetColor(t.color(band))
				c.Fill(vg.Rectangle{Min: vg.Point{X: x0, Y: c.Min.Y}, Max: vg.Point{X: x1, Y: c.Max.Y}}.Path())
			}
			if i > 0 {
				c.StrokeLine2(draw.LineStyle{Color: t.color(grid), Width: 1}, x0, c.Min.Y, x0, c.Max.Y+phaseNames)
			}
			name := ph.Name
			if ph.Warmup {
				name += " (warm-up)"
			}
			c.FillText(sty, vg.Point{X: x0 + 4, Y: c.Max.Y + phaseNames/2}, fit(sty, name, x1-x0-8))
		}
	}
}
