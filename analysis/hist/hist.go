// Package hist owns distributions of durations.
//
// In: durations, one at a time or another histogram. Out: counts by rank and
// quantile, bars for a chart, and the two file formats of the HdrHistogram
// family, .hgrm and .hlog. Values are kept to three significant digits in an
// HDR histogram; how many there were, the least, the greatest and the sum are
// kept exactly beside it. It says nothing of how far a quantile can be
// trusted (that is stats' work).
package hist

import (
	"iter"
	"math"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// Lowest is the finest step between values.
	Lowest = time.Nanosecond
	// Highest is the greatest duration that a histogram takes.
	Highest = time.Hour

	digits = 3
)

// Histogram counts durations from 0 to [Highest]. Use [New]. It serves one
// goroutine.
type Histogram struct {
	hdr        *hdrhistogram.Histogram
	n          uint64
	min, max   time.Duration
	sum        sum
	outOfRange uint64
	beyond     time.Duration // the greatest that was above [Highest]; 0 for none
}

// New makes an empty histogram; it takes about 270 KB, however much is recorded.
func New() *Histogram {
	return &Histogram{hdr: hdrhistogram.New(int64(Lowest), int64(Highest), digits)}
}

// Record counts d. One that is negative or above [Highest] is counted by
// [Histogram.OutOfRange] and, if it is above, in [Histogram.Longest], and nowhere else. It does not allocate.
func (h *Histogram) Record(d time.Duration) {
	h.RecordN(d, 1)
}

// RecordN counts d n times.
func (h *Histogram) RecordN(d time.Duration, n uint64) {
	if n == 0 {
		return
	}
	if d < 0 || d > Highest || n > math.MaxInt64 || h.hdr.RecordValues(int64(d), int64(n)) != nil {
		h.outOfRange += n
		h.beyond = max(h.beyond, d)
		return
	}
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.sum.merge(times(d, n))
	h.n += n
}

// N is how many durations were recorded in range.
func (h *Histogram) N() uint64 { return h.n }

// OutOfRange is how many durations were negative or above [Highest].
func (h *Histogram) OutOfRange() uint64 { return h.outOfRange }

// Min is the least recorded duration, exactly; 0 if there is none.
func (h *Histogram) Min() time.Duration { return h.min }

// Max is the greatest recorded duration, exactly; 0 if there is none.
func (h *Histogram) Max() time.Duration { return h.max }

// Longest is the greatest duration that there was, in range or above it, exactly;
// 0 if there is none.
func (h *Histogram) Longest() time.Duration { return max(h.max, h.beyond) }

// Mean is the arithmetic mean of all recorded durations, exact but for
// rounding to the nearest nanosecond; 0 if there is none.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return h.sum.over(h.n)
}

// Quantile is the duration at rank k, the smallest k with k/n >= q: the
// inverse of the empirical distribution function (Hyndman and Fan 1996,
// definition 1). q is taken as 0 below it and as 1 above; the quantile of
// nothing is 0.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	if !(q > 0) { // or not a number
		return h.min
	}
	if q >= 1 {
		return h.max
	}
	n := float64(h.n)
	k := math.Floor(q * n)
	if k/n < q { // dividing is exact where it matters, .07*100 is not 7
		k++
	}
	return h.AtRank(uint64(k))
}

// AtRank is the k-th smallest recorded duration, from 1. The rank is exact;
// the duration is the upper end of its bar, at most .1% above the recorded
// one and never outside [Histogram.Min] and [Histogram.Max]. A rank of 0 is
// taken as 1, one beyond n as n; the rank of nothing is 0.
func (h *Histogram) AtRank(k uint64) time.Duration {
	switch {
	case h.n == 0 || k <= 1:
		return h.min
	case k >= h.n:
		return h.max
	}
	// The library rounds percentile/100*n to the nearest rank, which undoes this.
	v := h.hdr.ValueAtPercentile(100 * (float64(k) / float64(h.n)))
	return min(max(time.Duration(v), h.min), h.max)
}

// Merge adds everything that from has counted. from is not changed.
func (h *Histogram) Merge(from *Histogram) {
	h.outOfRange += from.outOfRange
	h.beyond = max(h.beyond, from.beyond)
	if from.n == 0 {
		return
	}
	h.hdr.Merge(from.hdr) // of one geometry, so that nothing is dropped
	if h.n == 0 || from.min < h.min {
		h.min = from.min
	}
	h.max = max(h.max, from.max)
	h.sum.merge(from.sum)
	h.n += from.n
}

// Reset forgets everything and keeps the memory.
func (h *Histogram) Reset() {
	hdr := h.hdr
	hdr.Reset()
	*h = Histogram{hdr: hdr}
}

// Bar is a range of durations that the histogram does not tell apart.
type Bar struct {
	Low, High time.Duration // both included
	Count     uint64        // at least 1
}

// Bars yields the bars that have a count, in ascending order. It looks at a
// copy of the counts: the library's own list has every empty bar in it, too.
func (h *Histogram) Bars() iter.Seq[Bar] {
	return func(yield func(Bar) bool) {
		if h.n == 0 {
			return
		}
		for k, n := range h.hdr.Export().Counts {
			if n > 0 && !yield(Bar{Low: low(k), High: low(k+1) - 1, Count: uint64(n)}) {
				return
			}
		}
	}
}

// sum is a 128-bit total: two and a half million hours overflow 64 bits of
// nanoseconds.
type sum struct{ high, low uint64 }

func (s *sum) merge(t sum) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, t.low, 0)
	s.high, _ = bits.Add64(s.high, t.high, carry)
}

// over is the mean of n values, none above Highest, that make up the sum.
func (s *sum) over(n uint64) time.Duration {
	mean, rest := bits.Div64(s.high, s.low, n)
	if rest >= n-rest {
		mean++
	}
	return time.Duration(mean)
}
