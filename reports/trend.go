package reports

import (
	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/gate"
)

// Trend is one figure over saved baselines, the oldest first.
type Trend struct {
	Rule   gate.Rule // which figure
	Points []TrendPoint
}

// TrendPoint is a baseline's runs.
type TrendPoint struct {
	Name   string
	Values []float64 // of the runs that have the figure, in the metric's unit; never empty
}

// TrendOf is a figure over those baselines that have it.
func TrendOf(rule *gate.Rule, list []*baseline.Baseline) (*Trend, error) {
	t := &Trend{Rule: *rule}
	for _, b := range list {
		trials, err := b.Trials()
		if err != nil {
			return nil, err
		}
		point := TrendPoint{Name: b.Name}
		for i := range trials {
			if v, why := rule.Figure(&trials[i]); why == "" && len(trials[i].Invalid) == 0 {
				point.Values = append(point.Values, v)
			}
		}
		if len(point.Values) > 0 {
			t.Points = append(t.Points, point)
		}
	}
	return t, nil
}
