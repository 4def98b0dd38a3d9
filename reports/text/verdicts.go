package text

import (
	"io"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Verdicts writes what was found between two sides: in sentences, as a table of
// the rules, and what each could have shown.
func Verdicts(w io.Writer, o Options, v *reports.Verdicts) error {
	return onPage(w, o, func(p *page) { p.verdicts(v, v.Answer()) })
}

// Comparison writes a comparison by pairs: its verdicts, and how the phases of
// what regressed have moved.
func Comparison(w io.Writer, o Options, c *reports.Comparison) error {
	return onPage(w, o, func(p *page) {
		notes := c.Notes
		c.Notes = nil
		p.verdicts(&c.Verdicts, c.Answer())
		c.Notes = notes
		for i := range c.Document.Findings {
			if f := &c.Document.Findings[i]; len(f.Parts) > 0 {
				p.parts(f)
			}
		}
		p.colds(c.Document.Colds)
		p.notes(c.Notes)
	})
}

// colds is a table of the cold starts by what made them necessary.
func (p *page) colds(list []comparison.Cold) {
	if len(list) == 0 {
		return
	}
	p.line("")
	p.line("Cold starts by what made them necessary, all runs of a side together:")
	p.line("")
	cells := func(of func(*comparison.Cold) string) []string { return cellsOf(list, of) }
	median := func(s comparison.ColdSide) string {
		if s.N == 0 {
			return "-"
		}
		return units.FormatDuration(s.Median)
	}
	p.table([]column{
		{head: "start", left: true, cells: cells(func(c *comparison.Cold) string { return c.Start })},
		{head: "", left: true, cells: cells(func(c *comparison.Cold) string { return reports.Occasion(c.Start) })},
		{head: "base n", cells: cells(func(c *comparison.Cold) string { return units.FormatCount(c.Base.N) })},
		{head: "p50", cells: cells(func(c *comparison.Cold) string { return median(c.Base) })},
		{head: "head n", cells: cells(func(c *comparison.Cold) string { return units.FormatCount(c.Head.N) })},
		{head: "p50", cells: cells(func(c *comparison.Cold) string { return median(c.Head) })},
	})
}

// parts is a table of how the phases of a finding's requests have moved.
func (p *page) parts(f *comparison.Finding) {
	p.line("")
	p.line("Where " + clean(f.Subject()) + " has gone, in means of the runs:")
	p.line("")
	cells := func(of func(*comparison.Part) string) []string { return cellsOf(f.Parts, of) }
	p.table([]column{
		{head: "phase", left: true, cells: cells(func(p *comparison.Part) string { return p.Name })},
		{head: "base", cells: cells(func(p *comparison.Part) string { return units.FormatDuration(p.Base) })},
		{head: "head", cells: cells(func(p *comparison.Part) string { return units.FormatDuration(p.Head) })},
		{head: "change", cells: cells(func(p *comparison.Part) string { return reports.Signed(&p.Change) })},
		{head: "95% interval", keep: 1, cells: cells(func(p *comparison.Part) string { return reports.Signed(p.Lower) + " to " + reports.Signed(p.Upper) })},
		{head: "", left: true, cells: cells(func(p *comparison.Part) string {
			if p.Moved() {
				return "moved"
			}
			return ""
		})},
	})
}

func (p *page) verdicts(v *reports.Verdicts, answer []string) {
	p.line(p.paint(bold, clean(v.Title)))
	p.line("")
	for _, sentence := range answer {
		p.wrap(clean(sentence), "")
	}
	p.line("")
	p.wrap(clean(v.Base), "base  ")
	p.wrap(clean(v.Head), "head  ")
	p.line("")
	cells := func(of func(*gate.Record) string) []string { return cellsOf(v.Findings, of) }
	p.table([]column{
		{head: "figure", left: true, cells: cells(func(f *gate.Record) string { return clean(f.Subject()) })},
		{head: "base", keep: 3, cells: cells(func(f *gate.Record) string { return f.Value(f.Base) })},
		{head: "head", keep: 4, cells: cells(func(f *gate.Record) string { return f.Value(f.Head) })},
		{head: "change", cells: cells(func(f *gate.Record) string { return f.Difference(f.Change) })},
		{head: "interval", keep: 2, cells: cells(v.Interval)},
		{head: "verdict", left: true, cells: cells(func(f *gate.Record) string { return p.paint(verdictColor(f), verdictWord(f)) })},
		{head: v.Unit(), keep: 1, cells: cells(reports.Counted)},
	})
	p.line("")
	for _, reason := range v.Reasons() {
		p.wrap(clean(reason)+".", "- ")
	}
	p.notes(v.Notes)
}

func verdictWord(f *gate.Record) string {
	if f.Severity == gate.Warn.String() && !f.Holds() {
		return string(f.Verdict) + " (warns)"
	}
	return string(f.Verdict)
}

func verdictColor(f *gate.Record) color {
	switch {
	case f.Verdict == gate.Regressed && f.Severity != gate.Warn.String():
		return red
	case f.Holds():
		return green
	}
	return yellow
}
