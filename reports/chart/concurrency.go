package chart

import (
	"fmt"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// concurrency is instances alive and requests under way over time.
func concurrency(run *summary.Run, data *reports.Run) (Chart, bool) {
	instances, requests := peak(data.Instances), peak(data.InFlight)
	if instances == 0 && requests == 0 {
		return Chart{}, false
	}
	c := Chart{
		Name:    "concurrency",
		Title:   "Instances and concurrency over time",
		Caption: "Requests under way (each point the mean of a short stretch of time), and the instances that were alive to serve them.",
		Alt:     fmt.Sprintf("Requests under way over time, at most %.3g.", requests),
		height:  3.9 * vg.Inch,
	}
	busy := look{level, dot, nil}
	if instances > 0 {
		c.Alt = fmt.Sprintf("Instances alive over time, at most %.0f, and requests under way, at most %.3g.", instances, requests)
		c.keys = append(c.keys, key{label: "instances alive", swatch: func(c draw.Canvas, t Theme, at vg.Point) {
			box := vg.Rectangle{Min: vg.Point{X: at.X - 20, Y: at.Y - 6}, Max: vg.Point{X: at.X, Y: at.Y + 6}}
			c.SetColor(t.color(area))
			c.Fill(box.Path())
			c.StrokeLine2(draw.LineStyle{Color: t.color(areaLine), Width: 1.4, Dashes: []vg.Length{5, 2}}, at.X-20, at.Y+6, at.X, at.Y+6)
		}})
	} else {
		c.Caption = "Requests under way, each point the mean of a short stretch of time. The platform tells nothing of its instances."
	}
	c.keys = append(c.keys, key{label: "requests under way", swatch: func(c draw.Canvas, t Theme, at vg.Point) {
		c.StrokeLine2(draw.LineStyle{Color: t.color(busy.role), Width: 1.8}, at.X-20, at.Y, at.X, at.Y)
	}})
	end := runEnd(run, data)
	for _, l := range data.InFlight {
		end = max(end, l.At)
	}
	c.body = func(dc draw.Canvas, t Theme) {
		p := newPlot(t)
		timeAxis(&p.X, end)
		countAxis(&p.Y, max(instances, requests))
		p.Add(phaseBands(run, t), gridLines(t, false, true))
		p.Add(stepArea(t, data.Instances, end), stepLine(t, data.InFlight, end))
		p.Draw(draw.Crop(dc, 0, 0, 0, -phaseRoom(run)))
	}
	return c, true
}

func peak(levels []reports.Level) float64 {
	var top float64
	for _, l := range levels {
		top = max(top, l.Value)
	}
	return top
}

// steps walks the corners of a step curve up to end.
func steps(levels []reports.Level, end time.Duration, toX, toY func(float64) vg.Length) vg.Path {
	var p vg.Path
	for i, l := range levels {
		if l.At > end {
			break
		}
		until := end
		if i+1 < len(levels) {
			until = min(levels[i+1].At, end)
		}
		x0, x1, y := toX(float64(max(l.At, 0))), toX(float64(max(until, 0))), toY(l.Value)
		if len(p) == 0 {
			p.Move(vg.Point{X: x0, Y: toY(0)})
		}
		p.Line(vg.Point{X: x0, Y: y})
		p.Line(vg.Point{X: x1, Y: y})
	}
	return p
}

func stepLine(t Theme, levels []reports.Level, end time.Duration) plotter {
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		if path := steps(levels, end, toX, toY); len(path) > 0 {
			c.SetColor(t.color(level))
			c.SetLineDash(nil, 0)
			c.SetLineWidth(1.3)
			c.Stroke(path)
		}
	}
}

func stepArea(t Theme, levels []reports.Level, end time.Duration) plotter {
	return func(c draw.Canvas, p *plot.Plot) {
		toX, toY := p.Transforms(&c)
		path := steps(levels, end, toX, toY)
		if len(path) == 0 {
			return
		}
		outline := append(vg.Path{}, path...)
		path.Line(vg.Point{X: path[len(path)-1].Pos.X, Y: toY(0)})
		path.Close()
		c.SetColor(t.color(area))
		c.Fill(path)
		c.SetColor(t.color(areaLine))
		c.SetLineWidth(1.4)
		c.SetLineDash([]vg.Length{5, 2}, 0)
		c.Stroke(outline)
	}
}
