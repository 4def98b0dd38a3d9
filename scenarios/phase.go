package scenarios

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

func phaseFields() fields[Phase] {
	return fields[Phase]{
		key("name", names(), func(p *Phase) *string { return &p.Name },
			"what results and budgets call it").Must(),
		key("duration", durations("30s", 1, longest), func(p *Phase) *time.Duration { return &p.Duration },
			"how long it lasts").Must(),
		key("warmup", flags(), func(p *Phase) *bool { return &p.Warmup },
			"driven and recorded, but left out of every figure").Defaults(false),
		{
			Name:    "arrivals",
			Doc:     "when requests come: one process, or a list of them; [] is a pause",
			Needed:  []string{""},
			Example: "{process: poisson, rate: 100/s}",
			Schema:  arrivalsSchema(),
			Read:    func(r *reader, v strict.Value, p *Phase) { p.Arrivals = r.arrivals(v, p.Duration) },
		},
	}
}

const examplePhase = "{name: steady, duration: 30s, arrivals: {process: poisson, rate: 100/s}}"

func phases() form[[]Phase] {
	return form[[]Phase]{
		Read: func(r *reader, v strict.Value) ([]Phase, bool) {
			items, ok := v.List("phases")
			if !ok {
				return nil, false
			}
			r.standIn()
			if len(items) == 0 {
				v.Fault("no phases", "add one: "+examplePhase)
			}
			list := make([]Phase, 0, len(items))
			first := make(map[string]int)
			for _, item := range items {
				m, ok := item.Map("a phase")
				if !ok {
					continue
				}
				var p Phase
				phaseFields().Into(&p, r, m, "phase", "")
				list = append(list, p)
				unique(first, m.Get("name"), "phase", p.Name)
			}
			return list, true
		},
		Example: "[" + examplePhase + "]",
		Schema:  strict.ListSchema(phaseFields().Object("")),
	}
}

// The processes, as a scenario names them.
const (
	constant = "constant"
	poisson  = "poisson"
	ramp     = "ramp"
	step     = "step"
	spike    = "spike"
	sine     = "sine"
	bursty   = "bursty"
	burst    = "burst"
	gap      = "gap"
	replay   = "replay"
)

func processes() []string {
	return []string{constant, poisson, ramp, step, spike, sine, bursty, burst, gap, replay}
}

func arrivalFields() fields[Arrivals] {
	return fields[Arrivals]{
		key("process", words("process", processes()), func(a *Arrivals) *string { return &a.Process },
			"how requests arrive").Must(processes()...),
		key("function", references(), func(a *Arrivals) *string { return &a.Function },
			"who is called; may be left out where there is one function"),
		key("consumer", names(), func(a *Arrivals) *string { return &a.Consumer },
			"who the requests are accounted to"),
		key("stage", names(), func(a *Arrivals) *string { return &a.Stage },
			"which of the consumer's environments they are accounted to"),
		key("trigger", words("trigger", sample.Triggers()), func(a *Arrivals) *string { return &a.Trigger },
			"what reaches the function on platform reference: a request to its URL, an asynchronous event, a schedule that is due, a file in a watched folder; the default is a direct invocation"),

		key("rate", rates("100/s", tiny), func(a *Arrivals) *units.Rate { return &a.Rate },
			"mean rate").Of(constant, poisson, bursty).Must(),
		key("cv", factors(1, 100, "4"), func(a *Arrivals) *float64 { return &a.CV },
			"coefficient of variation of the gaps between requests; poisson has 1").Of(bursty).Must(),
		key("from", rates("10/s", 0), func(a *Arrivals) *units.Rate { return &a.From },
			"rate at the start (spike: outside of it)").Of(ramp, step, spike).Must(),
		key("to", rates("500/s", 0), func(a *Arrivals) *units.Rate { return &a.To },
			"rate at the end (spike: inside of it)").Of(ramp, step, spike).Must(),
		key("mean", rates("50/s", tiny), func(a *Arrivals) *units.Rate { return &a.Mean },
			"rate around which the wave goes").Of(sine).Must(),
		key("amplitude", rates("40/s", 0), func(a *Arrivals) *units.Rate { return &a.Amplitude },
			"how far the wave goes from the mean, at most the mean").Of(sine).Must(),
		key("period", durations("60s", 1, longest), func(a *Arrivals) *time.Duration { return &a.Period },
			"from crest to crest").Of(sine).Must(),
		key("count", counts(1, mostArrivals), func(a *Arrivals) *int { return &a.Count },
			"how many come at once").Of(burst).Must(),
		key("at", durations("5s", 0, longest), func(a *Arrivals) *time.Duration { return &a.At },
			"when, from the phase's start; gap: when the first").Of(step, spike, burst, gap).Must(step, spike),
		key("width", durations("2s", 1, longest), func(a *Arrivals) *time.Duration { return &a.Width },
			"how long the spike lasts").Of(spike).Must(),
		key("even", flags(), func(a *Arrivals) *bool { return &a.Even },
			"evenly spaced as the rate goes; the default is at random").Of(ramp, step, spike, sine).Defaults(false),
		key("gap", durations("5s", 1, longest), func(a *Arrivals) *time.Duration { return &a.Gap },
			"from one request to the next").Of(gap).Must(),
		key("evict", choices("evict", evicting()), func(a *Arrivals) *[]string { return &a.Evict },
			"platforms on which the function is put away after each request, so that the next starts cold; the default is none: gaps beyond the keep-alive do it").Of(gap),
		key("file", texts(), func(a *Arrivals) *string { return &a.File },
			"recorded arrivals, from the scenario's folder: minute,count or a timestamp a line; may be gzipped").Of(replay).Must().Like("trace.csv"),
		key("speed", factors(0, 1e6, "60"), func(a *Arrivals) *float64 { return &a.Speed },
			"60 plays a minute in a second").Of(replay).Defaults(1),
	}
}

