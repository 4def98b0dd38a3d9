package drive

import (
	"context"
	"sort"
	"sync/atomic"
	"time"
)

// pacer lets vegeta's hits go at the schedule's times. It is a function of the
// hit's number and waits inside Pace: a wait that Pace returned would be slept
// by vegeta, at the granularity of Go's timers and deaf to an interrupt.
//
// vegeta calls Pace from one goroutine. Everything but launched is that
// goroutine's until the attack is over.
type pacer struct {
	sending context.Context // ends when nothing more is to be sent
	times   []time.Duration
	origin  time.Time
	waiter  waiter
	gate    *gate

	launched atomic.Uint64 // arrivals let go
	held     uint64        // of them, those that had to wait at the gate
	overdue  uint64        // arrivals that were due and still held when sending ended
}

// Pace returns when hit number hits is to be let go, its headway before it is
// due: 0, or stop at the end of the schedule or of the context.
func (p *pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if hits >= uint64(len(p.times)) {
		return 0, true
	}
	if !p.waiter.until(p.sending, p.origin.Add(p.times[hits]-p.waiter.ahead().of(p.times, hits))) {
		return 0, true
	}
	held, ok := p.gate.admit(p.sending, hits)
	if !ok {
		p.overdue = max(p.due(), hits) - hits // with a headway, hits may be ahead of what is due
		return 0, true
	}
	if held {
		p.held++
	}
	p.launched.Store(hits + 1)
	return 0, false
}

// Rate is vegeta's for reports that nobody makes here.
func (p *pacer) Rate(time.Duration) float64 { return 0 }

// reached is the number of arrivals that have been let go or given up.
func (p *pacer) reached() uint64 { return p.launched.Load() }

// due is the number of arrivals whose time has come.
func (p *pacer) due() uint64 { return dueBy(p.times, time.Since(p.origin)) }

// dueBy is the number of times that have come by now.
func dueBy(times []time.Duration, now time.Duration) uint64 {
	return uint64(sort.Search(len(times), func(i int) bool { return times[i] > now }))
}
