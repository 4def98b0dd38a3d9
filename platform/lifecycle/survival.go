package lifecycle

import (
	"math/rand/v2"
	"time"
)

// Survivor is one point of a survival curve.
type Survivor struct {
	Idle  time.Duration // length of the idle spell
	Alive float64       // share, 0 to 1, of the instances still alive after it
}

// lifetime draws the length of an idle spell: the first at which the share alive
// is no more than a uniform variate. Before the first point the curve falls
// from 1 at 0.
func lifetime(curve []Survivor, random *rand.Rand) time.Duration {
	u := random.Float64()
	before := Survivor{Alive: 1}
	for _, point := range curve {
		if point.Alive <= u {
			share := (before.Alive - u) / (before.Alive - point.Alive)
			return before.Idle + time.Duration(share*float64(point.Idle-before.Idle))
		}
		before = point
	}
	return before.Idle
}

func (p Policy) validateSurvival(f *faults) {
	if len(p.Survival) == 0 {
		return
	}
	if p.KeepAlive != 0 {
		f.add("keep-alive %v with a survival curve: leave it out, the curve says how long instances live", p.KeepAlive)
	}
	before := Survivor{Idle: -1, Alive: 1}
	for _, point := range p.Survival {
		switch {
		case point.Idle < 0:
			f.add("survival at %v: must be at least 0s", point.Idle)
		case point.Idle <= before.Idle:
			f.add("survival at %v: must be after the point at %v", point.Idle, before.Idle)
		}
		if !(point.Alive >= 0 && point.Alive <= before.Alive) { // also not a number
			f.add("survival at %v: alive %v: must be at least 0 and at most %v, the share before", point.Idle, point.Alive, before.Alive)
		}
		before = point
	}
	if before.Alive != 0 {
		f.add("survival at %v: alive %v: the last point's must be 0", before.Idle, before.Alive)
	}
}
