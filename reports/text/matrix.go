package text

import (
	"io"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Matrix writes what was measured on several platforms in turn: who failed, the
// platforms below each other, and their starts taken apart.
func Matrix(w io.Writer, o Options, m *reports.Matrix) error {
	return onPage(w, o, func(p *page) {
		p.line(p.paint(bold, clean(m.Title)))
		failed := make(map[string]bool)
		for _, f := range m.Document.Failures() {
			failed[reports.MatrixFailure(&f)] = true
		}
		for _, sentence := range m.Answer() {
			lead := ""
			if failed[sentence] {
				lead = p.paint(red, "FAILED: ")
			}
			p.wrap(clean(sentence), lead)
		}
		p.platforms(m.Lines)
		p.platformPhases(m.Phases)
		p.platformStarts(m.TakenApart())
		p.checks(cleanEach(m.Checks(), func(c *summary.Check) { c.Message = clean(c.Message) }))
		p.notes(m.Notes())
	})
}

// platforms is the main table of a matrix.
func (p *page) platforms(lines []reports.MatrixLine) {
	if len(lines) == 0 {
		return
	}
	p.line("")
	groups := groupsOf(lines)
	cells := func(of func(*reports.MatrixLine) string) []string { return cellsOf(lines, of) }
	figure := func(key string, of func(*summary.Figures) *int64) []string {
		return p.marked(groups, key, cells(func(l *reports.MatrixLine) string { return nanos(of(&l.Latency)) }))
	}
	perMillion := cells(func(l *reports.MatrixLine) string { return l.PerMillion })
	columns := named(lines)
	grouped(columns[0].cells, perMillion)
	for i := range columns {
		if columns[i].head == "start" {
			for j := range columns[i].cells {
				columns[i].cells[j] = p.paint(startColor(groups[j].Start), columns[i].cells[j])
			}
		}
	}
	p99 := figure("p99", func(f *summary.Figures) *int64 { return f.P99 })
	dropped := p.table(append(columns,
		column{head: "evidence", left: true, keep: 8, cells: cells(func(l *reports.MatrixLine) string { return l.Grade })},
		column{head: "n", keep: 7, cells: cells(func(l *reports.MatrixLine) string { return units.FormatCount(l.N) })},
		column{head: "errors", keep: errorsKeep(groups), cells: cells(func(l *reports.MatrixLine) string { return p.errors(l.Errors) })},
		column{head: "p50", cells: figure("p50", func(f *summary.Figures) *int64 { return f.P50 })},
		column{head: "95% interval", keep: 4, cells: cells(func(l *reports.MatrixLine) string { return reports.Interval(l.Interval.P50) })},
		column{head: "p90", keep: 2, cells: figure("p90", func(f *summary.Figures) *int64 { return f.P90 })},
		column{head: "p99", keep: told(p99, 6), cells: p99},
		column{head: "max", keep: 3, cells: cells(func(l *reports.MatrixLine) string { return nanos(l.Latency.Max) })},
		column{head: "on Lambda", cells: perMillion},
	))
	p.wrap("Latency of answered requests, from the moment when each was meant to be sent, all phases and runs of a platform together. "+none+
		": too few requests to tell, or nobody says what is billed.", "")
	p.explainMark(slices.ContainsFunc(groups, func(g summary.Group) bool { return len(g.Limited) > 0 }))
	p.leftOut(dropped)
}

// platformPhases has each phase by itself: what is cold by design in one, and
// warm in another.
func (p *page) platformPhases(lines []reports.MatrixLine) {
	if len(lines) == 0 {
		return
	}
	p.line("")
	p.line("Phase by phase")
	groups := groupsOf(lines)
	cells := func(of func(*reports.MatrixLine) string) []string { return cellsOf(lines, of) }
	columns := named(lines)
	phase := column{head: "phase", left: true, cells: cells(func(l *reports.MatrixLine) string { return clean(l.Phase) })}
	columns = slices.Insert(columns, len(columns)-1, phase)
	grouped(columns[0].cells)
	dropped := p.table(append(columns,
		column{head: "evidence", left: true, keep: 2, cells: cells(func(l *reports.MatrixLine) string { return l.Grade })},
		column{head: "n", keep: 7, cells: cells(func(l *reports.MatrixLine) string { return units.FormatCount(l.N) })},
		column{head: "errors", keep: errorsKeep(groups), cells: cells(func(l *reports.MatrixLine) string { return p.errors(l.Errors) })},
		column{head: "p50", keep: 5, cells: p.marked(groups, "p50", cells(func(l *reports.MatrixLine) string { return nanos(l.Latency.P50) }))},
		column{head: "95% interval", keep: 1, cells: cells(func(l *reports.MatrixLine) string { return reports.Interval(l.Interval.P50) })},
	))
	p.leftOut(dropped)
}

// told lets a column go first that tells nothing.
func told(cells []string, keep int) int {
	if slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != none }) {
		return keep
	}
	return 1
}

// platformStarts takes the platforms' starts apart.
func (p *page) platformStarts(lines []reports.MatrixLine) {
	if len(lines) == 0 {
		return
	}
	p.line("")
	p.line("Starts taken apart (means), as far as each platform tells")
	columns := named(lines)
	grouped(columns[0].cells)
	p.takenApart(columns, groupsOf(lines))
}

// named are the columns that say of what a line is: the platform, the function
// and its tier where there is a choice, the start kind.
func named(lines []reports.MatrixLine) []column {
	cells := func(of func(*reports.MatrixLine) string) []string { return cellsOf(lines, of) }
	columns := []column{{head: "platform", left: true, cells: cells(func(l *reports.MatrixLine) string { return clean(l.Platform) })}}
	if function := cells(func(l *reports.MatrixLine) string { return clean(l.Function) }); several(function) {
		columns = append(columns, column{head: "function", left: true, cells: function})
	}
	return append(columns, column{head: "start", left: true, cells: cells(func(l *reports.MatrixLine) string { return clean(l.Kind) })})
}

func groupsOf(lines []reports.MatrixLine) []summary.Group {
	var groups []summary.Group
	for _, l := range lines {
		groups = append(groups, l.Group)
	}
	return groups
}
