package dist

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// Observed is one of the durations that were measured.
type Observed struct {
	At     time.Duration // when its request was sent
	Took   time.Duration
	Beside time.Duration // what that request took beside an instance: in network, front end, stalls
}

// Record is a measured run of a function, request by request in the order in
// which they were sent. What a stall of the machine does, it does to all at
// once: requests reach the pool late and together, services and starts are
// long. So who predicts another run takes one place in the record after the
// other, in blocks ([Walk]), and all that a request meets from one place.
type Record struct {
	at, shut, beside []time.Duration // of each request
	order            []int           // the places of requests as they follow each other
	block            int
}

// together is how long a block lasts at least, where it was measured: stalls of
// a machine take tenths of a second.
const together = time.Second

// NewRecord is of these requests, of which there is at least one.
//
// Blocks are all of one length, as a block bootstrap wants it (Politis and
// Romano, "A circular block-resampling procedure for stationary data", 1992),
// for else what is dense would be drawn more often than it was measured: so
// many requests as on average were sent within a second from one of them on,
// and not fewer than the cube root of all.
func NewRecord(requests []Observed) *Record {
	requests = sorted(requests)
	r := &Record{}
	within, last := 0, 0
	for k, o := range requests {
		for last < len(requests) && requests[last].At < o.At+together {
			last++
		}
		within += last - k
		r.at, r.beside, r.order = append(r.at, o.At), append(r.beside, o.Beside), append(r.order, k)
	}
	n := float64(len(requests))
	r.block = min(int(math.Ceil(max(float64(within)/n, math.Cbrt(n)))), len(requests))
	r.divide()
	return r
}

// divide takes out of what requests took beside an instance what all had to wait
// for who were sent by then: a request was let through no later than any that
// was sent behind it, all of them less the median of what is taken beside.
//
//	through(k) = min(at(j) + max(0, beside(j) - median), j >= k)
//	shut(k)    = through(k) - max(at(k), through(k-1))
//
// So a stall is a time for which the first of those that it held shuts the way,
// and how many are behind it then is up to who predicts. Where nobody was sent
// before it was over, nothing says that it was anybody else's.
func (r *Record) divide() {
	usual := slices.Sorted(slices.Values(r.beside))[len(r.beside)/2]
	through, open := make([]time.Duration, len(r.at)), time.Duration(math.MaxInt64)
	for k, at := range slices.Backward(r.at) {
		open = min(open, at+max(0, r.beside[k]-usual))
		through[k] = max(at, open)
	}
	r.shut = make([]time.Duration, len(r.at))
	before := r.at[0]
	for k, at := range r.at {
		if k+1 == len(r.at) || r.at[k+1] >= through[k] {
			through[k] = max(at, before)
		}
		r.shut[k] = through[k] - max(at, before)
		r.beside[k] -= through[k] - at
		before = through[k]
	}
}

func sorted(observed []Observed) []Observed {
	return slices.SortedStableFunc(slices.Values(observed), func(a, b Observed) int { return cmp.Compare(a.At, b.At) })
}

// Shut is for how long the way to the pool was shut for the request at a place
// and those behind it, from when it was sent or the one before it was let
// through, whichever was later.
func (r *Record) Shut(place int) time.Duration { return r.shut[place] }

// Gap is how far apart requests around a place were sent on average.
func (r *Record) Gap(place int) time.Duration {
	first := max(0, place-r.block/2)
	last := min(first+r.block, len(r.at)-1)
	return (r.at[last] - r.at[first]) / time.Duration(max(1, last-first))
}

// Beside is what the request at a place took beside an instance otherwise.
func (r *Record) Beside(place int) time.Duration { return r.beside[place] }

// Block is how many requests a [Walk] takes as they followed each other.
func (r *Record) Block() int { return r.block }

// Again is another run of as many requests, such as might have been measured as
// well: they are drawn in blocks. Places are those of the measured one.
func (r *Record) Again(rng *rand.Rand) *Record {
	again, w := *r, r.Walk()
	again.order = make([]int, len(r.order))
	for k := range again.order {
		again.order[k] = w.Next(rng)
	}
	return &again
}

// Walk goes through a record in circular blocks. It is for one goroutine.
type Walk struct {
	record     *Record
	next, left int
}

// Walk begins one that is nobody else's.
func (r *Record) Walk() *Walk { return &Walk{record: r} }

// Next is the place of the next request. It draws one uniform variate a block.
func (w *Walk) Next(rng *rand.Rand) int {
	order := w.record.order
	if w.left == 0 {
		w.next, w.left = rng.IntN(len(order)), w.record.block
	}
	place := order[w.next]
	w.left--
	if w.next++; w.next == len(order) {
		w.next = 0
	}
	return place
}

// Succession is the durations of one kind that a record tells of, such as
// starts: at each of its places one. Alone it is a distribution like others.
type Succession struct {
	*Empirical
	took []time.Duration // by place
	n    int
}

// nearest is within what time of a request's own something has been measured at
// the same moment: a tenth of a stall of half a second.
const nearest = 50 * time.Millisecond

// Succession has each request of the record that was observed take what it
// took, and the others what was nearest: in turn those within 50 ms of it, or
// where there are none within 100, 200 and so on, for the single nearest one
// would be that of a crowd's edge for the rest of the run.
func (r *Record) Succession(observed []Observed) (*Succession, error) {
	h := hist.New()
	for _, o := range observed {
		h.Record(o.Took)
	}
	e, err := NewEmpirical(h)
	if err != nil {
		return nil, err // there are none
	}
	observed = sorted(observed)
	s := &Succession{e, make([]time.Duration, len(r.at)), len(observed)}
	for place, at := range r.at {
		near := within(observed, at, 0)
		for d := nearest; len(near) == 0; d *= 2 {
			near = within(observed, at, d)
		}
		s.took[place] = near[place%len(near)].Took
	}
	return s, nil
}

// within are those of a time, and up to so much before and after it.
func within(observed []Observed, at, d time.Duration) []Observed {
	first := sort.Search(len(observed), func(k int) bool { return observed[k].At >= at-d })
	behind := sort.Search(len(observed), func(k int) bool { return observed[k].At > at+d })
	return observed[first:behind]
}

// At is the duration at a place of the record.
func (s *Succession) At(place int) time.Duration { return s.took[place] }

// N is how many there are that were measured.
func (s *Succession) N() int { return s.n }
