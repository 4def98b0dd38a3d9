package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
)

//go:embed comparison.html.tmpl
var comparisonPage string

// comparisonView is what the comparison's template reads.
type comparisonView struct {
	*reports.Comparison
	Style   template.CSS
	Charts  []chartView
	Answers []string
}

// Comparison writes the page of a comparison.
func Comparison(w io.Writer, c *reports.Comparison) error {
	t, err := template.New("comparison").Funcs(functions()).Funcs(template.FuncMap{
		"signed": reports.Signed,
		"class":  classOf,
		"by":     func(p comparison.Part) *time.Duration { return &p.Change },
		"sides":  func(c comparison.Cold) []comparison.ColdSide { return []comparison.ColdSide{c.Base, c.Head} },

		"occasion": reports.Occasion,
		"counted":  func(f comparison.Finding) string { return reports.Counted(&f.Record) },
	}).Parse(comparisonPage)
	if err != nil {
		return fmt.Errorf("parse comparison template: %w", err)
	}
	v := comparisonView{Comparison: c, Style: style(""), Answers: c.Answer()}
	for _, p := range chart.Comparison(c) {
		// gonum escapes the text of an SVG, and Inline its label.
		v.Charts = append(v.Charts, chartView{p.Title, p.Caption, template.HTML(p.Inline())})
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

func classOf(v gate.Verdict) string {
	switch v {
	case gate.Regressed, gate.Invalid:
		return "bad"
	case gate.Equivalent, gate.Improved:
		return "good"
	}
	return ""
}

// IntervalOf is a finding's limits.
func (v comparisonView) IntervalOf(f comparison.Finding) string { return v.Interval(&f.Record) }
