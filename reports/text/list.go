package text

import (
	"bufio"
	"fmt"
	"io"
)

// Item is a thing with its state and what there is to say about it.
type Item struct{ Name, State, Detail string }

// List writes items below each other, their details wrapped beside them.
func List(w io.Writer, o Options, items []Item) error {
	items = cleanEach(items, func(i *Item) { i.Name, i.State, i.Detail = clean(i.Name), clean(i.State), clean(i.Detail) })
	return onPage(w, o, func(p *page) {
		name, state := 0, 0
		for _, i := range items {
			name, state = max(name, width(i.Name)), max(state, width(i.State))
		}
		for _, i := range items {
			p.wrap(i.Detail, fmt.Sprintf("%-*s  %-*s  ", name, i.Name, state, i.State))
		}
	})
}

// Table writes rows below their heads, the first column aligned left. Columns
// that do not fit the width are left out and named below.
func Table(w io.Writer, o Options, heads []string, rows [][]string) error {
	heads = cleanAll(heads)
	return onPage(w, o, func(p *page) {
		columns := make([]column, len(heads))
		for i, head := range heads {
			columns[i] = column{head: head, left: i == 0, keep: i}
			for _, row := range rows {
				columns[i].cells = append(columns[i].cells, clean(row[i]))
			}
		}
		p.leftOut(p.table(columns))
	})
}

func onPage(w io.Writer, o Options, write func(*page)) error {
	b := bufio.NewWriter(w)
	p := page{w: b, o: o}
	write(&p)
	if p.err == nil {
		p.err = b.Flush()
	}
	return p.err
}
