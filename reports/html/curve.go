package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
)

//go:embed curve.html.tmpl
var curvePage string

//go:embed curve.css
var curveCSS string

// curveView is what the template of curves reads.
type curveView struct {
	Title     string
	Style     template.CSS
	Answer    []string
	Picture   template.HTML // of the curves
	Caption   string
	Charts    []chartView // the others
	Axis      string
	Heads     []string // of the table of values, the axis first
	Rows      [][]string
	Breakeven []breakevenRow
	Notes     []string
	Sources   []string
}

type breakevenRow struct{ At, Cheaper, Than, Kind, Costs, Other string }

// Curve writes curves as one page. A pointer over the chart shows exact values.
func Curve(w io.Writer, c reports.Curves) error {
	t, err := template.New("curve").Parse(curvePage)
	if err != nil {
		return fmt.Errorf("parse curve template: %w", err)
	}
	v := curveView{
		Title: "What " + c.Series[0].Option + " costs, and what else would", Style: style(curveCSS), Answer: c.Answer(), Axis: c.Axis(),
		Picture: template.HTML(chart.InlineCurve(c)), // which escapes what came from outside
		Notes:   c.Notes(), Sources: c.Sources(), Heads: []string{c.Axis()},
	}
	for i, one := range chart.Curves(c) {
		if i == 0 {
			v.Caption = one.Caption
			continue
		}
		v.Charts = append(v.Charts, chartView{one.Title, one.Caption, template.HTML(one.Inline())})
	}
	for _, s := range c.Series {
		v.Heads = append(v.Heads, s.Option)
	}
	for i, p := range c.Series[0].Points {
		row := []string{c.Place(p.X)}
		for _, s := range c.Series {
			row = append(row, valueOf(s.Points[i].Err, s.Points[i].Instances, s.Points[i].Total.String()))
		}
		v.Rows = append(v.Rows, row)
	}
	for _, b := range c.Breakevens() {
		kind, costs, other := "cross", b.After[1].String(), b.After[0].String()
		if b.Step {
			kind, costs, other = "step", fmt.Sprintf("%v to %v", b.Before[1], b.After[1]), fmt.Sprintf("%v to %v", b.Before[0], b.After[0])
		}
		v.Breakeven = append(v.Breakeven, breakevenRow{c.Place(b.X), reports.Instances(b.Between[1], b.Instances[1], b.Instances[1]),
			reports.Instances(b.Between[0], b.Instances[0], b.Instances[0]), kind, costs, other})
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write curve page: %w", err)
	}
	return nil
}

func valueOf(err error, instances int, total string) string {
	switch {
	case err != nil:
		return "cannot"
	case instances > 0:
		return fmt.Sprintf("%d x %s", instances, total)
	}
	return total
}
