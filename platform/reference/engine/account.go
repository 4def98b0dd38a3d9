package engine

import (
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// quota is concurrency that versions share: the account's, less what is
// reserved, or a family's reservation. Its methods are called with the
// Runtime's mu held.
//
// A version learns what the others leave it when it takes its next Step; one
// whose requests wait is given that Step when something comes free.
type quota struct {
	limit int        // most that they hold together; math.MaxInt is no limit, and then what is held is not counted
	held  int        // their instances that are starting, busy or provisioned
	queue []*Version // those whose requests wait, in the order in which they began to
}

// free is the most that a version may hold that holds some now; what
// reservations leave may be less than what is held already.
func (q *quota) free(held int) int {
	if q.limit == math.MaxInt {
		return math.MaxInt
	}
	return max(0, q.limit-(q.held-held))
}

// enter notes what a version holds and whether its requests wait.
func (q *quota) enter(v *Version) {
	held, waits := 0, false
	if q.limit != math.MaxInt {
		c := v.pool.Counts()
		held, waits = c.Held, c.Waiting > 0
	}
	q.note(v, held, waits)
}

// leave forgets a version, which enters another quota or is gone.
func (q *quota) leave(v *Version) { q.note(v, 0, false) }

func (q *quota) note(v *Version, held int, waits bool) {
	q.held += held - v.held
	v.held = held
	if waits == v.queued {
		return
	}
	v.queued = waits
	v.rt.budget.note(v, waits)
	if waits {
		q.queue = append(q.queue, v)
	} else {
		i := slices.Index(q.queue, v)
		q.queue = slices.Delete(q.queue, i, i+1)
	}
}

// offer gives what is free to those who wait, one place at a time to whoever
// has waited longest. Those who then still wait need more than a place, such as
// a start token: they are told what is free, so that they know when to look.
func (q *quota) offer() {
	for q.free(0) > 0 {
		v := q.first()
		if v == nil {
			break
		}
		// Its request gets the place, or has timed out just now: the next is another.
		held := v.held
		came, _ := v.pool.Oldest()
		v.advance(lifecycle.Event{Kind: lifecycle.Tick}, held+1)
		if next, waits := v.pool.Oldest(); waits && next == came && v.held == held {
			break // it wants for something that it does not know of
		}
	}
	for i := 0; i < len(q.queue) && q.free(0) > 0; {
		v := q.queue[i]
		v.advance(lifecycle.Event{Kind: lifecycle.Tick}, q.free(v.held))
		if v.queued { // else the next has its place now
			i++
		}
	}
}

// first is the version that a free place goes to; nil if none has a use for it.
func (q *quota) first() (first *Version) {
	var longest time.Duration
	for _, v := range q.queue {
		since, blocked := v.pool.Blocked(v.rt.elapsed())
		if blocked && (first == nil || since < longest) {
			first, longest = v, since
		}
	}
	return first
}

// othersFirst says whether a place that v gives back goes to another version.
func (q *quota) othersFirst(v *Version) bool {
	since, waits := v.pool.Oldest()
	for _, other := range q.queue {
		if other == v {
			continue
		}
		if came, blocked := other.pool.Blocked(v.rt.elapsed()); blocked && (!waits || came < since) {
			return true
		}
	}
	return false
}

// account is the concurrency of all functions, of which some is reserved.
type account struct {
	concurrency int // 0 is no limit
	unreserved  int // least that reservations leave
	unlimited   int // the rest's limit where there is none
	reserved    int // sum of the reservations
	rest        quota
}

// newAccount makes an account without reservations. Where there is no limit,
// who waits is known only if it is counted.
func newAccount(concurrency, unreserved int, counted bool) account {
	a := account{concurrency: concurrency, unreserved: unreserved, unlimited: math.MaxInt}
	if counted {
		a.unlimited-- // nobody comes that far
	}
	a.divide(0)
	return a
}

func (a *account) divide(reserved int) {
	a.reserved = reserved
	a.rest.limit = a.unlimited
	if a.concurrency > 0 {
		a.rest.limit = max(0, a.concurrency-reserved)
	}
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
	a.divide(reserved)
	return nil
}
