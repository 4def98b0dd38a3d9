package cli

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/coldcurve/coldcurve/reports/text"
)

// sheet is rows of cells below one another, of which the last is broken to the
// width.
type sheet struct {
	width  int    // columns; 0 breaks nothing
	indent string // before every row
	rows   [][]string
}

// row adds cells, unless there is nothing in the last.
func (s *sheet) row(cells ...string) {
	if cells[len(cells)-1] != "" {
		s.rows = append(s.rows, cells)
	}
}

func (s *sheet) print(out io.Writer) {
	var widths []int
	for _, r := range s.rows {
		for i, cell := range r[:len(r)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, r := range s.rows {
		lead := s.indent
		for i, cell := range r[:len(r)-1] {
			lead += fmt.Sprintf("%-*s  ", widths[i], cell)
		}
		limit := math.MaxInt
		if s.width > 0 {
			limit = s.width - len(lead)
		}
		for _, line := range text.Wrap(r[len(r)-1], limit) {
			fmt.Fprintln(out, lead+line)
			lead = strings.Repeat(" ", len(lead))
		}
	}
}
