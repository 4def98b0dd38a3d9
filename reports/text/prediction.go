package text

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// prediction is the simulation beside what a run has measured of the same
// requests, where there is one.
func (p *page) prediction(s *study.Simulation) {
	if len(s.Measured) == 0 {
		return
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
		return cellsOf(rows, func(m *study.Measured) string {
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
	p.line("")
	p.line("Predicted, and measured by the run")
	p.table([]column{
		{head: "function", left: true, cells: cellsOf(rows, func(m *study.Measured) string {
			if m.Function == "" {
				return "all"
			}
			return clean(m.Function)
		})},
		{head: "requests", keep: 1, cells: cells(func(_ *study.Measured, r *sim.Result) string { return units.FormatCount(r.Requests) })},
		{head: "measured", keep: 1, cells: cells(func(m *study.Measured, _ *sim.Result) string { return units.FormatCount(m.Requests) })},
		{head: "cold", keep: 9, cells: cells(func(_ *study.Measured, r *sim.Result) string { return units.FormatCount(r.Cold) })},
		{head: "measured", keep: 9, cells: cells(func(m *study.Measured, _ *sim.Result) string { return units.FormatCount(m.Cold) })},
		{head: "p50", keep: 6, cells: p50},
		{head: "measured", keep: 6, cells: seen50},
		{head: "p99", keep: 5, cells: p99},
		{head: "measured", keep: 5, cells: seen99},
	})
	p.wrap("Latencies are of answers, with "+units.FormatDuration(s.Beside)+" (the run's median) for what a request takes beside the instance: network and front end.", "")
}
