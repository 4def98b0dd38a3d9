package text

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// capacity is what each function's server carried, a table a function.
func (p *page) capacity(r *summary.Run) {
	for i := range r.Capacity {
		c := &r.Capacity[i]
		p.line("")
		p.line(fmt.Sprintf("Capacity of %s on %s", c.Function, units.FormatNoun(c.VCPUs, "vCPU")))
		row := func(of func(*capacity.Figure) string) []string { return cellsOf(c.Steps, of) }
		p.table([]column{
			{head: "phase", left: true, cells: row(func(f *capacity.Figure) string { return f.Phase })},
			{head: "rate", cells: row(func(f *capacity.Figure) string { return units.FormatRate(units.Rate(f.Rate)) })},
			{head: "refused", keep: 3, cells: row(refused)},
			{head: "busy", cells: row(func(f *capacity.Figure) string { return orDash(f.Utilisation, units.FormatShare) })},
			{head: "starved", keep: 2, cells: row(func(f *capacity.Figure) string { return orDash(f.Starved, units.FormatShare) })},
			{head: "CPU/request", keep: 1, cells: row(func(f *capacity.Figure) string { return orDash(f.CPUPerRequest, nanoseconds) })},
			{head: "p99", cells: row(func(f *capacity.Figure) string { return orDash(f.P99, nanoseconds) })},
			{head: "target", left: true, cells: row(func(f *capacity.Figure) string { return reports.Kept(*f) })},
		})
		for _, sentence := range c.Sentences() {
			p.wrap(sentence, "")
		}
	}
}

func refused(f *capacity.Figure) string { return units.FormatCount(f.Refused) }

func orDash[T any](v *T, format func(T) string) string {
	if v == nil {
		return "-"
	}
	return format(*v)
}

func nanoseconds[T int64 | float64](v T) string { return units.FormatDuration(time.Duration(v)) }
