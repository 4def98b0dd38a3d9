package text

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Curve writes curves: the answer, costs from place to place, where options
// change places, and what the figures rest on.
func Curve(w io.Writer, o Options, c reports.Curves) error {
	return onPage(w, o, func(p *page) {
		for _, s := range c.Answer() {
			p.wrap(clean(s), "")
		}
		p.line("")
		p.curveCosts(c)
		if list := c.Breakevens(); len(list) > 0 {
			p.line("")
			p.breakevens(c, list)
		}
		p.curveShares(c)
		p.swings(c)
		p.line("")
		for _, n := range c.Notes() {
			p.wrap(clean(n), "")
		}
		for i, n := range c.Sources() {
			p.wrap(clean(n)+".", fmt.Sprintf("[%d] ", i+1))
		}
	})
}

// mostPlaces is how many rows show a curve.
const mostPlaces = 13

// places are points of the curve to be shown: both ends and what is evenly
// between them, as round as the curve has it.
func places(n int) []int {
	step := max(1, int(math.Ceil(float64(n-1)/float64(mostPlaces-1))))
	var out []int
	for i := 0; i < n-1; i += step {
		out = append(out, i)
	}
	return append(out, n-1)
}

func (p *page) curveCosts(c reports.Curves) {
	rows := places(len(c.Series[0].Points))
	columns := []column{{head: axisHead(c.Over), cells: cellsOf(rows, func(i *int) string { return c.Place(c.Series[0].Points[*i].X) })}}
	for k := range c.Series {
		s := &c.Series[k]
		columns = append(columns, column{head: clean(s.Option), keep: len(c.Series) - k, cells: cellsOf(rows, func(i *int) string {
			return p.curveCell(c, k, *i)
		})})
	}
	columns[1].keep = 0
	p.wrap("A month, and how many instances; * is the cheapest.", "")
	p.leftOut(p.table(columns))
}

// curveCell is a cost with its instances and a star.
func (p *page) curveCell(c reports.Curves, series, at int) string {
	point := &c.Series[series].Points[at]
	if point.Err != nil {
		return "cannot"
	}
	text := point.Total.String()
	if point.Instances > 0 {
		text = fmt.Sprintf("%d x  %s", point.Instances, text)
	}
	for k := range c.Series {
		if o := &c.Series[k].Points[at]; o.Err == nil && o.Total < point.Total {
			return text + " "
		}
	}
	return text + "*"
}

func axisHead(o study.Over) string {
	return map[study.Over]string{study.OverRate: "requests", study.OverDuty: "duty", study.OverMemory: "memory", study.OverDuration: "duration"}[o]
}

func (p *page) breakevens(c reports.Curves, list []study.Breakeven) {
	p.wrap("Where one becomes cheaper than the other; cross: both cost the same to a cent; step: one of them jumps, costs before and after.", "")
	const most = 12
	hidden := max(0, len(list)-most)
	list = list[:len(list)-hidden]
	amounts := func(k int) func(*study.Breakeven) string {
		return func(b *study.Breakeven) string {
			if b.Before[k].Cents() == b.After[k].Cents() || !b.Step {
				return b.After[k].String()
			}
			return fmt.Sprintf("%v to %v", b.Before[k], b.After[k])
		}
	}
	p.leftOut(p.table([]column{
		{head: "above", cells: cellsOf(list, func(b *study.Breakeven) string { return c.Place(b.X) })},
		{head: "is cheaper", left: true, cells: cellsOf(list, func(b *study.Breakeven) string {
			return clean(reports.Instances(b.Between[1], b.Instances[1], b.Instances[1]))
		})},
		{head: "than", left: true, cells: cellsOf(list, func(b *study.Breakeven) string {
			return clean(reports.Instances(b.Between[0], b.Instances[0], b.Instances[0]))
		})},
		{head: "kind", left: true, keep: 1, cells: cellsOf(list, func(b *study.Breakeven) string {
			if b.Step {
				return "step"
			}
			return "cross"
		})},
		{head: "it costs", keep: 2, cells: cellsOf(list, amounts(1))},
		{head: "the other", keep: 2, cells: cellsOf(list, amounts(0))},
	}))
	if hidden > 0 {
		p.line(fmt.Sprintf("%d more in --json.", hidden))
	}
}

// curveShares is what each option's bill is made of at one place.
func (p *page) curveShares(c reports.Curves) {
	type here struct {
		option string
		study.CurvePoint
	}
	var list []here
	for i, s := range c.Series {
		if c.Here[i].Err == nil {
			list = append(list, here{s.Option, c.Here[i]})
		}
	}
	if len(list) == 0 {
		return
	}
	p.line("")
	p.wrap(fmt.Sprintf("At %s: a million requests, response time, and what the bill is made of.", c.Name(c.At)), "")
	columns := []column{
		{head: "option", left: true, cells: cellsOf(list, func(h *here) string {
			return clean(reports.Instances(h.option, h.Instances, h.Instances))
		})},
		{head: "a million", keep: 7, cells: cellsOf(list, func(h *here) string {
			return (&cost.Bill{Total: h.Total}).PerMillion(h.Requests).String()
		})},
		{head: c.Quantile(), keep: 9, cells: cellsOf(list, func(h *here) string {
			return units.FormatDuration(time.Duration(h.Response))
		})},
	}
	for k, share := range cost.Shares() {
		some := false
		cells := cellsOf(list, func(h *here) string {
			amount := h.Shares[share]
			if amount == 0 || h.Total == 0 {
				return none
			}
			some = true
			return units.FormatShare(float64(amount) / float64(h.Total))
		})
		if some {
			columns = append(columns, column{head: string(share), keep: 6 - k, cells: cells})
		}
	}
	p.leftOut(p.table(columns))
}

// swings is what moves the first break-even point.
func (p *page) swings(c reports.Curves) {
	if len(c.Swings) == 0 {
		return
	}
	p.line("")
	p.wrap(clean(fmt.Sprintf("What moves the break-even point of %s and %s, %s, most first; - where there is none.",
		c.Swung.Between[0], c.Swung.Between[1], c.Name(c.Swung.X))), "")
	at := func(x *float64) string {
		if x == nil {
			return none
		}
		return c.Place(*x)
	}
	p.leftOut(p.table([]column{
		{head: "input", left: true, cells: cellsOf(c.Swings, func(s *study.Swing) string { return s.Input })},
		{head: "is", keep: 1, cells: cellsOf(c.Swings, func(s *study.Swing) string { return clean(s.Base) })},
		{head: "10% less", cells: cellsOf(c.Swings, func(s *study.Swing) string { return at(s.Less) })},
		{head: "10% more", cells: cellsOf(c.Swings, func(s *study.Swing) string { return at(s.More) })},
		{head: "twice", cells: cellsOf(c.Swings, func(s *study.Swing) string { return at(s.Twice) })},
	}))
}
