package text

import (
	"io"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Sweep writes a row for each policy of a sweep and marks those that no other
// beats in both cold starts and idle instances.
func Sweep(w io.Writer, o Options, s *study.Sweep) error {
	return onPage(w, o, func(p *page) {
		head := clean(s.Traffic.Name) + " simulated on " + units.FormatCount(len(s.Points)) + " policies"
		p.line(p.paint(bold, head))
		if !s.Complete {
			p.line(p.paint(red, "INCOMPLETE"))
		}
		p.line("")
		if dropped := p.table(sweepColumns(s)); len(dropped) > 0 {
			p.line("(not shown for want of width: " + strings.Join(dropped, ", ") + ")")
		}
		p.line("")
		p.wrap("No other policy has both fewer cold starts and fewer idle instances than those marked with a star.", "* ")
		p.notes(append(billNotes(s.Points[0].Bill), s.Notes...))
	})
}

func sweepColumns(s *study.Sweep) []column {
	cells := func(of func(*study.Point) string) []string { return cellsOf(s.Points, of) }
	var columns []column
	for i, a := range s.Axes {
		columns = append(columns, column{head: strings.ReplaceAll(a.Key, "_", " "), left: true, cells: cells(func(p *study.Point) string { return clean(p.Values[i]) })})
	}
	columns = append(columns,
		column{head: "", left: true, cells: cells(func(p *study.Point) string {
			if p.Pareto {
				return "*"
			}
			return ""
		})},
		column{head: "cold", keep: 6, cells: cells(func(p *study.Point) string { return units.FormatCount(p.Cold) })},
		column{head: "cold share", keep: 9, cells: cells(func(p *study.Point) string { return shareOf(p.PCold) })},
		column{head: "instances", keep: 5, cells: cells(func(p *study.Point) string { return number(p.InstancesMean) })},
		column{head: "peak", keep: 3, cells: cells(func(p *study.Point) string { return units.FormatCount(p.InstancesPeak) })},
		column{head: "idle h", keep: 8, cells: cells(func(p *study.Point) string { return number(p.IdleHours) })},
	)
	if b := s.Points[0].Bill; b != nil && b.Why == "" {
		columns = append(columns, column{head: "a month", keep: 7, cells: cells(func(p *study.Point) string {
			if p.Bill.Why != "" {
				return "-"
			}
			return p.Bill.Total.String()
		})})
	}
	for i := range s.Points {
		if s.Points[i].Throttled > 0 {
			return append(columns, column{head: "throttled", keep: 4, cells: cells(func(p *study.Point) string { return units.FormatCount(p.Throttled) })})
		}
	}
	return columns
}

// billNotes say what a bill is of, or why there is none.
func billNotes(b *study.Bill) []string {
	switch {
	case b == nil:
		return nil
	case b.Why != "":
		return []string{"not priced: " + b.Why}
	}
	return []string{"a month is 730 hours of such traffic on " + b.Option + " at list prices, without a free tier; on a platform that bills by the request, idle instances cost the caller nothing unless they are provisioned"}
}
