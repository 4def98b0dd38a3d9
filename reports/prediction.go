package reports

import (
	"fmt"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// predictionOf is the simulation beside what a run has measured of the same
// requests, where there is one.
func predictionOf(s *study.Simulation) (t Table, ok bool) {
	if len(s.Measured) == 0 {
		return t, false
	}
	of := map[string]*sim.Result{"": &s.Result}
	for i := range s.ByFunction {
		of[s.ByFunction[i].Name] = &s.ByFunction[i]
	}
	rows := s.Measured
	if len(rows) == 2 { // one function, and all of them together
		rows = rows[:1]
	}
	cells := func(cell func(m *study.Measured, r *sim.Result) string) []string {
		return Cells(rows, func(m *study.Measured) string {
			if r := of[m.Function]; r != nil {
				return cell(m, r)
			}
			return "-"
		})
	}
	quantile := func(q float64, measured func(*study.Measured) time.Duration) (predicted, seen []string) {
		predicted = cells(func(_ *study.Measured, r *sim.Result) string {
			if r.Response == nil || r.Response.N() < stats.MinSamples(q, .95) {
				return "-"
			}
			return units.FormatDuration(r.Response.Quantile(q) + s.Beside)
		})
		return predicted, cells(func(m *study.Measured, _ *sim.Result) string {
			if m.N < stats.MinSamples(q, .95) {
				return "-"
			}
			return units.FormatDuration(measured(m))
		})
	}
	p50, seen50 := quantile(.5, func(m *study.Measured) time.Duration { return m.P50 })
	p99, seen99 := quantile(.99, func(m *study.Measured) time.Duration { return m.P99 })
	t.Title = "Predicted, and measured by the run"
	t.Columns = []Column{
		{Head: "function", Left: true, Cells: Cells(rows, func(m *study.Measured) string {
			if m.Function == "" {
				return "all"
			}
			return m.Function
		})},
		{Head: "requests", Keep: 1, Cells: cells(func(_ *study.Measured, r *sim.Result) string { return units.FormatCount(r.Requests) })},
		{Head: "measured", Keep: 1, Cells: cells(func(m *study.Measured, _ *sim.Result) string { return units.FormatCount(m.Requests) })},
		{Head: "cold", Keep: 9, Cells: cells(func(_ *study.Measured, r *sim.Result) string { return units.FormatCount(r.Cold) + give(r) })},
		{Head: "measured", Keep: 9, Cells: cells(func(m *study.Measured, _ *sim.Result) string { return units.FormatCount(m.Cold) })},
		{Head: "p50", Keep: 6, Cells: p50},
		{Head: "measured", Keep: 6, Cells: seen50},
		{Head: "p99", Keep: 5, Cells: p99},
		{Head: "measured", Keep: 5, Cells: seen99},
	}
	t.Foot = "Latencies are of answers, with " + units.FormatDuration(s.Beside) + " (the run's median) for what a request takes beside the instance: network and front end. " +
		"In the model starts do not slow each other: where a crowd starts many instances at once on few processors, the measured p99 lies higher. " +
		"Durations are drawn from all of the run: that they differ by payload or phase is not modelled."
	if slices.ContainsFunc(rows, func(m study.Measured) bool { return of[m.Function] != nil && give(of[m.Function]) != "" }) {
		t.Foot += " Behind ± is the standard error of the simulated number, by its batches: chance, not what the model leaves out."
	}
	return t, true
}

// give is how far chance may have a number of cold starts off, where the
// simulation can tell.
func give(r *sim.Result) string {
	if r.PColdStderr == nil {
		return ""
	}
	return fmt.Sprintf(" ±%.3g", *r.PColdStderr*float64(r.Served))
}
