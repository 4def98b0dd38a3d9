package text

import (
	"io"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// KeepWarm writes the answer, a line for each way, and what they rest on.
func KeepWarm(w io.Writer, o Options, k *study.KeepWarm) error {
	return onPage(w, o, func(p *page) {
		p.wrap(clean(reports.KeepWarm(k)), "")
		p.line("")
		row := func(of func(*study.Warmer) string) []string { return cellsOf(k.Ways, of) }
		p.leftOut(p.table([]column{
			{head: "way", left: true, cells: row(func(w *study.Warmer) string { return clean(w.Name) })},
			{head: "cold a month", keep: 1, cells: row(func(w *study.Warmer) string { return units.FormatCount(w.Cold) })},
			{head: "share", keep: 4, cells: row(func(w *study.Warmer) string { return units.FormatShare(w.Share) })},
			{head: "a month", cells: row(func(w *study.Warmer) string { return w.Month.String() })},
			{head: "more", keep: 2, cells: row(func(w *study.Warmer) string { return signed(w.Extra) })},
			{head: "an avoided start", keep: 3, cells: row(func(w *study.Warmer) string { return orDash(w.Each, signed) })},
			{head: "target", left: true, keep: 5, cells: row(func(w *study.Warmer) string {
				if w.Holds {
					return "held"
				}
				return "broken"
			})},
		}))
		for _, n := range reports.KeepWarmNotes(k) {
			p.wrap(clean(n), "")
		}
	})
}

// signed is an amount that may be one less.
func signed(m units.Money) string {
	if m < 0 {
		return "-" + (-m).String()
	}
	return m.String()
}
