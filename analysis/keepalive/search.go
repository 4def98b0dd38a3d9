// Package keepalive owns the search for how long a platform keeps an idle
// instance.
//
// In: the shortest and the longest gap that is worth a try, and of each probe
// whether the instance was still there. Out: which gap is tried next; the
// longest gap that every instance outlived and the shortest that none did; the
// share still there by idle time, with intervals; a directory with all of it.
// It sends nothing, waits for nothing, and takes no latency for evidence.
//
//	search.go    which gap next
//	survival.go  probes -> what was found
//	document.go  keepalive.json, and its directory
package keepalive

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/stream"
)

// Options are the bounds of a search.
type Options struct {
	From      time.Duration // shortest gap; the default is 100ms
	To        time.Duration // longest gap; the default is 20m
	Precision float64       // the bracket's width, as a share of its lower end, at which it is narrow enough; the default is 0.05
	Repeats   int           // probes at each rung of the last ladder; the default is 5
	Most      int           // probes in all; the default is 200
	Seed      uint64        // of the order of the rungs
}

// WithDefaults fills in the defaults; the error holds every fault.
func (o Options) WithDefaults() (Options, error) {
	usual := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	usual(&o.From, 100*time.Millisecond)
	usual(&o.To, 20*time.Minute)
	if o.Precision == 0 {
		o.Precision = .05
	}
	if o.Repeats == 0 {
		o.Repeats = 5
	}
	if o.Most == 0 {
		o.Most = 200
	}
	var faults []error
	fault := func(when bool, format string, args ...any) {
		if when {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(o.From < 0 || o.To < o.From, "gaps from %v to %v: want a first one above 0 and a last one that is not below it", o.From, o.To)
	fault(!(o.Precision > 0 && o.Precision < 1), "precision %v: want a share between 0 and 1, such as 5%%", o.Precision)
	fault(o.Repeats < 0 || o.Most < 0, "%d repeats, %d probes: want none below 0", o.Repeats, o.Most)
	return o, errors.Join(faults...)
}

// Probe is one try: an instance was left idle for Gap at the least, and for
// AtMost at the most. The platform counts from when it had answered to when it
// was asked, which lies between.
type Probe struct {
	Asked    time.Duration `json:"asked_ns"`   // the gap that was meant
	Gap      time.Duration `json:"gap_ns"`     // from the answer before to the request
	AtMost   time.Duration `json:"at_most_ns"` // from the request before to the answer
	Kept     bool          `json:"kept"`       // the instance was still there
	Function string        `json:"function"`   // the copy that was asked
	Start    string        `json:"start"`      // how the platform says that the request was served
	Grade    string        `json:"grade"`
}

// Search decides which gap is tried next: a ladder of doubled gaps up to the
// first that an instance does not outlive, then halves of the bracket until it
// is narrow, then rungs around it in random order, each several times. Where
// the answers contradict each other, because instances do not all live as long,
// no half is the right one, and the rungs stand over all of the doubtful gaps.
//
// Several probes may be under way. It is not safe for concurrent use.
type Search struct {
	o       Options
	probes  []Probe
	pending []time.Duration
	random  *rand.Rand
	begun   int // probes, pending ones included

	queue []time.Duration // of the last ladder, what is left
	mixed bool            // it stands over contradictions
	last  bool            // it has been drawn up
}

// NewSearch begins a search.
func NewSearch(o Options) (*Search, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	return &Search{o: o, random: stream.New(o.Seed, "keepalive", 0)}, nil
}

// Next is a gap of at most so much that is worth a try now, and whether there
// is one. Whoever takes it says with Add or Drop what became of it.
func (s *Search) Next(most time.Duration) (time.Duration, bool) {
	if s.begun >= s.o.Most {
		return 0, false
	}
	gap, ok := s.next(min(most, s.o.To))
	if ok {
		s.begun++
		s.pending = append(s.pending, gap)
	}
	return gap, ok
}

// Add takes a probe's outcome.
func (s *Search) Add(p Probe) {
	s.Drop(p.Asked)
	s.probes = append(s.probes, p)
}

// Drop forgets a gap that was taken and not tried, or of which nothing is known.
func (s *Search) Drop(asked time.Duration) {
	if i := slices.Index(s.pending, asked); i >= 0 {
		s.pending = slices.Delete(s.pending, i, i+1)
	}
}

func (s *Search) next(most time.Duration) (time.Duration, bool) {
	kept, gone := Bracket(s.probes)
	if gone == 0 && !s.last {
		if gap, ok := s.climb(); ok && gap <= most {
			return gap, true
		}
	}
	mixed := contradicted(s.probes, s.tolerance(kept))
	if gone > 0 && !mixed && !s.last {
		if gap, ok := s.halve(kept, gone); ok && gap <= most {
			return gap, true
		}
		if gone-kept > s.tolerance(kept) && len(s.pending) > 0 {
			return s.again(kept, most) // the others' answers decide what is next
		}
	}
	if !s.last && (gone > 0 || len(s.pending) == 0 || s.climbed()) || mixed && !s.mixed {
		s.draw(kept, gone, mixed)
	}
	if !s.last {
		return s.again(kept, most)
	}
	return s.rung(most)
}

// tolerance is how wide a bracket may be.
func (s *Search) tolerance(kept time.Duration) time.Duration {
	return time.Duration(s.o.Precision * float64(max(kept, s.o.From)))
}

// ahead is how many rungs are tried at once beyond the longest gap so far:
// more would save time where instances live long, and waste it where they do not.
const ahead = 2

// Done says whether the search has tried all that it wanted to.
func (s *Search) Done() bool { return s.last && len(s.queue) == 0 }

// climb is the next rung of doubled gaps.
func (s *Search) climb() (time.Duration, bool) {
	var top time.Duration
	for _, p := range s.probes {
		top = max(top, p.Asked)
	}
	open := 0
	for rung := s.o.From; ; rung = min(2*rung, s.o.To) {
		if rung > top {
			if !slices.Contains(s.pending, rung) {
				return rung, true
			}
			open++
		}
		if open == ahead || rung == s.o.To {
			return 0, false
		}
	}
}

// climbed says whether the longest gap has been tried: no copy's answer can show
// that there is more to climb.
func (s *Search) climbed() bool {
	return slices.ContainsFunc(s.probes, func(p Probe) bool { return p.Asked >= s.o.To })
}

// halve is the middle of the widest part of the bracket that nobody is about to
// decide, by ratio.
func (s *Search) halve(kept, gone time.Duration) (time.Duration, bool) {
	marks := []time.Duration{max(kept, s.o.From/2), gone}
	for _, gap := range s.pending {
		if kept < gap && gap < gone {
			marks = append(marks, gap)
		}
	}
	slices.Sort(marks)
	var best time.Duration
	widest := 1.0
	for i := range marks[1:] {
		low, high := marks[i], marks[i+1]
		if ratio := float64(high) / float64(low); high-low > s.tolerance(kept) && ratio > widest {
			widest, best = ratio, neat(math.Sqrt(float64(low)*float64(high)))
		}
	}
	return best, best > 0
}

// neat is a gap of three digits, so that equal ones are one to a reader.
func neat(gap float64) time.Duration {
	unit := math.Pow(10, math.Floor(math.Log10(max(gap, 1)))-2)
	return time.Duration(math.Round(gap/unit) * unit)
}

// again tries a gap once more that was outlived: it costs little time, and says
// more of the share that is.
func (s *Search) again(kept, most time.Duration) (time.Duration, bool) {
	gap := max(neat(float64(kept)/2), s.o.From)
	return gap, gap <= most
}

// draw draws the last ladder up, in an order of chance.
func (s *Search) draw(kept, gone time.Duration, mixed bool) {
	s.last, s.mixed, s.queue = true, mixed, nil
	var rungs []time.Duration
	switch {
	case mixed:
		if gone == 0 {
			gone = s.o.To
		}
		low, high := float64(max(kept, s.o.From)), float64(gone)
		const steps = 8
		for i := range steps + 1 {
			rungs = append(rungs, neat(low*math.Pow(high/low, float64(i)/steps)))
		}
	case gone == 0: // nothing is known of where it ends
		for _, share := range []float64{.25, .5, 1} {
			rungs = append(rungs, neat(share*float64(max(kept, s.o.From))))
		}
	default:
		for _, share := range []float64{.5, .8, .95, 1} {
			rungs = append(rungs, neat(share*float64(max(kept, s.o.From))))
		}
		for _, share := range []float64{1, 1.05, 1.25} {
			rungs = append(rungs, neat(share*float64(gone)))
		}
	}
	for i := range rungs {
		rungs[i] = min(rungs[i], s.o.To) // beyond it none would ever be tried
	}
	for range s.o.Repeats {
		s.random.Shuffle(len(rungs), func(i, j int) { rungs[i], rungs[j] = rungs[j], rungs[i] })
		s.queue = append(s.queue, rungs...)
	}
}

// rung is the next of the last ladder that fits.
func (s *Search) rung(most time.Duration) (time.Duration, bool) {
	i := slices.IndexFunc(s.queue, func(gap time.Duration) bool { return gap <= most })
	if i < 0 {
		return 0, false
	}
	gap := s.queue[i]
	s.queue = slices.Delete(s.queue, i, i+1)
	return gap, true
}
