package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// none stands where there is nothing to say.
const none = "-"

// Sheet is the bills: the lines of one or the totals of several side by side,
// who pays, and what the figures rest on.
func (c *Cost) Sheet() *Sheet {
	s := &Sheet{Title: "What " + c.Work() + " cost", Answer: c.Answer(), Notes: c.Notes()}
	var notes footnotes
	switch ranked := c.Ranked(); {
	case len(c.Priced) == 1 && len(ranked) == 1:
		s.Tables = append(s.Tables, linesOf(ranked[0].Bill, &notes))
	case len(ranked) > 0:
		s.Tables = append(s.Tables, c.totals(ranked, &notes))
	}
	if c.Attribution != nil {
		s.Tables = append(s.Tables, partsOf(c.Attribution))
	}
	s.Footnotes = notes
	return s
}

// Page is the sheet with the lines of every bill, for a reader with room.
func (c *Cost) Page() *Sheet {
	s := c.Sheet()
	if len(c.Priced) == 1 {
		return s
	}
	notes := footnotes(s.Footnotes)
	for _, p := range c.Ranked() {
		t := linesOf(p.Bill, &notes)
		t.Title = "The bill of " + p.Option
		s.Tables = append(s.Tables, t)
	}
	s.Footnotes = notes
	return s
}

// sourceOf is where a line's price is from.
func sourceOf(l *cost.Line) string { return fmt.Sprintf("%s, %v", l.Source, l.AsOf) }

// line is a line of a bill, or the head of a product's.
type line struct {
	*cost.Line
	name string
}

// linesOf are the lines of a bill and its total, by product where there are
// several.
func linesOf(b *cost.Bill, notes *footnotes) Table {
	var lines cellsBy[line]
	several := slices.ContainsFunc(b.Lines, func(l cost.Line) bool { return l.Product != b.Lines[0].Product })
	for i := range b.Lines {
		l := &b.Lines[i]
		name := l.Dimension
		if several {
			if i == 0 || b.Lines[i-1].Product != l.Product {
				lines = append(lines, line{name: l.Product})
			}
			name = "  " + name
		}
		lines = append(lines, line{l, name})
	}
	cell := func(of func(*cost.Line) string) func(*line) string {
		return func(l *line) string {
			if l.Line == nil {
				return ""
			}
			return of(l.Line)
		}
	}
	columns := []Column{
		lines.name("dimension", 0, func(l *line) string { return l.name }),
		lines.column("quantity", 7, cell(func(l *cost.Line) string { return cost.FormatQuantity(l.Quantity) })),
		lines.name("unit", 5, cell(func(l *cost.Line) string { return l.Unit })),
		lines.column("price", 9, cell(UnitPrice)),
		lines.column("amount", 0, cell(func(l *cost.Line) string { return l.Amount.String() })),
		lines.name("note", 8, cell(func(l *cost.Line) string { return notes.mark(sentenceOf(l.Rule) + ". " + sourceOf(l) + ".") })),
	}
	for i, total := range []string{"total", "", "", "", b.Total.String(), ""} {
		columns[i].Cells = append(columns[i].Cells, total)
	}
	return Table{Columns: columns}
}

// totals are several bills, the cheapest first.
func (c *Cost) totals(ranked []cost.Priced, notes *footnotes) Table {
	bills := cellsBy[cost.Priced](ranked)
	columns := []Column{
		bills.name("option", 0, func(o *cost.Priced) string { return o.Option }),
		bills.name("region", 2, func(o *cost.Priced) string { return o.Bill.Region }),
		bills.column("a month", 0, func(o *cost.Priced) string { return o.Bill.Total.String() }),
	}
	if n := c.Traffic.Requests; n > 0 {
		columns = append(columns, bills.column("a million", 9, func(o *cost.Priced) string { return o.Bill.PerMillion(n).String() }))
	}
	for i, part := range CostParts() {
		if bills.some(func(o *cost.Priced) bool { return o.Bill.Of(part.Driver) > 0 }) {
			columns = append(columns, bills.column(part.Name, 8-i, func(o *cost.Priced) string {
				if amount := o.Bill.Of(part.Driver); amount != 0 {
					return amount.String()
				}
				return none
			}))
		}
	}
	return Table{Columns: append(columns, bills.name("prices", 1, func(o *cost.Priced) string {
		var marks []string
		for i := range o.Bill.Lines {
			if m := notes.mark(sourceOf(&o.Bill.Lines[i]) + "."); !slices.Contains(marks, m) {
				marks = append(marks, m)
			}
		}
		return strings.Join(marks, "")
	}))}
}

// partsOf is who pays.
func partsOf(a *cost.Attribution) Table {
	parts := cellsBy[cost.Part](a.Parts)
	var columns []Column
	switch a.By {
	case cost.ByFunction, cost.ByVersion:
		columns = append(columns, parts.name("function", 0, func(part *cost.Part) string { return part.Key.Function }))
		if a.By == cost.ByVersion {
			columns = append(columns, parts.name("version", 0, func(part *cost.Part) string { return part.Key.Version }))
		}
	default:
		columns = append(columns, parts.name("consumer", 0, func(part *cost.Part) string { return named(part.Key.Consumer) }))
		if a.By == cost.ByStage {
			columns = append(columns, parts.name("stage", 0, func(part *cost.Part) string { return named(part.Key.Stage) }))
		}
	}
	return Table{
		Title: fmt.Sprintf("Who pays, by %s, each by its part of what was measured (instances %s, shared costs %s)", a.By, a.Rules.Idle, a.Rules.Shared),
		Columns: append(columns,
			parts.column("measured requests", 4, func(part *cost.Part) string { return units.FormatCount(part.Requests) }),
			parts.column("direct", 5, func(part *cost.Part) string { return part.Direct.String() }),
			parts.column("instances", 2, func(part *cost.Part) string { return part.Idle.String() }),
			parts.column("shared", 1, func(part *cost.Part) string { return part.Shared.String() }),
			parts.column("total", 0, func(part *cost.Part) string { return part.Total.String() }),
			parts.column("share", 3, func(part *cost.Part) string {
				if a.Total == 0 {
					return none
				}
				return units.FormatShare(float64(part.Total) / float64(a.Total))
			}),
		),
	}
}

// named is a name, and a word for nobody's.
func named(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
