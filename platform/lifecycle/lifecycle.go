// Package lifecycle owns the decisions about instances: when one is started,
// which one serves a request, who waits, who is throttled, who is reaped.
//
// In: a [Policy], and events with the time at which they happened. Out:
// actions for whoever owns the instances. It has no clock, no goroutine, no
// sandbox and no random source: the reference runtime drives it with real
// ones, the simulator with virtual ones, and both get the same decisions.
//
// One Pool holds the instances of one function version.
//
//	          Start             Provisioned     Booted          Ready
//	(none) ---------> provisioning ------> booting -----> init ------+
//	                       |                  |             |        v
//	                       +------------------+------Failed-+   idle <-> busy
//	                                          |                  |        |
//	                                          v    Reap (idle    v  Lost  |
//	                                        gone <-- reaping <---+--------+
//	                                            Gone    too long)
package lifecycle

import "time"

// Instance names an instance within its Pool; 0 names none. A name is never
// used again in one Pool.
type Instance uint64

// Request names a request within its Pool; 0 names none. The caller chooses
// names and does not use one again while it is alive.
type Request uint64

// State is where an instance is in its life.
type State uint8

const (
	Provisioning State = iota // its sandbox is being made
	Booting                   // the sandbox runs, the language runtime does not yet
	Initialising              // the function's own init runs
	Idle                      // ready, holds no request
	Busy                      // ready, holds a request
	Reaping                   // told to go, still holds resources
	Gone                      // nothing is left
)

// EventKind is what happened.
type EventKind uint8

const (
	// Tick: nothing but the passing of time; acts on deadlines that are due.
	// Every other event does so too, before itself.
	Tick EventKind = iota
	// Arrive: Request has come and wants an instance.
	Arrive
	// Provisioned: Instance's sandbox runs.
	Provisioned
	// Booted: Instance's language runtime runs. May be left out.
	Booted
	// Ready: Instance's init is done. Provisioned and Booted may be left out before it.
	Ready
	// Failed: Instance could not be made ready and is gone. A request bound to
	// it ends with a Fail action.
	Failed
	// Finish: Instance has answered Request and can serve again.
	Finish
	// Lost: Instance is gone or useless (crash, kill, timeout, out of memory).
	// A request that it held has ended with it; its owner knows how. A Reap
	// action follows so that what is left of it is cleared away.
	Lost
	// Cancel: Request's caller has given up. A waiting request leaves the
	// queue; one bound to a starting instance leaves it to whoever comes next;
	// one that is being served is not affected.
	Cancel
	// GoneEvent: a reaped Instance holds nothing any more.
	GoneEvent
	// Evict: every idle instance is reaped now, and every starting or busy one
	// as soon as it has served what is bound to it.
	Evict
)

// Event is one thing that happened. Fields that its kind does not name are 0.
type Event struct {
	Kind     EventKind
	Instance Instance
	Request  Request
}

// ActionKind is what the owner of the instances is to do.
type ActionKind uint8

const (
	// Start: begin to make Instance ready. Request, if not 0, is bound to it:
	// it will be served by Instance and by no other (early binding).
	Start ActionKind = iota
	// Serve: hand Request to Instance, which is ready. How says by what way
	// the request got it.
	Serve
	// Enqueue: Request waits.
	Enqueue
	// Throttle: Request is refused; Why says for want of what.
	Throttle
	// Fail: Request ends because the instance bound to it failed to start.
	Fail
	// Drop: Request has left the pool after Cancel.
	Drop
	// Reap: put Instance away; Why says the reason. Answer with GoneEvent.
	Reap
)

// How is the way by which a request got its instance; the start kind follows from it.
type How uint8

const (
	ByReuse How = iota // an idle instance took it at once: warm
	ByStart            // the instance was started for it: cold
	ByQueue            // it waited for an instance that it had not started: queued
)

// Why is the reason of a Throttle or a Reap.
type Why uint8

const (
	NoReason        Why = iota
	ConcurrencyFull     // Throttle: the concurrency limit is reached and the queue is full
	StartRateFull       // Throttle: no start is allowed now and the queue is full
	QueueTimeout        // Throttle: it waited longer than the queue allows
	KeepAliveOver       // Reap: idle for the keep-alive
	WasLost             // Reap: after Lost
	WasEvicted          // Reap: after Evict
)

// Action is one order to the owner of the instances.
type Action struct {
	Kind     ActionKind
	How      How
	Why      Why
	Instance Instance
	Request  Request
}

// Policy is the pool's rules. The zero value starts an instance whenever none
// is idle, without limit, and keeps none alive.
type Policy struct {
	// KeepAlive is how long an idle instance lives: it is gone at idle+KeepAlive
	// exactly (a request at that instant is cold). 0 reaps at once; negative
	// keeps for ever.
	KeepAlive time.Duration
	// Concurrency is the most requests served or bound at once (reserved
	// concurrency). 0 is no limit.
	Concurrency int
	// StartBurst and StartEvery bound the rate of starts by a token bucket: it
	// holds StartBurst tokens when full and gains one each StartEvery.
	// StartBurst 0 is no bound.
	StartBurst int
	StartEvery time.Duration
	// QueueLimit is the most requests that wait. 0 is no queue: throttle at once.
	QueueLimit int
	// QueueTimeout is the longest wait. 0 is no bound.
	QueueTimeout time.Duration
	// LateBinding lets a request that started an instance take whichever comes
	// free first. The default is early binding, as Lambda does it.
	LateBinding bool
}

// Counts are a pool's present population and its history. They always add up:
// Arrived = Served + Throttled + Failed + Dropped + waiting + bound, where
// Served counts Serve actions.
type Counts struct {
	Starting, Idle, Busy, Reaping, Waiting, Bound int
	Arrived, Served, Throttled, Failed, Dropped   uint64
	Started, Reaped                               uint64
}
