package text

import (
	"io"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// KeepAlive writes how long an idle instance is kept: in sentences, and gap by
// gap how many were still there.
func KeepAlive(w io.Writer, o Options, k *reports.KeepAlive) error {
	return onPage(w, o, func(p *page) {
		p.line(p.paint(bold, clean(k.Title)))
		for _, sentence := range k.Answer() {
			p.wrap(clean(sentence), "")
		}
		if points := k.Document.Finding.Points; len(points) > 0 {
			p.line("")
			cells := func(of func(*keepalive.Point) string) []string { return cellsOf(points, of) }
			p.table([]column{
				{head: "idle for", cells: cells(func(o *keepalive.Point) string { return units.FormatDuration(o.Asked) })},
				{head: "probes", cells: cells(func(o *keepalive.Point) string { return units.FormatCount(int64(o.N)) })},
				{head: "still there", cells: cells(func(o *keepalive.Point) string { return units.FormatCount(int64(o.Kept)) })},
				{head: "share", cells: cells(func(o *keepalive.Point) string { return units.FormatShare(o.Share) })},
				{head: "95% interval", cells: cells(func(o *keepalive.Point) string {
					return units.FormatShare(o.Lower) + " to " + units.FormatShare(o.Upper)
				})},
			})
		}
		p.notes(k.Notes())
	})
}
