package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
)

//go:embed keepalive.html.tmpl
var keepAlivePage string

// keepAliveView is what the template reads.
type keepAliveView struct {
	*reports.KeepAlive
	Style  template.CSS
	Charts []chartView
}

// KeepAlive writes the page of a search for how long an idle instance is kept.
func KeepAlive(w io.Writer, k *reports.KeepAlive) error {
	t, err := template.New("keepalive").Funcs(functions()).Funcs(template.FuncMap{
		"part": func(v float64) string { return units.FormatShare(v) },
	}).Parse(keepAlivePage)
	if err != nil {
		return fmt.Errorf("parse keep-alive template: %w", err)
	}
	v := keepAliveView{KeepAlive: k, Style: style("")}
	for _, c := range chart.KeepAlive(k) {
		v.Charts = append(v.Charts, viewOfChart(c))
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write keep-alive: %w", err)
	}
	return nil
}
