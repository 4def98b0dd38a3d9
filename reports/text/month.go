package text

import (
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// month is what the run's traffic costs, a line an option.
func (p *page) month(c *summary.Cost) {
	if c == nil {
		return
	}
	p.line("")
	p.wrap(clean(reports.Month(c)), "")
	if priced := reports.Priced(c); len(priced) > 0 {
		p.leftOut(p.table([]column{
			{head: "option", left: true, cells: cellsOf(priced, func(o *summary.CostOption) string { return clean(o.Option) })},
			{head: "served by", left: true, keep: 2, cells: cellsOf(priced, func(o *summary.CostOption) string { return clean(o.Serves) })},
			{head: "region", left: true, keep: 1, cells: cellsOf(priced, func(o *summary.CostOption) string { return clean(o.Region) })},
			{head: "a million", keep: 3, cells: cellsOf(priced, func(o *summary.CostOption) string { return o.PerMillion.String() })},
			{head: "a month", cells: cellsOf(priced, func(o *summary.CostOption) string { return o.Month.String() })},
		}))
	}
	for _, n := range reports.MonthNotes(c) {
		p.wrap(clean(n), "")
	}
}
