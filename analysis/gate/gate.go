// Package gate owns judgements: of a run by budgets, and of two sides' runs by a
// policy.
//
// In: the figures of a run and the budgets on them, or the figures of the runs
// of a base and a head and the rules for what may become of them. Out: for each
// budget whether it held; for each rule a verdict with its estimate, its
// limits, and what so many runs could have shown. It measures nothing, reads no
// files, and a figure that the sample cannot support holds no budget and gets
// no verdict.
//
//	gate.go      Expect: budgets on one run
//	policy.go    what is judged between two sides, and how strictly; policyfile.go reads it
//	judge.go     Judge: runs of two sides -> findings
//	kind.go      what makes two sides incomparable
//	limits.go    head's runs against absolute limits
//	evidence.go  what paired and unpaired runs can be asked
//	finding.go   the verdicts; record.go: as documents keep them
//	left.go      runs that findings do not rest on
//	sequence.go  looks at a comparison that grows
package gate

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Source yields the figures of a selection; a *summary.Builder does.
type Source interface {
	Select(summary.Selection) summary.Pool
}

// Expect checks every budget and returns as many checks, in the same order.
// Values are compared exactly: 50.000001 ms is more than 50 ms.
func Expect(src Source, budgets []budget.Budget) []summary.Check {
	checks := make([]summary.Check, len(budgets))
	for i := range budgets {
		checks[i] = check(&budgets[i], src)
	}
	return checks
}

func check(b *budget.Budget, src Source) summary.Check {
	c := summary.Check{Metric: b.Metric, Start: b.Start, Phase: b.Phase, Function: b.Function}
	if b.Max != nil {
		c.Max = b.Max.Text
	}
	if b.Min != nil {
		c.Min = b.Min.Text
	}
	m, err := metric.Parse(b.Metric)
	if err != nil {
		c.Message = fmt.Sprintf("%s: not checked: %v", b.Subject(), err)
		return c
	}
	pool := src.Select(summary.Selection{Phase: b.Phase, Function: b.Function, Start: b.Start})
	value, why := figure(b.Metric, &pool)
	if why != "" {
		c.Message = fmt.Sprintf("%s: no value: %s", b.Subject(), why)
		return c
	}
	c.Value = &value
	c.Held = !b.Breaks(value)
	c.Message = fmt.Sprintf("%s: %s, allowed %s", b.Subject(), metric.FormatValue(m, value), b.Allowed())
	if lagged(b.Metric, &pool) {
		c.Message += "; the figure is generator-limited"
	}
	return c
}
