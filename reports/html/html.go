// Package html writes a report as one page that needs nothing else.
//
// In: a [reports.Report]. Out: HTML with its charts inside, for a browser that
// opens it from disk, in light or dark, and for paper. It loads nothing,
// runs no script, and escapes whatever came from a scenario or a platform.
package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
)

//go:embed report.html.tmpl
var page string

//go:embed report.css
var css string

// view is what the template reads.
type view struct {
	Title string
	Style template.CSS
	Runs  []runView
	Kinds []definition
}

type runView struct {
	*summary.Run
	Data    *reports.Run
	Title   string
	Banner  string // what must not be used; "" in a valid run
	Answer  []string
	Charts  []chartView
	Causes  []string
	Doubts  []string
	Columns []column
	Users   []usage.Entry   // with the total; none where there is nothing to tell apart
	Starts  []summary.Group // those that are taken apart
	// Tiers and Triggers say that there are some, so that the table shows them.
	Tiers, Triggers bool
	// Functions says that there are several, so that tables name them.
	Functions bool
}

type chartView struct {
	Title, Caption string
	Picture        template.HTML
}

// column is a quantile's column of the key table.
type column struct {
	Head     string
	key      string // of the quantile in the document; "" for a figure that is none
	figure   func(*summary.Figures) *int64
	interval func(*summary.Intervals) *[2]int64 // nil for a figure that has none
}

type definition struct{ Name, Text string }

// Write writes the page.
func Write(w io.Writer, r *reports.Report) error {
	t, err := template.New("report").Funcs(functions()).Parse(page)
	if err != nil {
		return fmt.Errorf("parse report template: %w", err)
	}
	v := view{
		Title: "coldcurve",
		Style: style(""),
		Kinds: definitions(),
	}
	for i := range r.Document.Runs {
		var data reports.Run
		if i < len(r.Runs) {
			data = r.Runs[i]
		}
		v.Runs = append(v.Runs, viewOf(&r.Document.Runs[i], &data))
	}
	if len(v.Runs) > 0 {
		v.Title = v.Runs[0].Title
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// style is a page's style sheet: the house's, and more of its own. It is ours, and
// the variables are colours.
func style(more string) template.CSS {
	return template.CSS(":root{" + chart.Variables(chart.Light) + "}\n" +
		"@media screen and (prefers-color-scheme: dark){:root{" + chart.Variables(chart.Dark) + "}}\n" + css + more)
}

// viewOfChart puts a chart into a page: gonum escapes the text of an SVG, and
// Inline its label.
func viewOfChart(c chart.Chart) chartView {
	return chartView{c.Title, c.Caption, template.HTML(c.Inline())}
}

func viewOf(run *summary.Run, data *reports.Run) runView {
	v := runView{Run: run, Data: data, Title: reports.Title(run), Answer: reports.Answer(run), Columns: columns(), Causes: reports.Causes(run.Causes)}
	if !run.Valid {
		v.Banner, v.Answer = v.Answer[0], v.Answer[1:]
	}
	for _, c := range chart.All(run, data) {
		v.Charts = append(v.Charts, viewOfChart(c))
	}
	for _, w := range run.Warnings {
		// The dash in the table has its explanation below the table.
		if w.Code != summary.QuantileUnsupported {
			v.Doubts = append(v.Doubts, reports.Doubt(w))
		}
	}
	if reports.SeveralUsers(run.Usage) {
		v.Users = append(slices.Clone(run.Usage.Entries), usage.Entry{Key: usage.Key{Function: "total"}, Usage: run.Usage.Total})
	}
	for _, g := range run.Groups {
		v.Functions = v.Functions || g.Function != run.Groups[0].Function
		if g.TakenApart() {
			v.Starts = append(v.Starts, g)
			v.Tiers = v.Tiers || g.Tier != run.Groups[0].Tier
			v.Triggers = v.Triggers || g.Breakdown.Trigger != nil
		}
	}
	return v
}

// Verdict is the mark of a run whose figures are not to be used.
func (v runView) Verdict() string {
	if !v.Complete {
		return "INCOMPLETE"
	}
	return "INVALID"
}

func columns() []column {
	return []column{
		{"p50", "p50", func(f *summary.Figures) *int64 { return f.P50 }, func(i *summary.Intervals) *[2]int64 { return i.P50 }},
		{"p90", "p90", func(f *summary.Figures) *int64 { return f.P90 }, func(i *summary.Intervals) *[2]int64 { return i.P90 }},
		{"p95", "p95", func(f *summary.Figures) *int64 { return f.P95 }, func(i *summary.Intervals) *[2]int64 { return i.P95 }},
		{"p99", "p99", func(f *summary.Figures) *int64 { return f.P99 }, func(i *summary.Intervals) *[2]int64 { return i.P99 }},
		{"p99.9", "p999", func(f *summary.Figures) *int64 { return f.P999 }, func(i *summary.Intervals) *[2]int64 { return i.P999 }},
		{"max", "", func(f *summary.Figures) *int64 { return f.Max }, nil},
		{"mean", "", func(f *summary.Figures) *int64 { return f.Mean }, nil},
	}
}

// Figure is the column's figure of a group.
func (c column) Figure(g summary.Group) *int64 { return c.figure(&g.Latency) }

// Limited says that the load generator limits the figure.
func (c column) Limited(g summary.Group) bool { return g.LimitedAt(c.key) }

// Interval is the figure's interval in words; "" where it has none.
func (c column) Interval(g summary.Group) string {
	if c.interval == nil || c.interval(&g.Interval) == nil {
		return ""
	}
	return reports.Interval(c.interval(&g.Interval))
}

func functions() template.FuncMap {
	return template.FuncMap{
		"duration": func(ns *int64) string {
			if ns == nil {
				return "–"
			}
			return units.FormatDuration(time.Duration(*ns))
		},
		"cputime": func(ns *float64) string {
			if ns == nil {
				return "–"
			}
			return units.FormatDuration(time.Duration(*ns))
		},
		"kept":  reports.Kept,
		"vcpus": func(n int) string { return units.FormatNoun(n, "vCPU") },
		"start": reports.StartOf,
		"month": reports.Month, "priced": reports.Priced, "monthNotes": reports.MonthNotes,
		"lag":   reports.Lag,
		"mark":  func() string { return reports.LimitMark },
		"nanos": func(ns int64) string { return units.FormatDuration(time.Duration(ns)) },
		"count": func(n uint64) string { return units.FormatCount(n) },
		"time":  units.FormatDuration,
		"gbs":   func(u usage.Usage) string { return reports.GBSeconds(&u) },
		"rate":  func(v float64) string { return units.FormatRate(units.Rate(v)) },
		"share": func(v *float64) string {
			if v == nil {
				return "–"
			}
			return units.FormatShare(*v)
		},
		"date": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
	}
}

// definitions say what the start kinds mean, in the reader's terms.
func definitions() []definition {
	return []definition{
		{sample.Cold.String(), "An instance was started for the request, and the request waited for it."},
		{sample.Restored.String(), "The instance came from a snapshot, a fork of a prepared process or an unpause."},
		{sample.Prewarmed.String(), "An instance of a generic pool was made the function's own for the request."},
		{sample.Queued.String(), "The request started nothing and waited: for somebody else's start, or for a busy instance."},
		{sample.Provisioned.String(), "The instance was booted ahead of demand, as the platform was told to."},
		{sample.Warm.String(), "An idle instance took the request at once."},
		{sample.Unknown.String(), "Nothing that can be believed says how the request was served. It is in no cold and in no warm figure."},
	}
}
