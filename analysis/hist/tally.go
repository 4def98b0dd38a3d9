package hist

import (
	"math"
	"math/bits"
	"time"
)

// Tally counts durations for a [Histogram], several times as fast: a simulation
// records ten million a second. It keeps the same bars and the same exact
// figures, but gives none before [Histogram.Absorb]. Use [NewTally]. It serves
// one goroutine.
type Tally struct {
	counts     []uint32 // by bar; what does not fit is in spilled
	spilled    *Histogram
	n          uint64
	outOfRange uint64
	beyond     time.Duration // the greatest that was above [Highest]; 0 for none
	min, max   time.Duration
	sum        sum

	last time.Duration // of which there may be many in a row
	row  uint64        // so many, not counted yet
}

// Bars have 11 binary digits, as those of an HDR histogram of three decimal
// ones: from 2^k on, for k above 10, each is 2^(k-10) wide.
const barBits = 11

// NewTally makes an empty tally; it takes about 130 KB.
func NewTally() *Tally { return &Tally{counts: make([]uint32, bar(Highest)+1)} }

// bar is the place of a duration's bar.
func bar(d time.Duration) int {
	shift := bits.Len64(uint64(d)|(1<<barBits-1)) - barBits
	return shift<<(barBits-1) + int(d>>shift)
}

// low is the least duration of a bar.
func low(bar int) time.Duration {
	shift := max(0, bar>>(barBits-1)-1)
	return time.Duration(bar-shift<<(barBits-1)) << shift
}

// Record counts d as [Histogram.Record] does.
func (t *Tally) Record(d time.Duration) {
	if d != t.last {
		t.count()
		t.last = d
	}
	t.row++
}

// count counts the durations that are in a row.
func (t *Tally) count() {
	d, n := t.last, t.row
	t.row = 0
	switch {
	case n == 0:
		return
	case d < 0 || d > Highest:
		t.outOfRange += n
		t.beyond = max(t.beyond, d)
		return
	case t.n == 0:
		t.min = d
	}
	t.min, t.max = min(t.min, d), max(t.max, d)
	t.n += n
	t.sum.merge(times(d, n))
	t.put(bar(d), n)
}

// put adds to a bar's count.
func (t *Tally) put(bar int, n uint64) {
	if c := &t.counts[bar]; n <= uint64(math.MaxUint32-*c) {
		*c += uint32(n)
		return
	}
	if t.spilled == nil {
		t.spilled = New()
	}
	t.spilled.RecordN(low(bar), n)
}

// Add adds everything that from has counted, which from keeps.
func (t *Tally) Add(from *Tally) {
	t.count()
	from.count()
	t.outOfRange += from.outOfRange
	t.beyond = max(t.beyond, from.beyond)
	if from.n == 0 {
		return
	}
	used, first := from.used(), bar(from.min)
	counts := t.counts[first : first+len(used)]
	for k, n := range used {
		if sum := counts[k] + n; sum >= n { // no overflow
			counts[k] = sum
		} else {
			t.put(first+k, uint64(n))
		}
	}
	if from.spilled != nil {
		for b := range from.spilled.Bars() {
			t.put(bar(b.Low), b.Count)
		}
	}
	if t.n == 0 {
		t.min = from.min
	}
	t.min, t.max = min(t.min, from.min), max(t.max, from.max)
	t.n += from.n
	t.sum.merge(from.sum)
}

// N is how many durations were recorded, out of range or not.
func (t *Tally) N() uint64 { return t.n + t.outOfRange + t.row }

// OutOfRange is how many of them were negative or above [Highest].
func (t *Tally) OutOfRange() uint64 {
	t.count()
	return t.outOfRange
}

// Reset forgets everything and keeps the memory.
func (t *Tally) Reset() {
	clear(t.used())
	*t = Tally{counts: t.counts}
}

// used are the bars that may have a count.
func (t *Tally) used() []uint32 {
	if t.n == 0 {
		return nil
	}
	return t.counts[bar(t.min) : bar(t.max)+1]
}

// Mean is the arithmetic mean of the durations in range, as [Histogram.Mean] is.
func (t *Tally) Mean() time.Duration {
	t.count()
	if t.n == 0 {
		return 0
	}
	return t.sum.over(t.n)
}

// Absorb adds everything that t has counted, which t keeps.
func (h *Histogram) Absorb(t *Tally) {
	t.count()
	h.outOfRange += t.outOfRange
	h.beyond = max(h.beyond, t.beyond)
	if t.n == 0 {
		return
	}
	for k, n := range t.used() {
		if n > 0 {
			h.hdr.RecordValues(int64(low(bar(t.min)+k)), int64(n)) // in range: it was recorded
		}
	}
	if t.spilled != nil {
		h.hdr.Merge(t.spilled.hdr)
	}
	if h.n == 0 || t.min < h.min {
		h.min = t.min
	}
	h.max = max(h.max, t.max)
	h.sum.merge(t.sum)
	h.n += t.n
}
