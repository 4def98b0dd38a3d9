// Package arrival owns arrival processes: when requests come.
//
// In: a process, a duration and a seeded random source. Out: the intended
// times, ascending, from the phase's start, as an iter.Seq. It is pure: no
// clock, no global randomness; the same seed yields the same times on any
// machine. It knows neither functions nor scenarios.
//
//	even spacing          Constant, Gap, Burst
//	renewals              Poisson, Bursty
//	a rate that changes   Ramp, Step, Spike, Sine
//	what was recorded     Counts, Timestamps (from a [Trace])
//
// Conversions of products to float64 that look idle keep compilers from fusing
// multiplication and addition, which would give other times on processors
// that can.
//
// A process whose parameters are out of the range that its fields state yields
// nothing; whoever takes parameters from people refuses them with a reason.
package arrival

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// Process is a way of arriving. Times yields the arrivals in [0, d) in
// ascending order; the random source is not used after the sequence ends, and
// the sequence is good for one pass, because a pass uses the source up.
//
// Expected is the mean number of arrivals in [0, d), exact for processes
// without chance. It costs no more than the process has parameters (or rows),
// so that an absurd schedule can be refused before it is drawn up.
type Process interface {
	Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration]
	Expected(d time.Duration) float64
}

// none is the schedule of a process that is out of its range.
func none(func(time.Duration) bool) {}

// whole is the number of arrivals that an integrated rate of x stands for. A
// rate and a duration that make a whole number on paper must make it here,
// also where the product of their binary fractions falls just short.
func whole(x float64) int {
	up := math.Ceil(x)
	if up-x <= 1e-9*math.Max(1, x) {
		return int(up)
	}
	return int(math.Floor(x))
}

// clock turns seconds into durations that never descend and stay in [0, d),
// whatever rounding to nanoseconds does at the edges.
type clock struct {
	last, end time.Duration
}

func newClock(d time.Duration) clock { return clock{end: d - 1} }

func (c *clock) at(seconds float64) time.Duration {
	t := c.end
	if ns := seconds*1e9 + .5; ns < float64(c.end) { // rounds at half the cost of math.Round
		t = time.Duration(ns)
	}
	c.last = max(c.last, t)
	return c.last
}
