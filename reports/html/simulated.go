package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
)

//go:embed simulated.html.tmpl
var simulatedPage string

// simulatedView is what the template of a simulation reads.
type simulatedView struct {
	*reports.Simulated
	Style  template.CSS
	Tables []tableView
	Charts []chartView
}

// tableView is a table by its rows.
type tableView struct {
	reports.Table
	Rows [][]cell
}

type cell struct {
	Text string
	Left bool
}

// Simulated writes the page of a simulation or a sweep.
func Simulated(w io.Writer, s *reports.Simulated, charts []chart.Chart) error {
	t, err := template.New("simulated").Parse(simulatedPage)
	if err != nil {
		return fmt.Errorf("parse report template: %w", err)
	}
	v := simulatedView{Simulated: s, Style: style(""), Tables: viewsOf(s.Tables), Charts: viewsOfCharts(charts)}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// rows are columns the other way round.
func rows(columns []reports.Column) [][]cell {
	if len(columns) == 0 {
		return nil
	}
	list := make([][]cell, len(columns[0].Cells))
	for i := range list {
		for _, c := range columns {
			list[i] = append(list[i], cell{c.Cells[i], c.Left})
		}
	}
	return list
}
