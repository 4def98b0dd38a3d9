package scenarios

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// mostArrivals bounds a schedule: at 10 bytes an arrival it is half a gigabyte.
const mostArrivals = 50_000_000

// Schedule is every arrival of a scenario. Times and Source go together: the
// i-th request is due at Times[i] and belongs to Sources[Source[i]].
type Schedule struct {
	Times   []time.Duration // offsets from the run's start, ascending
	Source  []uint16        // indexes into Sources
	Sources []Source        // one for each entry of arrivals, in the order of the file
	Phases  []PhaseSpan     // one for each phase, in order
}

// Source is where an arrival comes from.
type Source struct {
	Phase    int // index into Scenario.Phases
	Entry    int // index into the phase's Arrivals
	Function string
	Consumer string
	Stage    string
	Trigger  string
	Evict    bool // the function is put away after each request
}

// PhaseSpan is where a phase lies in the schedule, [Start, End).
type PhaseSpan struct {
	Name       string
	Start, End time.Duration
	Warmup     bool
	Offered    uint64 // arrivals in it
}

// Schedule draws up the arrivals. The same scenario with the same seed gives
// the same schedule, bit for bit. Every entry of every phase has a random
// source of its own, so that a change to one leaves the others' as they are.
// Where several arrive at the same instant, the order is that of the file.
func (s *Scenario) Schedule() (*Schedule, error) {
	if err := s.checkSize(); err != nil {
		return nil, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	room := int(s.expected()*1.01) + 64 // chance seldom adds more
	out := &Schedule{Times: make([]time.Duration, 0, room), Source: make([]uint16, 0, room)}
	start := time.Duration(0)
	for i, phase := range s.Phases {
		before := len(out.Times)
		if err := out.add(s, i, start); err != nil {
			return nil, err
		}
		span := PhaseSpan{Name: phase.Name, Start: start, End: start + phase.Duration, Warmup: phase.Warmup, Offered: uint64(len(out.Times) - before)}
		out.Phases = append(out.Phases, span)
		start = span.End
	}
	if len(out.Times) == 0 {
		return nil, fmt.Errorf("schedule %s: no arrivals at all: raise rates or durations", s.Name)
	}
	return out, nil
}

// Without is the schedule less the arrivals at some functions. Those at the
// others, and the phases, stay as they are.
func (out *Schedule) Without(functions ...string) *Schedule {
	left := &Schedule{Phases: slices.Clone(out.Phases)}
	kept := make([]uint16, len(out.Sources)) // 1 + its new index; 0 for one that goes
	for id, source := range out.Sources {
		if !slices.Contains(functions, source.Function) {
			left.Sources = append(left.Sources, source)
			kept[id] = uint16(len(left.Sources))
		}
	}
	for i, id := range out.Source {
		if kept[id] == 0 {
			left.Phases[out.Sources[id].Phase].Offered--
			continue
		}
		left.append(out.Times[i], kept[id]-1)
	}
	return left
}

// add appends the arrivals of one phase.
func (out *Schedule) add(s *Scenario, phase int, start time.Duration) error {
	p := s.Phases[phase]
	streams := make([]coming, 0, len(p.Arrivals))
	for entry, a := range p.Arrivals {
		process, err := a.process()
		if err != nil {
			return fmt.Errorf("schedule %s, phase %s: %w", s.Name, p.Name, err)
		}
		if len(out.Sources) >= 1<<16-1 {
			return fmt.Errorf("schedule %s: more than %d entries of arrivals", s.Name, 1<<16-1)
		}
		id := uint16(len(out.Sources))
		out.Sources = append(out.Sources, Source{Phase: phase, Entry: entry, Function: a.Function, Consumer: a.Consumer, Stage: a.Stage, Trigger: a.Trigger, Evict: slices.Contains(a.Evict, s.Platform.Name)})
		times := process.Times(p.Duration, source(s.Seed, phase, entry))
		if len(p.Arrivals) == 1 {
			for t := range times {
				out.append(start+t, id)
			}
			return nil
		}
		streams = append(streams, coming{slices.Collect(times), id})
	}
	out.merge(streams, start)
	return nil
}

func (out *Schedule) append(t time.Duration, source uint16) {
	out.Times = append(out.Times, t)
	out.Source = append(out.Source, source)
}

// coming is the arrivals of one entry that are still to be merged.
type coming struct {
	times  []time.Duration
	source uint16
}

// merge appends streams in the order of time, then of the file. A phase has a
// handful of entries, for which looking at each is faster than a heap.
func (out *Schedule) merge(streams []coming, start time.Duration) {
	for {
		next := -1
		for i, s := range streams {
			if len(s.times) > 0 && (next < 0 || s.times[0] < streams[next].times[0]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		s := &streams[next]
		out.append(start+s.times[0], s.source)
		s.times = s.times[1:]
	}
}

// source is the random source of one entry of arrivals.
func source(seed uint64, phase, entry int) *rand.Rand {
	return stream.New(seed, "arrivals", uint64(phase)<<32|uint64(entry))
}

// process is the arrival process that an entry names.
func (a *Arrivals) process() (arrival.Process, error) {
	switch a.Process {
	case constant:
		return arrival.Constant{Rate: a.Rate}, nil
	case poisson:
		return arrival.Poisson{Rate: a.Rate}, nil
	case ramp:
		return arrival.Ramp{From: a.From, To: a.To, Even: a.Even}, nil
	case step:
		return arrival.Step{From: a.From, To: a.To, At: a.At, Even: a.Even}, nil
	case spike:
		return arrival.Spike{From: a.From, To: a.To, At: a.At, Width: a.Width, Even: a.Even}, nil
	case sine:
		return arrival.Sine{Mean: a.Mean, Amplitude: a.Amplitude, Period: a.Period, Even: a.Even}, nil
	case bursty:
		return arrival.Bursty{Rate: a.Rate, CV: a.CV}, nil
	case burst:
		return arrival.Burst{Count: a.Count, At: a.At}, nil
	case gap:
		return arrival.Gap{Gap: a.Gap, At: a.At}, nil
	case replay:
		return a.Trace.Process(a.Speed, a.Scale), nil
	}
	return nil, fmt.Errorf("unknown arrival process %q", a.Process)
}

// checkSize refuses schedules that do not fit into memory.
func (s *Scenario) checkSize() error {
	if n := s.expected(); n > mostArrivals {
		return fmt.Errorf("about %s arrivals, and the most is %s", units.FormatCount(uint64(min(n, 1e15))), units.FormatCount(mostArrivals))
	}
	return nil
}

// expected is the mean number of arrivals, without drawing them up.
func (s *Scenario) expected() float64 {
	sum := 0.0
	for _, p := range s.Phases {
		for i := range p.Arrivals {
			sum += p.Arrivals[i].expected(p.Duration)
		}
	}
	return sum
}

// Expected is the mean number of requests to each function, warm-up left out,
// and how long they take to come. It draws nothing: a scenario stands for its
// traffic, and a schedule for one seed's.
func (s *Scenario) Expected() (requests map[string]float64, span time.Duration) {
	requests = make(map[string]float64)
	for _, p := range s.Phases {
		if p.Warmup {
			continue
		}
		span += p.Duration
		for i := range p.Arrivals {
			a := &p.Arrivals[i]
			requests[a.Function] += a.expected(p.Duration)
		}
	}
	return requests, span
}

func (a *Arrivals) expected(d time.Duration) float64 {
	process, err := a.process()
	if err != nil {
		return 0 // no schedule can be drawn up either, which says why
	}
	return process.Expected(d)
}
