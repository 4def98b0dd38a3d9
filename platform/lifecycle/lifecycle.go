// Package lifecycle owns the decisions about instances: when one is started,
// which one serves a request, who waits, who is throttled, who is reaped.
//
// In: a [Policy], and events with the time at which they happened. Out:
// actions for whoever owns the instances. It has no clock, no goroutine, no
// sandbox and no random source but the one that a policy seeds: the reference
// runtime drives it with real ones, the simulator with virtual ones, and both
// get the same decisions.
//
// One [Pool] holds the instances of one function version; pools may share a
// [Memory]. A [Stock] holds booted runtimes without a function. They do not
// measure, log or price anything, and never retry a request.
//
//	         Start             Provisioned         Booted        Ready
//	(none) --------> provisioning -----> booting -----> init ----------+
//	                      |                 |            |             v
//	                      +-----------------+------------+       idle <---> busy   (idle: or paused)
//	                      |                 |                     |           |
//	                      | Failed          | Lost                | Reap      | Lost,
//	                      v                 v                     v           | Evict
//	                    gone <----------- reaping <---------------+-----------+
//	                            Cleared
//
// What a policy decides, in the order in which it is asked:
//
//   - An arriving request takes a ready instance: a provisioned one before
//     others, one that is busy and has a slot left before an idle one, an idle
//     one before a paused one, and each time the one that was used last
//     (most-recently-used first; the one at the bottom grows old and expires).
//     Noise lets a share take any of those that rest.
//   - If there is none, it shares an instance that is starting, if that has a
//     slot left.
//   - Else it starts one, if Concurrency, the start rate and the memory allow.
//     Every starting or busy instance takes one unit of Concurrency, also one
//     whose request was cancelled while it started: it is released when the
//     instance is ready. So no more instances than Concurrency ever live
//     beside those that are being reaped, and nobody waits beside an idle one.
//     (With several slots it is instances that are counted, not requests.)
//   - Provisioned instances take their units all the time, in use or not, and
//     also while they are missing, as Lambda has it. An instance that is
//     missing is started after the requests that wait, and takes a start token.
//     A provisioned instance serves what comes when it is ready; requests that
//     come before start their own, where there is room beside the level.
//   - The limit that Concurrency sets can be moved at any time ([Pool.Limit]).
//     It is about the idle instances too then: below the present population
//     they are not lent, though somebody waits.
//   - Otherwise it waits, first in first out, or is throttled if QueueLimit
//     requests wait already.
//   - Whatever comes free serves the head of the queue: an instance first, else
//     the room, the start token or the memory for a new one.
//
// With early binding a request that has an instance started leaves the queue
// for it and is served by it. With late binding it waits at the front, behind
// those that had theirs started before, and takes whichever instance comes
// free first. Such a request has its start under way, so it counts neither
// against QueueLimit nor against QueueTimeout.
//
// What becomes due at one instant is done in this order, before an event at
// that instant: keep-alives end, instances are paused, requests time out, pings
// go out, a pre-warm starts, the provisioned level changes, start tokens are used.
//
// # Combinations that Validate refuses
//
//   - KeepAlive with Survival or Hybrid, and these with each other: each says
//     how long instances live. Give one. For a longest life beside a curve, end
//     the curve there; for a keep-alive where Hybrid knows nothing, set its Standard.
//   - Ping with Hybrid: the pings would be the idle times that it learns. To
//     keep instances warm, give a KeepAlive and Ping; to pre-warm, Hybrid.
//   - LateBinding with Slots above 1: how many starts a waiting request stands
//     for would depend on who is served first. Leave LateBinding out: requests
//     share an instance that starts, and so wait for no more starts than needed.
//   - Pause without anything that keeps instances, or with a PauseAfter that the
//     keep-alive does not reach: nothing would ever be paused. Give a longer KeepAlive.
//   - PauseAfter without Pause, Period without Provisioned, StartEvery without
//     StartBurst, Every without Count of Ping, and the other way round: half a setting.
package lifecycle

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
	Paused                    // idle and frozen: ready as soon as it is thawed, holds no request
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
	// it ends with a Fail action. With late binding it is the oldest waiting
	// request that started an instance, unless as many starts are still under
	// way as such requests wait: then the failed one was not needed.
	Failed
	// Finish: Instance has answered Request and can serve another in its place.
	Finish
	// Lost: Instance is gone or useless (crash, kill, timeout, out of memory).
	// The requests that it was serving have ended with it; their owner knows
	// how. Those that waited for it to start fail as after Failed. A Reap action follows
	// so that what is left of it is cleared away.
	Lost
	// Cancel: Request's caller has given up. A waiting request leaves the
	// queue; one bound to a starting instance leaves it to whoever waits when it
	// is ready (or has it reaped, after Evict); one that is being served is not
	// affected, and the event counts as ignored.
	Cancel
	// Cleared: a reaped Instance holds nothing any more.
	Cleared
	// Evict: every idle instance is reaped now, and so is every starting one
	// for which no request waits. The others are reaped when they have served
	// the requests that they hold or, being ready, find nobody in need of
	// them. What is to be kept ready is started anew. What is started afterwards is not affected.
	Evict
	// Retire: Evict, and from now on nothing is started ahead (no provisioned
	// instance, no pre-warm, no ping) and nothing stands idle: who waits is
	// served, and each instance goes when it has nothing to do.
	Retire
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
	// it will be served by Instance and by no other (early binding). With late
	// binding Request is 0; the request that wanted the instance was enqueued.
	// It is 0 too where the instance is started Ahead of any request.
	Start ActionKind = iota
	// Serve: hand Request to Instance, which is ready. How says by what way
	// the request got it.
	Serve
	// Enqueue: Request waits. Instance, if not 0, is one that another request
	// had started and that Request is bound to from now on, too; one that
	// waited already may be enqueued once more for that.
	Enqueue
	// Throttle: Request is refused; Why says for want of what.
	Throttle
	// Fail: Request ends because Instance failed to start; one action for each
	// request that was bound to it.
	Fail
	// Drop: Request has left the pool after Cancel.
	Drop
	// Reap: put Instance away; Why says the reason. Answer with Cleared.
	Reap
	// Pause: freeze Instance, which is idle. It needs no answer; a Serve
	// [ByResume] thaws it. Where freezing or thawing fails, it is Lost.
	Pause
	// Ping: invoke the function once to keep an instance warm. The ping comes
	// back as an Arrive like any other request.
	Ping
)

