package text

import (
	"fmt"
	"io"

	"github.com/coldcurve/coldcurve/reports"
)

// Simulated writes a simulation or a sweep: the answer, the figures, the
// tables, and the doubts as numbered sentences.
func Simulated(w io.Writer, o Options, s *reports.Simulated) error {
	return onPage(w, o, func(p *page) {
		p.line(p.paint(bold, clean(s.Title)))
		if !s.Complete {
			p.line(p.paint(red, "INCOMPLETE"))
		}
		if s.Answer != "" {
			p.wrap(clean(s.Answer), "")
		}
		if len(s.Figures) > 0 {
			p.line("")
		}
		for _, f := range s.Figures {
			p.wrap(clean(f.Value), fmt.Sprintf("%-14s", f.Name))
		}
		for _, t := range s.Tables {
			p.simulated(&t)
		}
		p.notes(s.Notes)
	})
}

func (p *page) simulated(t *reports.Table) {
	p.line("")
	if t.Title != "" {
		p.line(t.Title)
	}
	p.leftOut(p.table(columnsOf(t)))
	if t.Foot != "" {
		p.line("")
		p.wrap(t.Foot, "")
	}
}

// notes are numbered sentences below the tables.
func (p *page) notes(notes []string) {
	for i, n := range notes {
		if i == 0 {
			p.line("")
		}
		p.wrap(clean(n), fmt.Sprintf("[%d] ", i+1))
	}
}
