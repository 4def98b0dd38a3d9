// Package capacity owns how many requests one vCPU carries as a server.
//
// In: the phases of a run at rates that step up, with the latency of each, and
// readings of the CPU time that the server's processes have used. Out: a
// [Capacity]: CPU time per request with its error, and the highest rate at
// which p99 kept a target. It measures nothing and models nothing: a rate
// between two steps, or a machine of another speed, is not its business.
package capacity

import (
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/platform"
)

// Input is a run of one function's server.
type Input struct {
	Function string
	VCPUs    int           // that the server had, at least 1
	Target   time.Duration // p99 latency; 0 is none
	Origin   int64         // of offsets, on the clock of the readings
	Steps    []Step        // without warm-up, in order
	Readings []platform.Reading
}

// Step is one phase.
type Step struct {
	Phase      string
	Start, End time.Duration // offsets
	Sent       uint64        // requests for the function
	Errors     uint64        // of those
	Refused    uint64        // of the errors: never reached the server, which had as many as it takes
	P99        *int64        // nanoseconds of the successes; nil where there are too few
	// Limited is that the load generator's own lag moved p99: it is nothing
	// that can be said of the server.
	Limited bool
}

// Capacity is what was measured. Rates are requests a second.
type Capacity struct {
	Function   string `json:"function"`
	VCPUs      int    `json:"vcpus"`     // that the server had
	Target     int64  `json:"target_ns"` // of p99 latency; 0 is none
	Definition string `json:"definition"`

	// CPUPerRequest is user and system time of all of the server's processes
	// over the requests that reached the server, in the steps that served theirs
	// in time, in nanoseconds.
	// CPUStderr is its standard error by the differences between those steps,
	// weighted by their requests; null below three. Null both where the CPU time
	// could not be read, or no step served its requests in time.
	CPUPerRequest *float64 `json:"cpu_per_request_ns"`
	CPUStderr     *float64 `json:"cpu_per_request_stderr_ns"`
	// Ceiling is the rate that would keep one vCPU busy all the time,
	// 1 / CPUPerRequest: no latency target holds there.
	Ceiling *float64 `json:"ceiling_per_vcpu_s"`

	// Broken is the lowest rate per vCPU at which p99 did not keep the target, null
	// where none is known. Held is the highest below it at which p99 did, with the
	// share of the server's vCPUs that was busy; null where none is known. The limit
	// lies between.
	Held            *float64 `json:"held_per_vcpu_s"`
	HeldPhase       string   `json:"held_phase,omitempty"`
	HeldUtilisation *float64 `json:"held_utilisation"`
	Broken          *float64 `json:"broken_per_vcpu_s"`

	Memory int64    `json:"memory_bytes"` // most resident memory that was read
	Steps  []Figure `json:"steps"`
}

// Figure is one step's.
type Figure struct {
	Phase         string   `json:"phase"`
	Rate          float64  `json:"rate_per_s"` // requests sent, over the step
	Errors        uint64   `json:"errors"`
	Refused       uint64   `json:"refused"` // of the errors: never reached the server
	P99           *int64   `json:"p99_ns"`
	Kept          *bool    `json:"kept"`               // the target, without an error; null where p99 or the target is not known, or it broke while others had the processors
	CPUPerRequest *float64 `json:"cpu_per_request_ns"` // of those that reached the server; null where they were not served in the step
	Utilisation   *float64 `json:"utilisation"`        // of the server's vCPUs, 0 to about 1
	Limited       bool     `json:"generator_limited,omitempty"`
	// Starved is the share of the vCPUs' time that the server waited for others:
	// what they used of it while its threads, together, were ready for at least as
	// long and did not run. Threads that wait for each other starve nobody. Null
	// where it is not known.
	Starved *float64 `json:"starved"`
}

const definition = "requests/s that one vCPU of this machine carried with p99 latency within the target and no errors, at the highest step of the schedule that held, below the lowest that did not; steps of which neither is known are passed over; a vCPU is one logical processor"

// Of computes a capacity.
func Of(in Input) Capacity {
	c := Capacity{Function: in.Function, VCPUs: in.VCPUs, Target: int64(in.Target), Definition: definition}
	readings := slices.DeleteFunc(slices.Clone(in.Readings), func(r platform.Reading) bool { return r.Function != in.Function })
	for _, r := range readings {
		c.Memory = max(c.Memory, r.Memory)
	}
	var weights []weighted
	for _, s := range in.Steps {
		f := s.figure(in.Target)
		from, to, span := in.Origin+int64(s.Start), in.Origin+int64(s.End), float64(s.End-s.Start)*float64(in.VCPUs)
		waited, ok := between(readings, from, to, func(r *platform.Reading) time.Duration { return r.Waited })
		if others, known := between(readings, from, to, func(r *platform.Reading) time.Duration { return r.Others }); ok && known {
			f.Starved = new(max(0, min(waited, others)/span))
		}
		if used, ok := between(readings, from, to, func(r *platform.Reading) time.Duration { return r.CPU }); ok {
			f.Utilisation = new(used / span)
			if n := float64(s.Sent - s.Refused); s.served() {
				f.CPUPerRequest = new(used / n)
				weights = append(weights, weighted{*f.CPUPerRequest, n})
			}
		}
		f.doubt()
		c.Steps = append(c.Steps, f)
	}
	c.addCPU(weights)
	c.addHeld()
	return c
}

