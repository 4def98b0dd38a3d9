package sim

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
)

// lateness has requests reach the pool as they did in a measured run: where the
// way there was shut, later than they were sent, and together. A stall comes as
// often as it did: where requests are closer together than in the run, in fewer
// of them.
type lateness struct {
	record *dist.Record
	rng    *rand.Rand
	place  int           // in the record, of the request that comes
	beside time.Duration // what it takes beside an instance

	sent       int           // since a block of as many requests as the record's began
	since, gap time.Duration // when that was, and how far apart those of the one before were; 0: there is none
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
			through = max(t, through) + l.shut(t)
			l.beside = through - t + l.record.Beside(l.place)
			if !yield(through) {
				return
			}
		}
	}
}

// shut is for how long the request that is sent now finds the way shut.
func (l *lateness) shut(now time.Duration) time.Duration {
	if block := l.record.Block(); l.sent == block {
		l.gap, l.since, l.sent = (now-l.since)/time.Duration(block), now, 0
	}
	l.sent++
	shut, gap := l.record.Shut(l.place), l.record.Gap(l.place)
	if shut > 0 && l.gap > 0 && l.gap < gap && l.rng.Float64()*float64(gap) > float64(l.gap) {
		return 0
	}
	return shut
}
