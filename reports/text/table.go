package text

import (
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// column is a column of a table before it is fitted to the width.
type column struct {
	head  string
	left  bool // aligned left; numbers stand right
	keep  int  // columns of the lowest keep go first where the width is short; 0 never goes
	cells []string
}

// table writes the columns that fit and returns the heads of those that do not.
func (p *page) table(columns []column) (dropped []string) {
	if p.o.Width > 0 {
		shorten(columns, p.o.Width, fairName)
	}
	for p.o.Width > 0 && tableWidth(columns) > p.o.Width {
		least := -1
		for i, c := range columns {
			if c.keep > 0 && (least < 0 || c.keep < columns[least].keep) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		dropped = append(dropped, columns[least].head)
		columns = append(columns[:least:least], columns[least+1:]...)
	}
	if p.o.Width > 0 {
		shorten(columns, p.o.Width, leastName)
	}
	if p.err == nil {
		p.err = p.render(columns)
	}
	return dropped
}

// A name is cut to fairName before a figure is left out for it, and to
// leastName where even the figures that must stay do not fit.
const (
	fairName  = 24
	leastName = 12
)

// shorten cuts the longest names, a column at a time and none below least,
// until the table is no wider than limit.
func shorten(columns []column, limit, least int) {
	for over := tableWidth(columns) - limit; over > 0; over = tableWidth(columns) - limit {
		widest, most := -1, least
		for i, c := range columns {
			if w := c.width(); c.left && w > most {
				widest, most = i, w
			}
		}
		if widest < 0 {
			return
		}
		room := max(most-over, least)
		for r, s := range columns[widest].cells {
			if runes := []rune(s); len(runes) > room {
				columns[widest].cells[r] = string(runes[:room-2]) + ".."
			}
		}
	}
}

// tableWidth is the width with a space on each side of a cell and a line
// between cells and around.
func tableWidth(columns []column) int {
	w := 1
	for _, c := range columns {
		w += c.width() + 3
	}
	return w
}

func (c *column) width() int {
	w := width(c.head)
	for _, s := range c.cells {
		w = max(w, width(s))
	}
	return w
}

func width(s string) int { return len([]rune(stripped(s))) }

func (p *page) render(columns []column) error {
	if len(columns) == 0 {
		return nil
	}
	var out strings.Builder
	t := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(p.rendition())),
		// The default would write headers in capitals, and µs as MS with them.
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
	)
	heads := make([]string, len(columns))
	align := make(tw.Alignment, len(columns))
	for i, c := range columns {
		heads[i] = p.paint(bold, c.head)
		align[i] = tw.AlignRight
		if c.left {
			align[i] = tw.AlignLeft
		}
	}
	t.Configure(func(c *tablewriter.Config) {
		c.Header.Alignment.PerColumn = align
		c.Row.Alignment.PerColumn = align
	})
	t.Header(heads)
	for r := range columns[0].cells {
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = c.cells[r]
		}
		if err := t.Append(row); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		p.line(strings.TrimRight(line, " \n"))
	}
	return nil
}

// rendition has lines on a terminal; a pipe gets a rule under the header and
// nothing else to trip over.
func (p *page) rendition() tw.Rendition {
	if p.o.Terminal {
		return tw.Rendition{Symbols: tw.NewSymbols(tw.StyleLight)}
	}
	return tw.Rendition{
		Symbols: tw.NewSymbolCustom("plain").WithRow("-").WithColumn(" ").WithCenter(" ").
			WithMidLeft("").WithMidRight(""),
		Borders: tw.Border{Left: tw.Off, Right: tw.Off, Top: tw.Off, Bottom: tw.Off},
		Settings: tw.Settings{
			Lines:      tw.Lines{ShowHeaderLine: tw.On},
			Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
		},
	}
}
