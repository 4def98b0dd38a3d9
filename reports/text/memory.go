package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Memory writes which size to take, and a line for each.
func Memory(w io.Writer, o Options, d *cost.MemoryDocument) error {
	return onPage(w, o, func(p *page) {
		p.wrap(clean(reports.Memory(d)), "")
		p.line("")
		row := func(of func(*cost.MemorySize) string) []string { return cellsOf(d.Sizes, of) }
		var marks []string
		for i := range d.Sizes {
			marks = append(marks, chosen(d, i))
		}
		p.leftOut(p.table([]column{
			{head: "memory", cells: row(func(s *cost.MemorySize) string { return s.Memory.String() })},
			{head: "function", left: true, keep: 1, cells: row(func(s *cost.MemorySize) string { return clean(s.Function) })},
			{head: "measured", keep: 2, cells: row(func(s *cost.MemorySize) string { return units.FormatCount(s.Requests) })},
			{head: "a request", cells: row(func(s *cost.MemorySize) string { return units.FormatDuration(s.Mean) })},
			{head: "a million", cells: row(func(s *cost.MemorySize) string {
				if s.PerMillion == nil {
					return none
				}
				return s.Cost().String()
			})},
			{head: "", left: true, cells: marks},
		}))
		for _, s := range d.Sizes {
			if s.Why != "" {
				p.wrap(clean(s.Why)+".", "")
			}
		}
		p.wrap(fmt.Sprintf("On %s, each call rounded as it bills it, its fee for requests included; a request is the mean, starts included. The balance weighs cost by %g and duration by %g.",
			clean(d.Option), d.Weight, 1-d.Weight), "")
		for _, n := range d.Notes {
			p.wrap(clean(n), "")
		}
	})
}

// chosen is what a size is best in.
func chosen(d *cost.MemoryDocument, i int) string {
	var words []string
	for _, best := range []struct {
		at   int
		word string
	}{{d.Cheapest, "cheapest"}, {d.Fastest, "fastest"}, {d.Balanced, "best balance"}} {
		if best.at == i {
			words = append(words, best.word)
		}
	}
	if s := &d.Sizes[i]; words == nil && s.Why == "" && !s.Front {
		return "beaten"
	}
	return strings.Join(words, ", ")
}
