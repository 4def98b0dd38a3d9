package sim

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
)

// lateness has requests reach the pool as they did in a measured run: where the
// way there was shut, later than they were sent, and together.
type lateness struct {
	record *dist.Record
	rng    *rand.Rand
	place  int           // in the record, of the request that comes
	beside time.Duration // what it takes beside an instance
}

// of is when requests come that are sent at these times, before end.
func (l *lateness) of(times iter.Seq[time.Duration], end time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		walk, through := l.record.Walk(), time.Duration(0)
		for t := range times {
			if t >= end {
				return
			}
			l.place = walk.Next(l.rng)
			through = max(t, through) + l.record.Shut(l.place)
			l.beside = through - t + l.record.Beside(l.place)
			if !yield(through) {
				return
			}
		}
	}
}
