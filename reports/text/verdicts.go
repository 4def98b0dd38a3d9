package text

import (
	"fmt"
	"io"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

// Verdicts writes what was found between two sides: in sentences, as a table of
// the rules, and what each could have shown.
func Verdicts(w io.Writer, o Options, v *reports.Verdicts) error {
	return onPage(w, o, func(p *page) { p.verdicts(v) })
}

func (p *page) verdicts(v *reports.Verdicts) {
	p.line(p.paint(bold, clean(v.Title)))
	p.line("")
	for _, sentence := range v.Answer() {
		p.wrap(clean(sentence), "")
	}
	p.line("")
	p.wrap(clean(v.Base), "base  ")
	p.wrap(clean(v.Head), "head  ")
	p.line("")
	cells := func(of func(*gate.Record) string) []string { return cellsOf(v.Findings, of) }
	runs := "runs"
	if v.Paired {
		runs = "pairs"
	}
	p.table([]column{
		{head: "figure", left: true, cells: cells(func(f *gate.Record) string { return clean(f.Subject()) })},
		{head: "base", keep: 3, cells: cells(func(f *gate.Record) string { return f.Value(f.Base) })},
		{head: "head", keep: 4, cells: cells(func(f *gate.Record) string { return f.Value(f.Head) })},
		{head: "change", cells: cells(func(f *gate.Record) string { return f.Difference(f.Change) })},
		{head: "interval", keep: 2, cells: cells(v.Interval)},
		{head: "verdict", left: true, cells: cells(func(f *gate.Record) string { return p.paint(verdictColor(f), verdictWord(f)) })},
		{head: runs, keep: 1, cells: cells(func(f *gate.Record) string { return runsOf(f) })},
	})
	p.line("")
	for i := range v.Findings {
		f := &v.Findings[i]
		words := f.Subject() + ": " + f.Why
		if power := v.Power(f); power != "" {
			words += "; " + power
		}
		p.wrap(clean(words)+".", "- ")
	}
	p.notes(v.Notes)
}

func verdictWord(f *gate.Record) string {
	if f.Severity == gate.Warn.String() && f.Verdict != gate.Equivalent && f.Verdict != gate.Improved {
		return string(f.Verdict) + " (warns)"
	}
	return string(f.Verdict)
}

func verdictColor(f *gate.Record) color {
	switch {
	case f.Verdict == gate.Regressed && f.Severity != gate.Warn.String():
		return red
	case slices.Contains([]gate.Verdict{gate.Equivalent, gate.Improved}, f.Verdict):
		return green
	}
	return yellow
}

func runsOf(f *gate.Record) string {
	if f.Runs[0] == f.Runs[1] {
		return fmt.Sprint(f.Runs[0])
	}
	return fmt.Sprintf("%d, %d", f.Runs[0], f.Runs[1])
}
