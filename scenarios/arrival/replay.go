package arrival

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// Counts replays how many requests came in each minute. A trace does not say
// when within its minute a request came: N of them are N sorted uniform times
// in it. (All at the minute's start, as some replays do it, is a burst a
// minute that nobody sent.)
type Counts struct {
	PerMinute []uint32
	Speed     float64 // > 0: 60 plays a minute in a second; 0 is 1
	// Scale multiplies every count, >= 0; 0 is 1. A fraction of a request is
	// sent with that probability.
	Scale float64
}

// Expected counts the rows that begin before d; of the last, in proportion.
func (p Counts) Expected(d time.Duration) float64 {
	sum, minute := 0.0, time.Minute.Seconds()/or1(p.Speed)
	for i, n := range p.PerMinute {
		part := (d.Seconds() - float64(i)*minute) / minute
		if part <= 0 {
			break
		}
		sum += float64(n) * min(part, 1)
	}
	return sum * or1(p.Scale)
}

// Times draws one number an arrival, and one a minute where counts are scaled.
func (p Counts) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		now, end := newClock(d), d.Seconds()
		minute := time.Minute.Seconds() / or1(p.Speed)
		for i, count := range p.PerMinute {
			start := float64(i) * minute
			if start >= end {
				return
			}
			// The least of n uniforms in (u, 1) is 1-(1-u) V^(1/n), V uniform;
			// so they come in order, without being kept and sorted.
			u := 0.0
			for left := times(float64(count)*or1(p.Scale), rng); left > 0; left-- {
				u -= float64((1 - u) * math.Expm1(-rng.ExpFloat64()/float64(left)))
				s := start + float64(u*minute)
				if s >= end || !yield(now.at(s)) {
					return
				}
			}
		}
	}
}

// Timestamps replays when each request came.
type Timestamps struct {
	Offsets []time.Duration // >= 0, ascending, from the trace's start
	Speed   float64         // > 0: 60 plays a minute in a second; 0 is 1
	// Scale is how often each request is sent, >= 0; 0 is 1. A fraction is
	// sent with that probability.
	Scale float64
}

// Expected counts the offsets before d.
func (p Timestamps) Expected(d time.Duration) float64 {
	n := 0
	for _, t := range p.Offsets {
		if !(t.Seconds()/or1(p.Speed) < d.Seconds()) {
			break
		}
		n++
	}
	return float64(n) * or1(p.Scale)
}

// Times draws one number an arrival where they are scaled, none otherwise.
func (p Timestamps) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		now, end := newClock(d), d.Seconds()
		for _, t := range p.Offsets {
			s := t.Seconds() / or1(p.Speed)
			if s >= end {
				return
			}
			for range times(or1(p.Scale), rng) {
				if !yield(now.at(s)) {
					return
				}
			}
		}
	}
}

// times is x where x is whole, and otherwise one of its neighbours, by chance,
// so that the mean is x.
func times(x float64, rng *rand.Rand) int {
	low := math.Floor(x)
	if x == low {
		return int(low)
	}
	if rng.Float64() < x-low {
		low++
	}
	return int(low)
}

func or1(x float64) float64 {
	if x == 0 {
		return 1
	}
	return x
}
