package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
)

//go:embed sheet.html.tmpl
var sheetPage string

// sheetCSS keeps the spaces that names are indented by.
const sheetCSS = "td.name{white-space:pre}"

// sheetView is what the template of a sheet reads.
type sheetView struct {
	*reports.Sheet
	Style  template.CSS
	Tables []tableView
	Charts []chartView
}

// Sheet writes an answer, its tables and charts as one page.
func Sheet(w io.Writer, s *reports.Sheet, charts []chart.Chart) error {
	t, err := template.New("sheet").Parse(sheetPage)
	if err != nil {
		return fmt.Errorf("parse sheet template: %w", err)
	}
	v := sheetView{Sheet: s, Style: style(sheetCSS), Tables: viewsOf(s.Tables), Charts: viewsOfCharts(charts)}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write sheet: %w", err)
	}
	return nil
}

func viewsOf(tables []reports.Table) []tableView {
	var list []tableView
	for _, t := range tables {
		list = append(list, tableView{t, rows(t.Columns)})
	}
	return list
}

func viewsOfCharts(charts []chart.Chart) []chartView {
	var list []chartView
	for _, c := range charts {
		list = append(list, viewOfChart(c))
	}
	return list
}
