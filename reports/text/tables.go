package text

import (
	"fmt"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// none stands where there is no figure.
const none = "-"

func nanos(v *int64) string {
	if v == nil {
		return none
	}
	return units.FormatDuration(time.Duration(*v))
}

func share(v *float64) string {
	if v == nil {
		return none
	}
	return units.FormatShare(*v)
}

// cellsOf makes a column of the groups.
func cellsOf[T any](rows []T, cell func(*T) string) []string {
	return reports.Cells(rows, cell)
}

// grouped leaves out a cell that only repeats the one above, where the ones
// to its left repeat too.
func grouped(columns ...[]string) {
	if len(columns) == 0 {
		return
	}
	for r := len(columns[0]) - 1; r > 0; r-- {
		for _, c := range columns {
			if c[r] != c[r-1] {
				break
			}
			c[r] = ""
		}
	}
}

func several(cells []string) bool {
	for _, c := range cells {
		if c != cells[0] {
			return true
		}
	}
	return false
}

// latencies is the main table.
func (p *page) latencies(r *summary.Run) {
	g := r.Groups
	phase := cellsOf(g, func(g *summary.Group) string { return g.Phase })
	function := cellsOf(g, func(g *summary.Group) string { return g.Function })
	manyFunctions := several(function)
	grouped(phase, function)
	columns := []column{{head: "phase", left: true, cells: phase}}
	if manyFunctions {
		columns = append(columns, column{head: "function", left: true, cells: function})
	}
	figure := func(of func(*summary.Figures) *int64) []string {
		return cellsOf(g, func(g *summary.Group) string { return nanos(of(&g.Latency)) })
	}
	quantile := func(key string, of func(*summary.Figures) *int64) []string { return p.marked(g, key, figure(of)) }
	columns = append(columns,
		column{head: "start", left: true, cells: cellsOf(g, func(g *summary.Group) string { return p.paint(startColor(g.Start), reports.StartOf(r, g)) })},
		column{head: "n", keep: 8, cells: cellsOf(g, func(g *summary.Group) string { return units.FormatCount(g.N) })},
		column{head: "errors", keep: errorsKeep(g), cells: cellsOf(g, func(g *summary.Group) string { return p.errors(g.Errors) })},
		column{head: "p50", cells: quantile("p50", func(f *summary.Figures) *int64 { return f.P50 })},
		column{head: "95% interval", keep: 3, cells: cellsOf(g, func(g *summary.Group) string { return reports.Interval(g.Interval.P50) })},
		column{head: "p90", keep: 4, cells: quantile("p90", func(f *summary.Figures) *int64 { return f.P90 })},
		column{head: "p95", keep: 2, cells: quantile("p95", func(f *summary.Figures) *int64 { return f.P95 })},
		column{head: "p99", keep: 7, cells: quantile("p99", func(f *summary.Figures) *int64 { return f.P99 })},
		column{head: "p99.9", keep: 1, cells: quantile("p999", func(f *summary.Figures) *int64 { return f.P999 })},
		column{head: "max", keep: 6, cells: figure(func(f *summary.Figures) *int64 { return f.Max })},
	)
	dropped := p.table(columns)
	p.explain(r, dropped)
}

// marked puts the mark behind the quantiles that the load generator limits,
// and room for it behind the others of the column.
func (p *page) marked(groups []summary.Group, key string, cells []string) []string {
	any := slices.ContainsFunc(groups, func(g summary.Group) bool { return g.LimitedAt(key) })
	for i := range cells {
		switch {
		case groups[i].LimitedAt(key):
			cells[i] += p.paint(yellow, reports.LimitMark)
		case any:
			cells[i] += " "
		}
	}
	return cells
}

// errorsKeep lets the errors go first from a narrow table when there are none.
func errorsKeep(groups []summary.Group) int {
	for _, g := range groups {
		if g.Errors > 0 {
			return 9
		}
	}
	return 1
}

func (p *page) errors(n uint64) string {
	if n == 0 {
		return "0"
	}
	return p.paint(red, units.FormatCount(n))
}

func startColor(start string) color {
	switch start {
	case sample.Cold.String():
		return yellow
	case sample.Warm.String():
		return blue
	}
	return ""
}

// explain says what the main table's figures are, and what is not in it.
func (p *page) explain(r *summary.Run, dropped []string) {
	p.wrap("Latency of answered requests, from the moment when each was meant to be sent. The interval is of p50.", "")
	for _, w := range r.Warnings {
		if w.Code == summary.QuantileUnsupported {
			need := func(q float64) uint64 { return stats.MinSamples(q, .95) }
			p.wrap(fmt.Sprintf("%s: too few requests for a 95%% interval (p50 needs %d, p90 %d, p95 %d, p99 %d, p99.9 %s).",
				none, need(.5), need(.9), need(.95), need(.99), units.FormatCount(need(.999))), "")
			break
		}
	}
	p.explainMark(len(r.Limits()) > 0)
	p.leftOut(dropped)
}

func (p *page) explainMark(limited bool) {
	if limited {
		p.wrap(reports.LimitMark+": do not use: the load generator's own lag moves it by more than 5%.", "")
	}
}

// starts takes starts apart.
func (p *page) starts(r *summary.Run) {
	var g []summary.Group
	for _, group := range r.Groups {
		if group.TakenApart() {
			g = append(g, group)
		}
	}
	if len(g) == 0 {
		return
	}
	p.line("")
	p.line("Starts taken apart (means)")
	phase := cellsOf(g, func(g *summary.Group) string { return g.Phase })
	function := cellsOf(g, func(g *summary.Group) string { return g.Function })
	columns := []column{{head: "phase", left: true, keep: phaseKeep(g), cells: phase}}
	if several(function) {
		columns = append(columns, column{head: "function", left: true, cells: function})
	}
	if tier := cellsOf(g, func(g *summary.Group) string { return g.Tier }); several(tier) {
		columns = append(columns, column{head: "tier", left: true, keep: 6, cells: tier})
	}
	start := cellsOf(g, func(g *summary.Group) string { return reports.StartOf(r, g) })
	columns = append(columns, column{head: "start", left: true, keep: 10, cells: start})
	grouped(phase, function)
	p.takenApart(columns, g)
}

// takenApart is the table of the parts of groups, behind the columns that name
// them.
func (p *page) takenApart(columns []column, g []summary.Group) {
	part := func(of func(*summary.Breakdown) *int64) []string {
		return cellsOf(g, func(g *summary.Group) string { return nanos(of(&g.Breakdown)) })
	}
	columns = append(columns, column{head: "n", keep: 1, cells: cellsOf(g, func(g *summary.Group) string { return units.FormatCount(g.Breakdown.N) })})
	if slices.ContainsFunc(g, func(g summary.Group) bool { return g.Breakdown.Trigger != nil }) {
		columns = append(columns, column{head: "trigger", keep: 11, cells: part(func(b *summary.Breakdown) *int64 { return b.Trigger })})
	}
	dropped := p.table(append(columns,
		column{head: "queue", keep: 2, cells: part(func(b *summary.Breakdown) *int64 { return b.Queue })},
		column{head: "provision", keep: 8, cells: part(func(b *summary.Breakdown) *int64 { return b.Provision })},
		column{head: "boot", keep: 7, cells: part(func(b *summary.Breakdown) *int64 { return b.Boot })},
		column{head: "init", keep: 9, cells: part(func(b *summary.Breakdown) *int64 { return b.Init })},
		column{head: "handler", keep: 5, cells: part(func(b *summary.Breakdown) *int64 { return b.Handler })},
		column{head: "rest", keep: 3, cells: part(func(b *summary.Breakdown) *int64 { return b.Rest })},
		column{head: "service", cells: cellsOf(g, func(g *summary.Group) string { return nanos(total(&g.Breakdown)) })},
	))
	p.leftOut(dropped)
}

// phaseKeep lets the phase go where it tells no two rows apart.
func phaseKeep(g []summary.Group) int {
	seen := make(map[[2]string]bool)
	for i := range g {
		row := [2]string{g[i].Function, g[i].Start}
		if seen[row] {
			return 0
		}
		seen[row] = true
	}
	if len(g) < 2 {
		return 0
	}
	return 4
}

// total is the mean service, to which the parts add up.
func total(b *summary.Breakdown) *int64 {
	var sum int64
	for _, v := range []*int64{b.Trigger, b.Queue, b.Provision, b.Boot, b.Init, b.Handler, b.Rest} {
		if v != nil {
			sum += *v
		}
	}
	return &sum
}

// phases is what was offered and achieved.
func (p *page) phases(r *summary.Run) {
	ph := r.Phases
	rate := func(v float64) string { return units.FormatRate(units.Rate(v)) }
	dropped := p.table([]column{
		{head: "phase", left: true, cells: cellsOf(ph, func(ph *summary.Phase) string {
			if ph.Warmup {
				return ph.Name + " (warm-up)"
			}
			return ph.Name
		})},
		{head: "duration", keep: 1, cells: cellsOf(ph, func(ph *summary.Phase) string { return nanos(&ph.Duration) })},
		{head: "offered", keep: 4, cells: cellsOf(ph, func(ph *summary.Phase) string { return rate(ph.OfferedRate) })},
		{head: "achieved", keep: 5, cells: cellsOf(ph, func(ph *summary.Phase) string { return rate(ph.AchievedRate) })},
		{head: "sent", keep: 6, cells: cellsOf(ph, func(ph *summary.Phase) string { return units.FormatCount(ph.Sent) })},
		{head: "dropped", keep: 3, cells: cellsOf(ph, func(ph *summary.Phase) string { return p.errors(ph.Dropped) })},
		{head: "errors", keep: 2, cells: cellsOf(ph, func(ph *summary.Phase) string { return p.errors(ph.Errors) })},
		{head: "cold", cells: cellsOf(ph, reports.ColdShare)},
	})
	p.leftOut(dropped)
	p.wrap(generator(r), "")
}

// generator is how late requests went out, and by whose doing.
func generator(r *summary.Run) string {
	lag := reports.Lag(r.Lag) + "."
	if r.Held > 0 {
		lag = fmt.Sprintf("From due to sent, %s of %s held at the in-flight cap: %s", units.FormatCount(r.Held), units.FormatCount(r.Sent), lag)
	} else {
		lag = "The generator's own lag: " + lag
	}
	if r.PeakBacklog > 0 {
		lag += fmt.Sprintf(" At most %s %s due and not yet sent.", units.FormatCount(r.PeakBacklog), were(r.PeakBacklog))
	}
	if r.Backlog > 0 {
		lag += fmt.Sprintf(" At most %s %s under way at once.", units.FormatNoun(r.Backlog, "request"), were(uint64(r.Backlog)))
	}
	return lag
}

func were(n uint64) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