// served says whether the requests that reached the server were served in the
// step, but for a few at its ends: only then is the CPU time of its span theirs.
// Where it refuses, it is full at both ends, and has as many from before as it
// leaves: they may take longer. Too few for a p99 beside refused ones are just
// what a full backlog held.
func (s Step) served() bool {
	if s.Sent == s.Refused || s.Errors > s.Refused {
		return false
	}
	switch span := int64(s.End - s.Start); {
	case s.P99 == nil:
		return s.Refused == 0
	case s.Refused > 0:
		return *s.P99 < span/4
	default:
		return *s.P99 < span/10
	}
}

func (s Step) figure(target time.Duration) Figure {
	f := Figure{Phase: s.Phase, Errors: s.Errors, Refused: s.Refused, P99: s.P99, Limited: s.Limited}
	if s.End > s.Start {
		f.Rate = float64(s.Sent) / (s.End - s.Start).Seconds()
	}
	switch {
	case target == 0:
	case s.Errors > 0:
		f.Kept = new(false)
	case s.P99 != nil && !s.Limited:
		f.Kept = new(*s.P99 <= int64(target))
	}
	return f
}

// A server that was starved for more than tolerable of its vCPUs' time, and used
// less than full of it, did not get what it asked for. A full one may wait as
// long, for its own threads.
const (
	tolerable = .1
	full      = .85
)

// starved says whether others had the processors.
func (f *Figure) starved() bool {
	return f.Starved != nil && f.Utilisation != nil && *f.Starved > tolerable && *f.Utilisation < full
}

// doubt forgets that a step broke where others had the processors: it says
// nothing of what they carry. One that holds does all the same.
func (f *Figure) doubt() {
	if f.Kept != nil && !*f.Kept && f.starved() {
		f.Kept = nil
	}
}

// between is how much of something was used from one instant to another,
// between readings in proportion; false where the first reading is later. After
// the last one nothing is used: they go on until the run's last answer.
func between(readings []platform.Reading, from, to int64, of func(*platform.Reading) time.Duration) (float64, bool) {
	begun, ok1 := at(readings, from, of)
	ended, ok2 := at(readings, to, of)
	return ended - begun, ok1 && ok2
}

func at(readings []platform.Reading, when int64, of func(*platform.Reading) time.Duration) (float64, bool) {
	i, exact := slices.BinarySearchFunc(readings, when, func(r platform.Reading, when int64) int {
		return int(min(max(r.At-when, -1), 1))
	})
	switch {
	case exact:
		return float64(of(&readings[i])), true
	case i == 0:
		return 0, false
	case i == len(readings):
		return float64(of(&readings[i-1])), true
	}
	a, b := &readings[i-1], &readings[i]
	return float64(of(a)) + float64(of(b)-of(a))*float64(when-a.At)/float64(b.At-a.At), true
}

type weighted struct{ value, weight float64 }

// addCPU is the ratio of sums, with the error of a ratio estimator: with n steps
// of weights w and mean m, stderr^2 = n/(n-1) sum (w/W)^2 (v-m)^2. Source: W. G.
// Cochran, Sampling Techniques, 3rd ed. 1977, section 6.4.
func (c *Capacity) addCPU(list []weighted) {
	total, weight := 0.0, 0.0
	for _, s := range list {
		total += s.value * s.weight
		weight += s.weight
	}
	if total == 0 {
		return
	}
	mean := total / weight
	c.CPUPerRequest, c.Ceiling = new(mean), new(float64(time.Second)/mean)
	if len(list) < 3 {
		return
	}
	squares := 0.0
	for _, s := range list {
		off := s.weight / weight * (s.value - mean)
		squares += off * off
	}
	n := float64(len(list))
	c.CPUStderr = new(math.Sqrt(n / (n - 1) * squares))
}

// addHeld goes up the steps by their rates until the target breaks.
func (c *Capacity) addHeld() {
	steps := slices.Clone(c.Steps)
	slices.SortStableFunc(steps, func(a, b Figure) int { return int(min(max((a.Rate-b.Rate)*1e6, -1), 1)) })
	for _, f := range steps {
		each := f.Rate / float64(c.VCPUs)
		switch {
		case f.Kept == nil:
			continue // it says nothing; a higher one that held, or broke, does
		case !*f.Kept:
			c.Broken = new(each)
			return
		}
		c.Held, c.HeldPhase, c.HeldUtilisation = new(each), f.Phase, f.Utilisation
	}
}