// arrivals reads one process or a list of them.
func (r *reader) arrivals(v strict.Value, phase time.Duration) []Arrivals {
	items := []strict.Value{v}
	if v.IsList() {
		items, _ = v.List("arrivals")
	}
	list := make([]Arrivals, 0, len(items))
	for _, item := range items {
		if m, ok := item.Map("arrivals"); ok {
			list = append(list, r.arrival(m, phase))
		}
	}
	return list
}

func (r *reader) arrival(m strict.Map, phase time.Duration) Arrivals {
	var a Arrivals
	process, _ := m.Get("process").Text()
	variant, where := process, "process "+process
	if !slices.Contains(processes(), process) {
		variant, where = "", "arrivals"
		if !m.Get("process").Given() {
			m.Fault("arrivals without a process", "add process: one of "+commas(processes()))
		}
	}
	before := len(r.faults)
	arrivalFields().Into(&a, r, m, where, variant)
	sound := len(r.faults) == before
	r.checkCaller(m, &a)
	if sound {
		checkRates(m, &a)
		checkWithin(m, &a, phase)
	}
	if process == replay {
		r.readTrace(m, &a)
	}
	return a
}

// checkRates sees to it that a rate which changes is ever above 0 and never
// below.
func checkRates(m strict.Map, a *Arrivals) {
	if m.Get("to").Given() && a.From == 0 && a.To == 0 {
		m.Get("to").Fault("from and to are both 0", "write a rate above 0 for one of them")
	}
	if a.Amplitude > a.Mean {
		m.Get("amplitude").Fault(fmt.Sprintf("amplitude %s is above the mean", a.Amplitude),
			fmt.Sprintf("write at most %s, because a rate cannot be negative", a.Mean))
	}
}

// checkCaller finds the function that is called.
func (r *reader) checkCaller(m strict.Map, a *Arrivals) {
	known := make([]string, 0, len(r.scenario.Functions))
	for _, f := range r.scenario.Functions {
		if !slices.Contains(known, f.Name) { // a second one of the name has been reported
			known = append(known, f.Name)
		}
	}
	v := m.Get("function")
	switch {
	case len(known) == 0: // reported with the functions
	case v.Given() && a.Function != "" && !slices.Contains(known, a.Function):
		v.Fault("unknown function "+strict.Quote(a.Function), strict.Instead(a.Function, known))
	case !v.Given() && len(known) == 1:
		a.Function = known[0]
	case !v.Given() && len(known) > 1:
		m.Fault("it is not said which function is called", "add function: one of "+commas(known))
	}
	if v := m.Get("trigger"); a.Trigger != "" && r.scenario.Platform.Name != referencePlatform {
		v.Fault("platform "+r.scenario.Platform.Name+" has no triggers", "leave it out: each request goes to the server")
	}
}

// checkWithin sees to it that what happens at an instant does so in the phase.
func checkWithin(m strict.Map, a *Arrivals, phase time.Duration) {
	at := m.Get("at")
	if !at.Given() || phase == 0 {
		return
	}
	length := units.FormatDuration(phase)
	switch {
	case a.At >= phase:
		at.Fault(fmt.Sprintf("%s at %s is outside of the phase, which lasts %s", a.Process, units.FormatDuration(a.At), length), "write less, or make the phase longer")
	case a.At+a.Width > phase:
		m.Get("width").Fault(fmt.Sprintf("the spike ends at %s, after the phase, which lasts %s", units.FormatDuration(a.At+a.Width), length), "write at most "+units.FormatDuration(phase-a.At))
	}
}

// readTrace reads what is to be replayed.
func (r *reader) readTrace(m strict.Map, a *Arrivals) {
	if a.Speed == 0 {
		a.Speed = 1
	}
	if a.File == "" {
		return
	}
	v := m.Get("file")
	a.File = r.path(a.File)
	f, err := os.Open(a.File)
	if err != nil {
		v.Fault(err.Error(), r.from())
		return
	}
	defer f.Close()
	a.Trace, err = arrival.ReadTrace(f)
	if err != nil {
		problem, instead := err.Error(), r.from()
		if e, ok := errors.AsType[*arrival.RowError](err); ok {
			problem, instead = fmt.Sprintf("row %d: %s", e.Row, e.Problem), e.Instead
		}
		v.Fault(a.File+": "+problem, instead)
	}
}

// noteCuts says which recordings are longer than their phases.
func (s *Scenario) noteCuts() {
	for _, p := range s.Phases {
		for _, a := range p.Arrivals {
			if played := time.Duration(float64(a.Trace.Duration()) / max(a.Speed, 1e-6)); played > p.Duration {
				s.Notes = append(s.Notes, fmt.Sprintf("%s lasts %s at speed %g, and phase %s %s: the rest is not played",
					a.File, units.FormatDuration(played), a.Speed, p.Name, units.FormatDuration(p.Duration)))
			}
		}
	}
}
