package dist

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// Observed is one of the durations that were measured.
type Observed struct {
	At     time.Duration // when; it orders them
	Took   time.Duration
	Beside time.Duration // what went with it, such as the network's part of the same request
}

// Succession is what was measured in the order in which it was, so that what
// was slow together is drawn together. A sample of it alone is any of the
// durations; who draws many in a row takes a [Walk] by [Own]. Use [NewSuccession].
type Succession struct {
	*Empirical
	observed []Observed
	block    int
}

// together is how long a block of a succession lasts at least, where it was
// measured: stalls of a machine take tenths of a second.
const together = time.Second

// NewSuccession orders what was observed, which it keeps: at least one duration.
//
// Blocks are all of one length, as a block bootstrap wants it (Politis and
// Romano, "A circular block-resampling procedure for stationary data", 1992),
// for else what is dense would be drawn more often than it was measured: so
// many durations as on average began within a second from one of them on, and
// not fewer than the cube root of all.
func NewSuccession(observed []Observed) (*Succession, error) {
	slices.SortStableFunc(observed, func(a, b Observed) int { return cmp.Compare(a.At, b.At) })
	within, last := 0, 0
	for k, o := range observed {
		for last < len(observed) && observed[last].At < o.At+together {
			last++
		}
		within += last - k
	}
	n := float64(len(observed))
	block := math.Ceil(max(float64(within)/max(n, 1), math.Cbrt(n)))
	return succession(observed, int(block))
}

func succession(observed []Observed, block int) (*Succession, error) {
	if len(observed) == 0 {
		return nil, errors.New("succession of durations: it is empty: there is nothing to draw from")
	}
	h := hist.New()
	for _, o := range observed {
		h.Record(o.Took)
	}
	e, err := NewEmpirical(h)
	if err != nil {
		return nil, err
	}
	return &Succession{e, observed, min(block, len(observed))}, nil
}

// Sample draws one uniform variate, and gives that duration.
func (s *Succession) Sample(rng *rand.Rand) time.Duration {
	return s.observed[rng.IntN(len(s.observed))].Took
}

// N is how many durations there are, Block how many are drawn in a row.
func (s *Succession) N() int { return len(s.observed) }

// Block is how many durations a [Walk] takes as they followed each other.
func (s *Succession) Block() int { return s.block }

// Again is another succession of as many, such as might have been measured as
// well: its durations are drawn in blocks.
func (s *Succession) Again(rng *rand.Rand) *Succession {
	w, anew := Walk{Succession: s}, make([]Observed, len(s.observed))
	for k := range anew {
		w.Sample(rng)
		anew[k] = Observed{At: s.observed[k].At, Took: w.last.Took, Beside: w.last.Beside}
	}
	again, err := succession(anew, s.block)
	if err != nil {
		return s // by chance only such as no histogram takes
	}
	return again
}

func (s *Succession) String() string {
	return fmt.Sprintf("%v, as they followed each other in blocks of %d", s.Empirical, s.block)
}

// Own is a distribution for one who alone draws from it, again and again: the
// distribution itself, but for one whose draws depend on those before, of which
// it is a copy. Nil is of nil.
func Own(d Distribution) Distribution {
	if s, ok := d.(*Succession); ok {
		return &Walk{Succession: s}
	}
	return d
}

// Walk draws from a succession, in circular blocks. Unlike other distributions
// it is for one goroutine.
type Walk struct {
	*Succession
	next, left int
	last       Observed
}

// Sample draws one uniform variate a block.
func (w *Walk) Sample(rng *rand.Rand) time.Duration {
	if w.left == 0 {
		w.next, w.left = rng.IntN(len(w.observed)), w.block
	}
	w.last = w.observed[w.next]
	w.left--
	if w.next++; w.next == len(w.observed) {
		w.next = 0
	}
	return w.last.Took
}

// Beside is what went with the duration that was drawn last.
func (w *Walk) Beside() time.Duration { return w.last.Beside }
