package study

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// TestGivenFillsGaps: what is told of a function is used, what is not is as
// given, and an override replaces all. Notes and document count the functions.
func TestGivenFillsGaps(t *testing.T) {
	const told, asGiven, measured = 10 * time.Millisecond, 30 * time.Millisecond, 50 * time.Millisecond
	phase := traffic.Phase{Duration: time.Hour, Process: arrival.Constant{Rate: .1}}
	source := traffic.Of(traffic.About{},
		traffic.Phases(&traffic.Function{Name: "both", Service: dist.Constant(told), Memory: units.GB}, phase),
		traffic.Phases(&traffic.Function{Name: "memory", Memory: units.GB}, phase),
		traffic.Phases(&traffic.Function{Name: "neither"}, phase))
	fitted := &Fitted{warm: []dist.Observed{{Took: measured}}, cold: slices.Repeat([]dist.Observed{{Took: measured}}, leastCold)}
	fit := &Fit{Functions: map[string]*Fitted{"neither": fitted, "somebody": fitted}}
	if err := fit.settle(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		fit      *Fit
		override bool
		service  [3]time.Duration // of both, memory, neither
		memory   [3]units.Bytes
		given    Given
		serving  bool
		notes    []string
	}{
		{"gaps", nil, false, [3]time.Duration{told, asGiven, asGiven}, [3]units.Bytes{units.GB, units.GB, 2 * units.GB}, Given{Service: 2, Memory: 1}, false,
			[]string{"service const:30ms is that of 2 of 3 functions", "memory 2 GB is that of 1 of 3 functions"}},
		{"override", nil, true, [3]time.Duration{asGiven, asGiven, asGiven}, [3]units.Bytes{2 * units.GB, 2 * units.GB, 2 * units.GB}, Given{Service: 3, Memory: 3}, true,
			[]string{"service const:30ms is that of 3 functions, and replaces what is known of 1", "memory 2 GB is that of 3 functions, and replaces what is known of 2"}},
		{"a measured run", fit, false, [3]time.Duration{told, asGiven, measured}, [3]units.Bytes{units.GB, units.GB, 2 * units.GB}, Given{Service: 1, Memory: 1}, false,
			[]string{"service const:30ms is that of 1 of 3 functions"}},
		{"override of it", fit, true, [3]time.Duration{asGiven, asGiven, asGiven}, [3]units.Bytes{2 * units.GB, 2 * units.GB, 2 * units.GB}, Given{Service: 3, Memory: 3}, true,
			[]string{"replaces what is known of 2"}},
	} {
		plan := planOf(source, time.Second) // all are cold
		plan.Options.Service, plan.Options.Memory, plan.Fit, plan.Override = dist.Constant(asGiven), 2*units.GB, c.fit, c.override
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		if s.Given.Service != c.given.Service || s.Given.Memory != c.given.Memory || (s.Serving != "") != c.serving {
			t.Errorf("%s: %+v with service %q, want %+v", c.name, s.Given, s.Serving, c.given)
		}
		for i, name := range []string{"both", "memory", "neither"} {
			for _, r := range s.ByFunction {
				if memory := units.Bytes(r.Usage.MemoryTime/r.Usage.Billed.Milliseconds()) * units.MB; r.Name == name &&
					(seconds(r.ServiceMean) != c.service[i] || memory != c.memory[i]) {
					t.Errorf("%s: %s is served %v s with %v, want %v with %v", c.name, name, r.ServiceMean, memory, c.service[i], c.memory[i])
				}
			}
		}
		for _, want := range c.notes {
			if notes := strings.Join(s.Notes, "\n"); !strings.Contains(notes, want) {
				t.Errorf("%s: notes %q, want %q", c.name, notes, want)
			}
		}
	}
}

// seconds is a duration to the microsecond.
func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Microsecond)
}

// TestNamesOfOnlyFunctions: a run of one function tells of traffic of one,
// whatever they are called.
func TestNamesOfOnlyFunctions(t *testing.T) {
	fitted := &Fitted{Service: dist.Constant(time.Millisecond)}
	plan := planOf(poisson("nasa"), time.Minute)
	plan.Fit = &Fit{Functions: map[string]*Fitted{"hello": fitted}}
	if plan.fitted("nasa") != fitted {
		t.Error("the run's only function does not stand for the traffic's only one")
	}
	plan.Source = poisson("nasa", "other")
	if plan.fitted("nasa") != nil || plan.fitted("hello") != fitted {
		t.Error("of several functions not the one of the name is taken")
	}
}
