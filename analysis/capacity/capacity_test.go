package capacity_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/platform"
)

const sec = time.Second

// readings are of a server that uses so much CPU time a second in each second.
func readings(origin int64, use ...time.Duration) []platform.Reading {
	list := []platform.Reading{{Function: "f", At: origin - 5}, {Function: "other", At: origin, CPU: time.Hour}}
	total := time.Duration(0)
	for i, u := range use {
		list = append(list, platform.Reading{Function: "f", At: origin + int64(i)*int64(sec), CPU: total, Memory: int64(i)})
		total += u
	}
	return append(list, platform.Reading{Function: "f", At: origin + int64(len(use))*int64(sec), CPU: total, Memory: 7})
}

func steps(p99 ...time.Duration) []capacity.Step {
	var list []capacity.Step
	for i, p := range p99 {
		list = append(list, capacity.Step{
			Phase: string(rune('a' + i)), Start: time.Duration(i) * sec, End: time.Duration(i+1) * sec,
			Sent: uint64(100 * (i + 1)), P99: new(int64(p)),
		})
	}
	return list
}

func TestCapacity(t *testing.T) {
	c := capacity.Of(capacity.Input{
		Function: "f", VCPUs: 2, Target: 50 * time.Millisecond, Origin: 1000,
		Steps:    steps(5e6, 10e6, 49e6, 51e6),
		Readings: readings(1000, 200*time.Millisecond, 400*time.Millisecond, 600*time.Millisecond, 1000*time.Millisecond),
	})
	if got, want := *c.CPUPerRequest, 2.2e6; math.Abs(got-want) > 1 {
		t.Errorf("CPU time per request %v, want %v", got, want)
	}
	// Three steps at 2 ms and one, with 4 of 10 requests, at 2.5 ms, about 2.2 ms.
	if got, want := *c.CPUStderr, 1e6*math.Sqrt(4./3*(.01+.04+.09)*.04+4./3*.16*.09); math.Abs(got-want) > 1 {
		t.Errorf("standard error %v, want %v", got, want)
	}
	if *c.Held != 150 || c.HeldPhase != "c" || math.Abs(*c.HeldUtilisation-.3) > 1e-9 || *c.Broken != 200 {
		t.Errorf("held %v in %s at %v busy, broken at %v; want 150 in c at .3, 200", *c.Held, c.HeldPhase, *c.HeldUtilisation, *c.Broken)
	}
	if c.Memory != 7 || math.Abs(*c.Ceiling-1/.0022) > 1e-6 {
		t.Errorf("memory %d, ceiling %v", c.Memory, *c.Ceiling)
	}
}

// TestReadingsBetween reads CPU time between two readings in proportion.
func TestReadingsBetween(t *testing.T) {
	c := capacity.Of(capacity.Input{
		Function: "f", VCPUs: 1, Origin: 1000, Readings: readings(1000, sec, 0, sec),
		Steps: []capacity.Step{
			{Phase: "a", Start: sec / 4, End: 5 * sec / 2, Sent: 1000},
			{Phase: "ends after the run", Start: 5 * sec / 2, End: 5 * sec, Sent: 0},
		},
	})
	if got, want := *c.Steps[1].Utilisation, .2; math.Abs(got-want) > 1e-9 {
		t.Errorf("after the last reading: busy %v, want %v", got, want)
	}
	if want := 1.25e6; math.Abs(*c.CPUPerRequest-want) > 1 || c.CPUStderr != nil {
		t.Errorf("CPU time per request %v, want %v, and no error of one step", *c.CPUPerRequest, want)
	}
}

