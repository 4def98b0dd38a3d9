package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/coldcurve/coldcurve/reports"
)

// Sheet writes an answer, its tables, and what they rest on.
func Sheet(w io.Writer, o Options, s *reports.Sheet) error {
	return onPage(w, o, func(p *page) {
		for _, a := range s.Answer {
			p.wrap(clean(a), "")
		}
		for i := range s.Tables {
			p.line("")
			if title := s.Tables[i].Title; title != "" {
				p.wrap(clean(title), "")
			}
			p.leftOut(p.table(columnsOf(&s.Tables[i])))
			if foot := s.Tables[i].Foot; foot != "" {
				p.wrap(clean(foot), "")
			}
		}
		p.line("")
		for _, n := range s.Notes {
			p.wrap(clean(n), "")
		}
		for i, n := range s.Footnotes {
			p.wrap(clean(n), fmt.Sprintf("[%d] ", i+1))
		}
	})
}

// columnsOf are a table's columns, with nothing in them that a terminal obeys.
func columnsOf(t *reports.Table) []column {
	var columns []column
	for _, c := range t.Columns {
		columns = append(columns, column{head: clean(c.Head), left: c.Left, keep: c.Keep, cells: cleanAll(c.Cells)})
	}
	return columns
}

func (p *page) leftOut(dropped []string) {
	if len(dropped) > 0 {
		p.wrap("Left out to fit the width: "+strings.Join(dropped, ", ")+".", "")
	}
}
