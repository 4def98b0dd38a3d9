package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
)

//go:embed matrix.html.tmpl
var matrixPage string

// matrixView is what the matrix's template reads.
type matrixView struct {
	*reports.Matrix
	Style    template.CSS
	Charts   []chartView
	Failures []string
	Answers  []string // what is no failure
	Columns  []column
	Main     []column // of the first table, which has more beside them
	// Functions says that there are several, so that tables name them.
	Functions bool
}

// Matrix writes the page of what was measured on several platforms in turn.
func Matrix(w io.Writer, m *reports.Matrix) error {
	t, err := template.New("matrix").Funcs(functions()).Parse(matrixPage)
	if err != nil {
		return fmt.Errorf("parse matrix template: %w", err)
	}
	v := matrixView{Matrix: m, Style: style(""), Columns: columns()}
	v.Main = slices.DeleteFunc(columns(), func(c column) bool { return !slices.Contains([]string{"p50", "p90", "p99", "max"}, c.Head) })
	failures := m.Document.Failures()
	for _, p := range failures {
		v.Failures = append(v.Failures, reports.MatrixFailure(&p))
	}
	v.Answers = m.Answer()[len(failures):]
	for _, c := range chart.Matrix(m) {
		v.Charts = append(v.Charts, viewOfChart(c))
	}
	for _, l := range m.Lines {
		v.Functions = v.Functions || l.Function != m.Lines[0].Function
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write matrix: %w", err)
	}
	return nil
}

// lineView is a line as the templates of its cells read it.
type lineView struct {
	Line      reports.MatrixLine
	Functions bool
}

// Of is a line for a template.
func (v matrixView) Of(l reports.MatrixLine) lineView { return lineView{l, v.Functions} }

// Priced are a platform's options that have a price.
func (v matrixView) Priced(p matrix.Platform) []summary.CostOption {
	if p.Cost == nil {
		return nil
	}
	return reports.Priced(p.Cost)
}