// TestRequestsThatSpill has steps beyond what the server carries: their requests
// are served after them, or not at all, so their CPU time is not of as many. What
// never reached the server took none.
func TestRequestsThatSpill(t *testing.T) {
	all := steps(5e6, 10e6, 4*sec, 5*sec, 5e6, 200e6)
	all[4].Errors = 3
	all[5].Errors, all[5].Refused = 200, 200 // of 600
	c := capacity.Of(capacity.Input{
		Function: "f", VCPUs: 1, Target: 50 * time.Millisecond, Steps: all,
		Readings: readings(0, 200*time.Millisecond, 400*time.Millisecond, 270*time.Millisecond, 360*time.Millisecond, 450*time.Millisecond, 800*time.Millisecond),
	})
	if got, want := *c.CPUPerRequest, 2e6; math.Abs(got-want) > 1 {
		t.Errorf("CPU time per request %v, want %v of the steps that were served in time", got, want)
	}
	for i, f := range c.Steps {
		if known := i < 2 || i == 5; (f.CPUPerRequest != nil) != known || f.Utilisation == nil {
			t.Errorf("step %s: %+v, want its CPU time per request: %v", f.Phase, f, known)
		}
	}
	if c.Steps[5].Kept != nil && *c.Steps[5].Kept {
		t.Error("a step that refused requests kept the target")
	}
	few := steps(5e6)
	few[0].P99, few[0].Errors, few[0].Refused = nil, 50, 50
	if f := capacity.Of(capacity.Input{Function: "f", VCPUs: 1, Steps: few, Readings: readings(0, sec/2)}).Steps[0]; f.CPUPerRequest != nil {
		t.Errorf("CPU time per request %v of a step whose requests may have waited beyond it", *f.CPUPerRequest)
	}
	spilled := capacity.Of(capacity.Input{Function: "f", VCPUs: 1, Steps: steps(4*sec, 4*sec), Readings: readings(0, sec/2, sec/2)})
	if spilled.CPUPerRequest != nil || spilled.Ceiling != nil {
		t.Errorf("CPU time per request %v where no step was served in time", *spilled.CPUPerRequest)
	}
}

// TestStarved has a step that breaks while other work has the processor, and one
// that holds all the same.
func TestStarved(t *testing.T) {
	all := readings(0, sec/10, sec/10, sec/10)
	for i := range all {
		all[i].Waited, all[i].Others = time.Duration(all[i].At)/2, time.Duration(all[i].At)
	}
	c := capacity.Of(capacity.Input{Function: "f", VCPUs: 1, Target: 50 * time.Millisecond, Readings: all, Steps: steps(49e6, 51e6)})
	if c.Steps[0].Kept == nil || !*c.Steps[0].Kept || c.Steps[1].Kept != nil || *c.Held != 100 || c.Broken != nil {
		t.Errorf("held %v, broken %v, steps %+v; want 100 and not known", *c.Held, c.Broken, c.Steps)
	}
	words := c.Sentences()
	if last := words[len(words)-1]; !strings.Contains(last, "Other work had the processors in 1 step") {
		t.Errorf("it does not say so: %q", words)
	}
}

// TestWhatIsNotKnown is left null.
func TestWhatIsNotKnown(t *testing.T) {
	failing := steps(1e6, 1e6, 1e6)
	failing[1].Errors = 1
	unknown := steps(1e6, 1e6, 1e6)
	unknown[1].P99 = nil
	limited := steps(1e6, 1e6, 1e6)
	limited[1].Limited = true
	down := steps(80e6, 1e6, 1e6)
	for name, c := range map[string]struct {
		steps  []capacity.Step
		held   *float64
		broken *float64
	}{
		"all hold":                {steps(1e6, 2e6), new(200.), nil},
		"none holds":              {steps(80e6, 90e6), nil, new(100.)},
		"a lower step fails":      {down, nil, new(100.)},
		"errors":                  {failing, new(100.), new(200.)},
		"p99 is not supported":    {unknown, new(300.), nil},
		"the generator fell back": {limited, new(300.), nil},
		"nothing":                 {nil, nil, nil},
	} {
		got := capacity.Of(capacity.Input{Function: "f", VCPUs: 1, Target: 50 * time.Millisecond, Steps: c.steps})
		if diff := cmp.Diff([]*float64{c.held, c.broken}, []*float64{got.Held, got.Broken}); diff != "" {
			t.Errorf("%s: held and broken: -want +got\n%s", name, diff)
		}
		if got.CPUPerRequest != nil || got.Ceiling != nil {
			t.Errorf("%s: CPU time without readings", name)
		}
	}
	if c := capacity.Of(capacity.Input{Function: "f", VCPUs: 1, Steps: steps(1, 1)}); c.Held != nil || c.Broken != nil {
		t.Errorf("without a target %v held", *c.Held)
	}
}
