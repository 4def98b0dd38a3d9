package study

import (
	"cmp"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Given is how many functions have what was given for all of them.
type Given struct {
	Service int `json:"service"` // functions whose requests are served as long as was given
	Memory  int `json:"memory"`  // and whose instances have the memory that was

	functions       int // that were looked at
	service, memory int // of Service and Memory: those that it was told of, and were overridden
}

// told is what the measured run, or else the traffic, says of a function.
func (p *Plan) told(f *traffic.Function) (service dist.Distribution, memory units.Bytes) {
	if run := p.fitted(f.Name); run != nil {
		return run.Service, f.Memory
	}
	return f.Service, f.Memory
}

// served are a function's options: as told, and where it is not, as given; with
// Override the other way about. A service that replaces the told one is that of
// cold requests, too, unless they have one of their own.
func (p *Plan) served(f *traffic.Function) sim.Options {
	o := p.Options
	service, memory := p.told(f)
	o.Service = p.first(o.Service, service)
	if o.Memory == 0 || !p.Override {
		o.Memory = cmp.Or(memory, o.Memory)
	}
	if run := p.fitted(f.Name); run != nil {
		if !p.Override || p.Options.Service == nil {
			o.ColdService = p.first(o.ColdService, run.ColdService)
		}
		o.StartDelay, o.StartBeside = p.first(o.StartDelay, run.StartDelay), run.StartBeside
		o.Record = run.Record
	}
	return o
}

// first is which of two distributions goes before the other; either may be nil.
func (p *Plan) first(given, told dist.Distribution) dist.Distribution {
	if told == nil || p.Override && given != nil {
		return given
	}
	return told
}

// count takes in a function that is simulated by a plan.
func (g *Given) count(p *Plan, f *traffic.Function) {
	service, memory := p.told(f)
	g.functions++
	if p.Options.Service != nil && (service == nil || p.Override) {
		g.Service++
		if service != nil {
			g.service++
		}
	}
	if p.Options.Memory != 0 && (memory == 0 || p.Override) {
		g.Memory++
		if memory != 0 {
			g.memory++
		}
	}
}

// given says whose the given service and memory are, unless they are
// everybody's because nobody tells any.
func (p *Plan) given(g *Given) (notes []string) {
	say := func(what, value string, n, over int) {
		all := units.FormatNoun(g.functions, "function")
		switch {
		case over > 0:
			notes = append(notes, fmt.Sprintf("%s %s is that of %s, and replaces what is known of %s", what, value, all, units.FormatCount(over)))
		case n < g.functions:
			notes = append(notes, fmt.Sprintf("%s %s is that of %s of %s: of the others it is known, which --override would replace", what, value, units.FormatCount(n), all))
		}
	}
	if s := p.Options.Service; s != nil {
		say("service", s.String(), g.Service, g.service)
	}
	if m := p.Options.Memory; m != 0 {
		say("memory", m.String(), g.Memory, g.memory)
	}
	return notes
}
