package text

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Cost writes bills: the answer, the lines of one or the totals of several side
// by side, who pays, and what the figures rest on.
func Cost(w io.Writer, o Options, c *reports.Cost) error {
	return onPage(w, o, func(p *page) {
		for _, s := range c.Answer() {
			p.wrap(clean(s), "")
		}
		var notes footnotes
		switch ranked := c.Ranked(); {
		case len(c.Priced) == 1 && len(ranked) == 1:
			p.line("")
			p.costLines(ranked[0].Bill, &notes)
		case len(ranked) > 0:
			p.line("")
			p.costTotals(c, ranked, &notes)
		}
		if c.Attribution != nil {
			p.line("")
			p.costParts(c.Attribution)
		}
		p.line("")
		for _, n := range c.Notes() {
			p.wrap(clean(n), "")
		}
		for i, n := range notes {
			p.wrap(clean(n), fmt.Sprintf("[%d] ", i+1))
		}
	})
}

// footnotes are numbered as they come, each once.
type footnotes []string

// mark is the number of a note, in brackets.
func (f *footnotes) mark(note string) string {
	i := slices.Index(*f, note)
	if i < 0 {
		i = len(*f)
		*f = append(*f, note)
	}
	return fmt.Sprintf("[%d]", i+1)
}

// source is where a line's price is from.
func source(l *cost.Line) string { return fmt.Sprintf("%s, %v", l.Source, l.AsOf) }

func (p *page) costLines(b *cost.Bill, notes *footnotes) {
	lines := b.Lines
	product := cellsOf(lines, func(l *cost.Line) string { return clean(l.Product) })
	many := several(product)
	grouped(product)
	var columns []column
	if many {
		columns = append(columns, column{head: "product", left: true, cells: product})
	}
	columns = append(columns,
		column{head: "dimension", left: true, cells: cellsOf(lines, func(l *cost.Line) string { return clean(l.Dimension) })},
		column{head: "quantity", keep: 8, cells: cellsOf(lines, func(l *cost.Line) string { return cost.FormatQuantity(l.Quantity) })},
		column{head: "unit", left: true, keep: 7, cells: cellsOf(lines, func(l *cost.Line) string { return clean(l.Unit) })},
		column{head: "price", keep: 9, cells: cellsOf(lines, reports.UnitPrice)},
		column{head: "amount", cells: cellsOf(lines, func(l *cost.Line) string { return l.Amount.String() })},
		column{head: "note", left: true, keep: 5, cells: cellsOf(lines, func(l *cost.Line) string {
			return notes.mark(sentence(l.Rule) + ". " + source(l) + ".")
		})},
	)
	total := []string{"total", "", "", "", b.Total.String(), ""}
	if many {
		total = append([]string{""}, total...)
	}
	for i := range columns {
		columns[i].cells = append(columns[i].cells, total[i])
	}
	p.leftOut(p.table(columns))
}

// sentence begins with a capital.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (p *page) leftOut(dropped []string) {
	if len(dropped) > 0 {
		p.wrap("Left out to fit the width: "+strings.Join(dropped, ", ")+".", "")
	}
}

// costTotals are several bills, the cheapest first.
func (p *page) costTotals(c *reports.Cost, ranked []cost.Priced, notes *footnotes) {
	columns := []column{
		{head: "option", left: true, cells: cellsOf(ranked, func(o *cost.Priced) string { return clean(o.Option) })},
		{head: "region", left: true, keep: 2, cells: cellsOf(ranked, func(o *cost.Priced) string { return clean(o.Bill.Region) })},
		{head: "a month", cells: cellsOf(ranked, func(o *cost.Priced) string { return o.Bill.Total.String() })},
	}
	if n := c.Traffic.Requests; n > 0 {
		columns = append(columns, column{head: "a million", keep: 9, cells: cellsOf(ranked, func(o *cost.Priced) string { return o.Bill.PerMillion(n).String() })})
	}
	for i, part := range reports.CostParts() {
		cells := cellsOf(ranked, func(o *cost.Priced) string {
			if amount := o.Bill.Of(part.Driver); amount != 0 {
				return amount.String()
			}
			return none
		})
		if slices.ContainsFunc(ranked, func(o cost.Priced) bool { return o.Bill.Of(part.Driver) > 0 }) {
			columns = append(columns, column{head: part.Name, keep: 8 - i, cells: cells})
		}
	}
	columns = append(columns, column{head: "prices", left: true, keep: 1, cells: cellsOf(ranked, func(o *cost.Priced) string {
		var marks []string
		for i := range o.Bill.Lines {
			if m := notes.mark(source(&o.Bill.Lines[i]) + "."); !slices.Contains(marks, m) {
				marks = append(marks, m)
			}
		}
		return strings.Join(marks, "")
	})})
	p.leftOut(p.table(columns))
}

// costParts is who pays.
func (p *page) costParts(a *cost.Attribution) {
	p.wrap(fmt.Sprintf("Who pays, by %s, each by its part of what was measured (instances %s, shared costs %s)", a.By, a.Rules.Idle, a.Rules.Shared), "")
	parts := a.Parts
	key := func(of func(*cost.Part) string) []string {
		return cellsOf(parts, func(part *cost.Part) string { return clean(of(part)) })
	}
	var columns []column
	switch a.By {
	case cost.ByFunction, cost.ByVersion:
		columns = append(columns, column{head: "function", left: true, cells: key(func(part *cost.Part) string { return part.Key.Function })})
		if a.By == cost.ByVersion {
			columns = append(columns, column{head: "version", left: true, cells: key(func(part *cost.Part) string { return part.Key.Version })})
		}
	default:
		columns = append(columns, column{head: "consumer", left: true, cells: key(func(part *cost.Part) string { return named(part.Key.Consumer) })})
		if a.By == cost.ByStage {
			columns = append(columns, column{head: "stage", left: true, cells: key(func(part *cost.Part) string { return named(part.Key.Stage) })})
		}
	}
	money := func(of func(*cost.Part) units.Money) []string {
		return cellsOf(parts, func(part *cost.Part) string { return of(part).String() })
	}
	columns = append(columns,
		column{head: "measured requests", keep: 4, cells: cellsOf(parts, func(part *cost.Part) string { return units.FormatCount(part.Requests) })},
		column{head: "direct", keep: 5, cells: money(func(part *cost.Part) units.Money { return part.Direct })},
		column{head: "instances", keep: 2, cells: money(func(part *cost.Part) units.Money { return part.Idle })},
		column{head: "shared", keep: 1, cells: money(func(part *cost.Part) units.Money { return part.Shared })},
		column{head: "total", cells: money(func(part *cost.Part) units.Money { return part.Total })},
		column{head: "share", keep: 3, cells: cellsOf(parts, func(part *cost.Part) string {
			if a.Total == 0 {
				return none
			}
			return units.FormatShare(float64(part.Total) / float64(a.Total))
		})},
	)
	p.leftOut(p.table(columns))
}

// named is a name, and a word for nobody's.
func named(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
