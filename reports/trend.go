package reports

import (
	"maps"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
)

// Trend is one figure over saved baselines, the oldest first.
type Trend struct {
	Rule   gate.Rule // which figure
	Alone  bool      // of two sides, without a baseline before them
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

// TrendsOf are the figures that a comparison judges over those of the baselines
// that are of runs like its own, and its own two sides after them. Where no
// baseline is, pairs have none, and other runs show their own sides alone. Seeds do
// not count: a trend is to look at, not to judge by.
func TrendsOf(c *comparison.Comparison, saved []*baseline.Baseline) ([]*Trend, error) {
	sides := []*baseline.Baseline{
		{Name: "this base", Runs: c.Runs(comparison.Base)},
		{Name: "this head", Runs: c.Runs(comparison.Head)},
	}
	like := func(b *baseline.Baseline) bool {
		return slices.ContainsFunc(sides, func(s *baseline.Baseline) bool { return len(s.Runs) > 0 && alike(b.Runs[0].Kind, s.Runs[0].Kind) })
	}
	saved = slices.DeleteFunc(slices.Clone(saved), func(b *baseline.Baseline) bool { return !like(b) })
	if len(saved) == 0 && c.Paired() {
		return nil, nil
	}
	var trends []*Trend
	for i := range c.Policy().Rules {
		t, err := TrendOf(&c.Policy().Rules[i], append(slices.Clip(saved), sides...))
		if err != nil {
			return nil, err
		}
		if t.Alone = len(saved) == 0; len(t.Points) > 2 || t.Alone && len(t.Points) == 2 {
			trends = append(trends, t)
		}
	}
	return trends, nil
}

// alike says whether two kinds of runs differ in nothing but their seeds.
func alike(x, y map[string]string) bool {
	x, y = maps.Clone(x), maps.Clone(y)
	for _, seed := range []string{"seed", "--seed"} {
		delete(x, seed)
		delete(y, seed)
	}
	return maps.Equal(x, y)
}
