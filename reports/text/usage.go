package text

import (
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/reports"
)

// usage is who has used what, where there is more than one to tell apart.
func (p *page) usage(r *summary.Run) {
	if !reports.SeveralUsers(r.Usage) {
		return
	}
	rows := append(append([]usage.Entry{}, r.Usage.Entries...), usage.Entry{Key: usage.Key{Function: "total"}, Usage: r.Usage.Total})
	text := func(of func(*usage.Key) string) []string {
		return cellsOf(rows, func(e *usage.Entry) string { return of(&e.Key) })
	}
	count := func(of func(*usage.Usage) uint64) []string {
		return cellsOf(rows, func(e *usage.Entry) string { return units.FormatCount(of(&e.Usage)) })
	}
	p.line("")
	p.line("Who used what (metered by the platform, warm-up included)")
	dropped := p.table([]column{
		{head: "function", left: true, cells: text(func(k *usage.Key) string { return k.Function })},
		{head: "version", left: true, keep: 2, cells: text(func(k *usage.Key) string { return k.Version })},
		{head: "consumer", left: true, keep: 9, cells: text(func(k *usage.Key) string { return k.Consumer })},
		{head: "stage", left: true, keep: 8, cells: text(func(k *usage.Key) string { return k.Stage })},
		{head: "requests", keep: 7, cells: count(func(u *usage.Usage) uint64 { return u.Requests })},
		{head: "errors", keep: 3, cells: count(func(u *usage.Usage) uint64 { return u.Errors + u.Throttled + u.Refused })},
		{head: "cold", keep: 4, cells: count(func(u *usage.Usage) uint64 { return u.Cold })},
		{head: "billed", keep: 5, cells: cellsOf(rows, func(e *usage.Entry) string { return units.FormatDuration(e.Usage.Billed) })},
		{head: "init billed", keep: 1, cells: cellsOf(rows, func(e *usage.Entry) string { return units.FormatDuration(e.Usage.InitBilled) })},
		{head: "GB-s", keep: 6, cells: cellsOf(rows, func(e *usage.Entry) string { return reports.GBSeconds(&e.Usage) })},
	})
	p.leftOut(dropped)
}
