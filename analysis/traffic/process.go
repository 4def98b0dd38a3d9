package traffic

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// Phase is a stretch of time with one arrival process, [Start, Start+Duration).
type Phase struct {
	Start, Duration time.Duration
	Process         arrival.Process
	// Seed gives the random source of the process, so that a phase has the
	// arrivals that it has in a run. Nil takes the walk's.
	Seed func() *rand.Rand
}

// Phases gives f the arrivals of phases, which may overlap: then they are
// merged. It returns f.
func Phases(f *Function, phases ...Phase) *Function {
	for _, p := range phases {
		f.Expected += p.Process.Expected(p.Duration)
		f.Span = max(f.Span, p.Start+p.Duration)
	}
	f.walk = func(rng *rand.Rand) iter.Seq2[Request, error] {
		return func(yield func(Request, error) bool) {
			for t := range merged(phases, rng) {
				if !yield(Request{At: t, Service: Unknown}, nil) {
					return
				}
			}
		}
	}
	return f
}

// merged yields the arrivals of all phases in order. Phases that follow each
// other are walked one after the other; those that overlap side by side.
func merged(phases []Phase, rng *rand.Rand) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for len(phases) > 0 {
			n, end := 1, phases[0].Start+phases[0].Duration
			for n < len(phases) && phases[n].Start < end {
				end = max(end, phases[n].Start+phases[n].Duration)
				n++
			}
			going := true
			together(phases[:n], rng)(func(t time.Duration) bool {
				going = yield(t)
				return going
			})
			if !going {
				return
			}
			phases = phases[n:]
		}
	}
}

func (p Phase) times(rng *rand.Rand) iter.Seq[time.Duration] {
	if p.Seed != nil {
		rng = p.Seed()
	}
	return func(yield func(time.Duration) bool) {
		p.Process.Times(p.Duration, rng)(func(t time.Duration) bool { return yield(p.Start + t) })
	}
}

// together merges phases that overlap. Each draws from a source of its own, so
// that the order in which they are asked does not matter.
func together(phases []Phase, rng *rand.Rand) iter.Seq[time.Duration] {
	if len(phases) == 1 {
		return phases[0].times(rng)
	}
	return func(yield func(time.Duration) bool) {
		type stream struct {
			at   time.Duration
			more bool
			next func() (time.Duration, bool)
		}
		streams := make([]stream, len(phases))
		for i, p := range phases {
			next, stop := iter.Pull(p.times(rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))))
			defer stop()
			at, more := next()
			streams[i] = stream{at, more, next}
		}
		for {
			first := -1
			for i, s := range streams {
				if s.more && (first < 0 || s.at < streams[first].at) {
					first = i
				}
			}
			if first < 0 || !yield(streams[first].at) {
				return
			}
			s := &streams[first]
			s.at, s.more = s.next()
		}
	}
}

// Of is a source of functions that the caller has made.
func Of(about About, functions ...*Function) Source {
	about.Functions, about.Requests = len(functions), 0
	for _, f := range functions {
		about.Requests += f.Expected
		about.Span = max(about.Span, f.Span)
	}
	return made{about, functions}
}

type made struct {
	about     About
	functions []*Function
}

func (m made) About() About { return m.about }
func (m made) Close() error { return nil }

func (m made) Functions(ctx context.Context) iter.Seq2[*Function, error] {
	return func(yield func(*Function, error) bool) {
		for _, f := range m.functions {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

// Endless gives f the first n arrivals of a process of the given rate that
// goes on for as long as they need. It returns f; its Span is the mean.
func Endless(f *Function, process arrival.Process, rate units.Rate, n uint64) *Function {
	// Twice the mean time of so many, and that of a million more for those that come in clumps.
	phase := Phase{Duration: seconds((2*float64(n) + 1e6) / float64(rate)), Process: process}
	f = Phases(f, phase)
	all := f.walk
	f.walk = func(rng *rand.Rand) iter.Seq2[Request, error] {
		return func(yield func(Request, error) bool) {
			left := n
			for r, err := range all(rng) {
				if left == 0 || !yield(r, err) {
					return
				}
				left--
			}
		}
	}
	f.Expected, f.Span = float64(n), 0
	return f
}

// seconds is a duration of so many, at most 146 years.
func seconds(s float64) time.Duration {
	return time.Duration(min(s*1e9, math.MaxInt64/2))
}
