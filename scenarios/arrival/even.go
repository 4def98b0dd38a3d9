package arrival

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Constant sends exactly Rate x d requests (rounded down), the i-th at i/Rate.
type Constant struct {
	Rate units.Rate // > 0
}

// Expected is the exact number.
func (p Constant) Expected(d time.Duration) float64 {
	if !(p.Rate > 0) {
		return 0
	}
	return float64(whole(float64(p.Rate) * d.Seconds()))
}

// Times does not use the random source.
func (p Constant) Times(d time.Duration, _ *rand.Rand) iter.Seq[time.Duration] {
	n := int(p.Expected(d))
	return func(yield func(time.Duration) bool) {
		now := newClock(d)
		for i := range n {
			if !yield(now.at(float64(i) / float64(p.Rate))) {
				return
			}
		}
	}
}

// Gap is the idle probe: one request at At and then one each Gap.
type Gap struct {
	Gap time.Duration // > 0
	At  time.Duration // of the first, from the phase's start; 0 is at once
}

// Expected is the exact number.
func (p Gap) Expected(d time.Duration) float64 {
	if p.Gap <= 0 || p.At < 0 || d <= p.At {
		return 0
	}
	return float64((d-p.At-1)/p.Gap + 1)
}

// Times does not use the random source.
func (p Gap) Times(d time.Duration, _ *rand.Rand) iter.Seq[time.Duration] {
	n := int(p.Expected(d))
	return func(yield func(time.Duration) bool) {
		for i := range n {
			if !yield(p.At + time.Duration(i)*p.Gap) {
				return
			}
		}
	}
}

// Burst sends Count requests at once.
type Burst struct {
	Count int           // > 0
	At    time.Duration // in [0, d), from the phase's start
}

// Expected is the exact number.
func (p Burst) Expected(d time.Duration) float64 {
	if p.At < 0 || p.At >= d {
		return 0
	}
	return float64(max(p.Count, 0))
}

// Times does not use the random source.
func (p Burst) Times(d time.Duration, _ *rand.Rand) iter.Seq[time.Duration] {
	n := int(p.Expected(d))
	return func(yield func(time.Duration) bool) {
		for range n {
			if !yield(p.At) {
				return
			}
		}
	}
}
