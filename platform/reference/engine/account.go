package engine

import (
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// account is the concurrency that functions share: reservations are taken off
// it, and the functions without one have the rest together. Its methods are
// called with the Runtime's mu held.
//
// A fleet learns what the others leave it when it takes its next Step; one
// whose requests wait is given that Step when something comes free.
type account struct {
	concurrency int      // 0 is no limit; then what is held is not counted
	unreserved  int      // least that reservations leave
	reserved    int      // sum of the reservations
	held        int      // instances starting or busy, over the fleets without a reservation
	queue       []*fleet // those of them whose requests wait, in the order in which they began to
}

// free is the most that a fleet may hold that holds some now; what reservations
// leave may be less than what is held already.
func (a *account) free(held int) int {
	if a.concurrency == 0 {
		return math.MaxInt
	}
	return max(0, a.concurrency-a.reserved-(a.held-held))
}

// enter notes what a fleet holds and whether its requests wait.
func (a *account) enter(f *fleet) {
	held, waits := 0, false
	if f.reserved == nil && a.concurrency > 0 {
		c := f.pool.Counts()
		held, waits = c.Starting+c.Busy, c.Waiting > 0
	}
	a.held += held - f.held
	f.held = held
	if waits == f.queued {
		return
	}
	f.queued = waits
	if waits {
		a.queue = append(a.queue, f)
	} else {
		i := slices.Index(a.queue, f)
		a.queue = slices.Delete(a.queue, i, i+1)
	}
}

// offer gives what is free to those who wait, one place at a time to whoever
// has waited longest. Those who then still wait need more than a place, such as
// a start token: they are told what is free, so that they know when to look.
func (a *account) offer() {
	for a.free(0) > 0 {
		f := a.first()
		if f == nil {
			break
		}
		// Its request gets the place, or has timed out just now: the next is another.
		f.advance(lifecycle.Event{Kind: lifecycle.Tick}, f.held+1)
	}
	for i := 0; i < len(a.queue) && a.free(0) > 0; {
		f := a.queue[i]
		f.advance(lifecycle.Event{Kind: lifecycle.Tick}, f.limit())
		if f.queued { // else the next has its place now
			i++
		}
	}
}

// first is the fleet that a free place goes to; nil if none has a use for it.
func (a *account) first() (first *fleet) {
	var longest time.Duration
	for _, f := range a.queue {
		since, blocked := f.pool.Blocked(f.rt.elapsed())
		if blocked && (first == nil || since < longest) {
			first, longest = f, since
		}
	}
	return first
}

// othersFirst says whether a place that f gives back goes to another fleet.
func (a *account) othersFirst(f *fleet) bool {
	since, waits := f.pool.Oldest()
	for _, other := range a.queue {
		if other == f {
			continue
		}
		if came, blocked := other.pool.Blocked(f.rt.elapsed()); blocked && (!waits || came < since) {
			return true
		}
	}
	return false
}

// reserve replaces a reservation by another; 0 is none. It is refused where too
// little would be left to the others, but what only gives back never is.
func (a *account) reserve(before, after int) error {
	if after < 0 {
		return invalid("reserved concurrency %d is below 0", after)
	}
	reserved := a.reserved - before + after
	if a.concurrency > 0 && after > before && a.concurrency-reserved < a.unreserved {
		return invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", a.unreserved)
	}
	a.reserved = reserved
	return nil
}
