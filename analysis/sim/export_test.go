package sim

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Drawn are arrivals from a load's counts.
func Drawn(l Load) func(*rand.Rand) iter.Seq[time.Duration] { return l.drawn }
