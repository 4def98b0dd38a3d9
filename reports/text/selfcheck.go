package text

import (
	"fmt"
	"io"
	"strconv"

	"github.com/coldcurve/coldcurve/analysis/sim/selfcheck"
)

// Selfcheck writes what a simulator must meet beside what it gives.
func Selfcheck(w io.Writer, o Options, checks []selfcheck.Check) error {
	figure := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	held := 0
	for _, c := range checks {
		if c.OK {
			held++
		}
	}
	cells := func(of func(*selfcheck.Check) string) []string { return cellsOf(checks, of) }
	return onPage(w, o, func(p *page) {
		dropped := p.table([]column{
			{head: "law", left: true, cells: cells(func(c *selfcheck.Check) string { return clean(c.Law) })},
			{head: "figure", left: true, cells: cells(func(c *selfcheck.Check) string { return clean(c.Figure) })},
			{head: "must be", keep: 8, cells: cells(func(c *selfcheck.Check) string { return figure(c.Want) })},
			{head: "is", keep: 9, cells: cells(func(c *selfcheck.Check) string { return figure(c.Got) })},
			{head: "standard error", keep: 2, cells: cells(func(c *selfcheck.Check) string { return figure(c.Stderr) })},
			{head: "off by", keep: 3, cells: cells(func(c *selfcheck.Check) string { return fmt.Sprintf("%.1f", c.Off()) })},
			{head: "held", left: true, keep: 7, cells: cells(func(c *selfcheck.Check) string {
				if c.OK {
					return "yes"
				}
				return "NO"
			})},
			{head: "source", left: true, keep: 1, cells: cells(func(c *selfcheck.Check) string { return clean(c.Source) })},
		})
		p.leftOut(dropped)
		p.wrap(fmt.Sprintf("%d of %d hold: within 4 standard errors, and what the published figure itself may be off.", held, len(checks)), "")
	})
}
