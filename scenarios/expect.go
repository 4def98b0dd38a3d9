package scenarios

import (
	"slices"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/strict"
)

func expectFields() fields[budget.Budget] {
	return budget.Fields[*reader](metric.All(), func(b *budget.Budget) *budget.Budget { return b })
}

func expectations() form[[]budget.Budget] {
	return form[[]budget.Budget]{
		Read: func(r *reader, v strict.Value) ([]budget.Budget, bool) {
			items, ok := v.List("budgets")
			list := make([]budget.Budget, 0, len(items))
			for _, item := range items {
				if m, ok := item.Map("a budget"); ok {
					list = append(list, r.expectation(m))
				}
			}
			return list, ok
		},
		Schema: schema{"type": "array", "items": strict.AnyOfSchema(expectFields().Object(""), "max", "min")},
	}
}

func (r *reader) expectation(m strict.Map) budget.Budget {
	var b budget.Budget
	expectFields().Into(&b, r, m, "budget", "")
	r.checkScope(m, b)
	if !m.Get("max").Given() && !m.Get("min").Given() {
		m.Fault("a budget without a limit", "add max: or min:")
	}
	b.Settle(m)
	return b
}

// checkScope sees to it that the phase and function of a budget exist and
// have figures.
func (r *reader) checkScope(m strict.Map, e budget.Budget) {
	var phases, functions []string
	for _, p := range r.scenario.Phases {
		phases = append(phases, p.Name)
		if p.Warmup && p.Name == e.Phase {
			m.Get("phase").Fault("phase "+p.Name+" is warm-up, which has no figures", "name another phase, or take its warmup away")
		}
	}
	for _, f := range r.scenario.Functions {
		functions = append(functions, f.Name)
	}
	if v := m.Get("phase"); e.Phase != "" && !slices.Contains(phases, e.Phase) {
		v.Fault("unknown phase "+strict.Quote(e.Phase), strict.Instead(e.Phase, phases))
	}
	if v := m.Get("function"); e.Function != "" && !slices.Contains(functions, e.Function) {
		v.Fault("unknown function "+strict.Quote(e.Function), strict.Instead(e.Function, functions))
	}
}
