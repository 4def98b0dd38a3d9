// Package arrival owns arrival processes: when requests come.
//
// In: a process, a duration and a seeded random source. Out: the intended
// times, ascending, from the phase's start, as an iter.Seq. It is pure: no
// clock, no global randomness; the same seed yields the same times on any
// machine. It knows neither functions nor scenarios.
package arrival

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Process is a way of arriving. Times yields the arrivals in [0, d) in
// ascending order; the random source is not used after the sequence ends.
type Process interface {
	Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration]
}
