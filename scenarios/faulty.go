package scenarios

import (
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/platform"
)

func faultFields() fields[platform.Fault] {
	var kinds []string
	for _, k := range platform.FaultKinds() {
		kinds = append(kinds, string(k))
	}
	word := words("fault", kinds)
	return fields[platform.Fault]{
		{
			Name: "fault", Needed: []string{""}, Example: kinds[0], Schema: word.Schema,
			Doc: "what goes wrong: of a start (start-failure, slow-init, crash-init) or of a request (the others)",
			Read: func(r *reader, v strict.Value, f *platform.Fault) {
				if kind, ok := word.Read(r, v); ok {
					f.Kind = platform.FaultKind(kind)
				}
			},
		},
		key("function", references(), func(f *platform.Fault) *string { return &f.Function },
			"whose; the default is all"),
		key("share", shares("5%"), func(f *platform.Fault) *float64 { return &f.Share },
			"of the starts or requests that it hits, drawn by the scenario's seed").Must(),
		key("delay", durations("50ms", 0, longest), func(f *platform.Fault) *time.Duration { return &f.Delay },
			"slow-init: how much longer; else how long after the hand-over to the function").Defaults("0s"),
	}
}

// faults are a list of what goes wrong on purpose.
func faults() form[[]platform.Fault] {
	fs := faultFields()
	return form[[]platform.Fault]{
		Example: "[{fault: kill, share: 5%}]",
		Schema:  strict.ListSchema(fs.Object("")),
		Read: func(r *reader, v strict.Value) ([]platform.Fault, bool) {
			items, ok := v.List("faults")
			var list []platform.Fault
			for _, item := range items {
				m, ok := item.Map("a fault")
				if !ok {
					continue
				}
				var f platform.Fault
				fs.Into(&f, r, m, "fault", "")
				r.checkFault(m, &f)
				list = append(list, f)
			}
			return list, ok
		},
	}
}

func (r *reader) checkFault(m strict.Map, f *platform.Fault) {
	if r.scenario.Platform.Name != referencePlatform {
		m.Fault("platform "+r.scenario.Platform.Name+" has no faults on purpose", "leave faults out, or use platform reference")
	}
	var known []string
	for _, fn := range r.scenario.Functions {
		known = append(known, fn.Name)
	}
	if f.Function != "" && len(known) > 0 && !slices.Contains(known, f.Function) {
		m.Get("function").Fault("unknown function "+strict.Quote(f.Function), strict.Instead(f.Function, known))
	}
	if f.Kind == platform.SlowInit && f.Delay == 0 && !m.Get("delay").Given() {
		m.Fault("slow-init without a delay", "add delay: 2s")
	}
}
