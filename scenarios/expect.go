package scenarios

import (
	"fmt"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict"
)

func expectFields() fields[Expectation] {
	return fields[Expectation]{
		key("metric", metrics(), func(e *Expectation) *string { return &e.Metric },
			"which figure").Must(),
		key("start", words("start kind", startNames()), func(e *Expectation) *string { return &e.Start },
			"of which starts; the default is all"),
		key("phase", references(), func(e *Expectation) *string { return &e.Phase },
			"of which phase; the default is all that are not warm-up"),
		key("function", references(), func(e *Expectation) *string { return &e.Function },
			"of which function; the default is all"),
		key("max", bounds(), func(e *Expectation) **Bound { return &e.Max },
			"what it must not exceed"),
		key("min", bounds(), func(e *Expectation) **Bound { return &e.Min },
			"what it must reach"),
	}
}

func metrics() form[string] {
	return form[string]{
		Read: func(_ *reader, v strict.Value) (string, bool) {
			name, ok := v.Text()
			if !ok {
				return "", false
			}
			if _, err := metric.Parse(name); err != nil {
				strict.FaultOf(v, err, "")
				return "", false
			}
			return name, true
		},
		Example: "latency.p99",
		Schema:  schema{"enum": metric.All()},
	}
}

func startNames() []string {
	var names []string
	for _, s := range sample.Starts() {
		names = append(names, s.String())
	}
	return names
}

// bounds are read as text; what it means depends on the metric.
func bounds() form[*Bound] {
	return form[*Bound]{
		Read: func(_ *reader, v strict.Value) (*Bound, bool) {
			text, ok := v.Quantity("a limit", "50ms, 5% or 100")
			return &Bound{Text: text}, ok
		},
		Schema: schema{"anyOf": []schema{{"type": "string"}, {"type": "number", "minimum": 0}}},
	}
}

func expectations() form[[]Expectation] {
	return form[[]Expectation]{
		Read: func(r *reader, v strict.Value) ([]Expectation, bool) {
			items, ok := v.List("budgets")
			list := make([]Expectation, 0, len(items))
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

func (r *reader) expectation(m strict.Map) Expectation {
	e := Expectation{Line: m.At().Line, Column: m.At().Column}
	expectFields().Into(&e, r, m, "budget", "")
	r.checkScope(m, e)
	if !m.Get("max").Given() && !m.Get("min").Given() {
		m.Fault("a budget without a limit", "add max: or min:")
	}
	if e.Metric == "" {
		return e // there is no telling what the limits mean
	}
	figure := metric.Metric(e.Metric)
	sound := readBound(m.Get("max"), figure, e.Max)
	sound = readBound(m.Get("min"), figure, e.Min) && sound
	if sound && e.Max != nil && e.Min != nil && e.Max.Value < e.Min.Value {
		m.Get("max").Fault(fmt.Sprintf("max %s below min %s", e.Max.Text, e.Min.Text), "exchange them")
	}
	return e
}

// readBound works out a limit's value.
func readBound(v strict.Value, figure metric.Metric, b *Bound) (ok bool) {
	if b == nil || !v.Given() {
		return true
	}
	value, err := metric.ParseBound(figure, b.Text)
	if err != nil {
		strict.FaultOf(v, err, "")
		return false
	}
	b.Value = value
	return true
}

// checkScope sees to it that the phase and function of a budget exist and
// have figures.
func (r *reader) checkScope(m strict.Map, e Expectation) {
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
