package reports

import (
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// OfSweep shows a row for each policy of a sweep and marks those that no other
// beats in both cold starts and idle instances.
func OfSweep(s *study.Sweep) *Simulated {
	return &Simulated{
		Title: s.Traffic.Name + " simulated on " + units.FormatCount(len(s.Points)) + " policies", Complete: s.Complete,
		Tables: []Table{{Columns: sweepColumns(s), Foot: sweepFoot(s)}},
		Notes:  append(billNotes(s.Points[0].Bill), s.Notes...),
		Method: methodOf(&s.Traffic, s.Seed),
	}
}

// sweepFoot says what the marks are.
func sweepFoot(s *study.Sweep) string {
	foot := "* No other policy has as few cold starts and as few idle instances as those marked with a star, and fewer of either."
	if slices.ContainsFunc(s.Points, func(p study.Point) bool { return p.PeakSummed }) {
		foot += " Peak is the sum of the functions' peaks, which need not be at one time."
	}
	var why []string
	for _, p := range s.Points {
		if p.Excluded != "" && !slices.Contains(why, p.Excluded) {
			why = append(why, p.Excluded)
		}
	}
	if len(why) > 0 {
		foot += " x is compared with none, as it " + strings.Join(why, "; or ") + "."
	}
	return foot
}

func sweepColumns(s *study.Sweep) []Column {
	cells := func(of func(*study.Point) string) []string { return Cells(s.Points, of) }
	var columns []Column
	for i, a := range s.Axes {
		columns = append(columns, Column{Head: strings.ReplaceAll(a.Key, "_", " "), Left: true, Cells: cells(func(p *study.Point) string { return p.Values[i] })})
	}
	columns = append(columns,
		Column{Head: "", Left: true, Cells: cells(func(p *study.Point) string {
			switch {
			case p.Pareto:
				return "*"
			case p.Excluded != "":
				return "x"
			}
			return ""
		})},
	)
	if !s.Complete {
		columns = append(columns, Column{Head: "requests", Keep: 9, Cells: cells(func(p *study.Point) string { return units.FormatCount(p.Requests) })})
	}
	columns = append(columns,
		Column{Head: "cold", Keep: 6, Cells: cells(func(p *study.Point) string { return units.FormatCount(p.Cold) })},
		Column{Head: "cold share", Keep: 9, Cells: cells(func(p *study.Point) string { return shareOf(p.PCold) })},
		Column{Head: "instances", Keep: 5, Cells: cells(func(p *study.Point) string { return number(p.InstancesMean) })},
		Column{Head: "peak", Keep: 3, Cells: cells(func(p *study.Point) string { return units.FormatCount(p.InstancesPeak) })},
		Column{Head: "idle h", Keep: 8, Cells: cells(func(p *study.Point) string { return number(p.IdleHours) })},
	)
	if b := s.Points[0].Bill; b != nil && b.Why == "" {
		columns = append(columns, Column{Head: "a month", Keep: 7, Cells: cells(func(p *study.Point) string {
			if p.Bill.Why != "" {
				return "-"
			}
			return p.Bill.Total.String()
		})})
	}
	given := func(of func(*study.Point) bool) bool {
		return slices.ContainsFunc(s.Points, func(p study.Point) bool { return of(&p) })
	}
	if given(func(p *study.Point) bool { return p.P99 > 0 }) {
		columns = append(columns, Column{Head: "p99", Keep: 2, Cells: cells(func(p *study.Point) string { return units.FormatDuration(p.P99) })})
	}
	if given(func(p *study.Point) bool { return p.Queued > 0 }) {
		columns = append(columns, Column{Head: "mean wait", Keep: 8, Cells: cells(func(p *study.Point) string { return units.FormatDuration(wall(p.WaitMean)) })})
	}
	if given(func(p *study.Point) bool { return p.Throttled+p.Unserved > 0 }) {
		columns = append(columns, Column{Head: "refused", Keep: 10, Cells: cells(func(p *study.Point) string { return units.FormatCount(p.Throttled + p.Unserved) })})
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
	return append([]string{"a month is 730 hours of such traffic on " + b.Option + " in " + b.Region + " at list prices, without a free tier; on a platform that bills by the request, idle instances cost the caller nothing unless they are provisioned"}, b.Notes...)
}