// How is the way by which a request got its instance; the start kind follows from it.
type How uint8

const (
	ByReuse     How = iota // an idle instance took it at once: warm
	ByStart                // it had this very instance started and is its first request: cold
	ByQueue                // it waited, and got an instance that it had not started: queued
	ByResume               // its instance was paused and is thawed for it: restored
	ByProvision            // its instance was started ahead: each request on a provisioned one, the first on a pre-warmed one
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
	WasEvicted          // Reap: after Evict or Retire
	Shrunk              // Reap: the provisioned level fell
	MemoryShort         // Reap: of all that are idle it was used longest ago, and its memory is needed
	MemoryFull          // Throttle: there is no memory for a start and the queue is full
)

// Action is one order to the owner of the instances.
type Action struct {
	Kind     ActionKind
	How      How
	Why      Why
	Ahead    bool // of a Start: no request wants it (provisioned, or pre-warmed)
	Kept     bool // of a Start Ahead: it is one of the provisioned level
	Instance Instance
	Request  Request
}

// Counts are a pool's present population and its history. At every instant
//
//	Arrived = Served + Throttled + Failed + Dropped + Waiting + Bound
//	Served  = Finished + Lost + Serving
//	Started = Starting + Idle + Paused + Busy + Reaping + Gone
//
// and Bound <= Starting and Serving <= Busy, each times the slots. Waiting or
// Idle + Paused is 0 unless Held reaches the limit. Where nothing is started
// ahead, Starting + Idle + Paused + Busy <= the highest limit so far
// (Policy.Concurrency, or what [Pool.Limit] set).
type Counts struct {
	Starting, Idle, Paused, Busy, Reaping int // instances now

	Held    int // of the limit now: instances starting or busy, and the whole provisioned level
	Serving int // requests now that an instance serves; Busy, where each serves one at once

	Waiting int // requests now that wait and are not bound
	Bound   int // requests now that are bound to a starting instance (early binding)

	Arrived, Served, Throttled, Failed, Dropped uint64 // requests so far
	Finished, Lost                              uint64 // of those served: answered, or gone with their instance

	Started, Reaped, Gone uint64 // instances so far: Start actions, Reap actions, those of which nothing is left

	Pings uint64 // so far: Ping actions

	Ignored uint64 // events so far that fitted nothing: unknown or over
	Clamped uint64 // events so far whose time lay before that of an earlier one, which they were given instead
}
