package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// fleet is one function version: its pool, which decides, and the instances
// and requests that the pool's names stand for. Its methods are called with
// the Runtime's mu held unless they say otherwise.
type fleet struct {
	rt       *Runtime
	spec     sandbox.Spec
	modified time.Time
	reserved *int    // nil without a reservation
	log      logbook // guarded by itself

	alive context.Context // ends when the instances have to go, whatever they do
	kill  context.CancelFunc

	pool      *lifecycle.Pool
	actions   []lifecycle.Action // reused from Step to Step
	instances map[lifecycle.Instance]*instance
	waiting   map[lifecycle.Request]*call
	last      lifecycle.Request
	held      int  // of the account's concurrency, without a reservation of its own
	queued    bool // it is among the account's

	alarm   *time.Timer   // calls tick
	alarmAt time.Duration // when, in the pool's time; 0 is never

	closed  bool          // no arrivals any more
	dropErr error         // what a request gets that leaves the pool after Cancel; nil if its caller gave up
	empty   chan struct{} // closed when the last instance is gone; nil while nobody waits for that
}

// call is a request that has no instance yet.
type call struct {
	name     lifecycle.Request
	assigned int64 // when an instance was picked or ordered for it
	settled  bool
	how      lifecycle.How
	instance *instance
	err      error         // *Error: it will not be served
	wake     chan struct{} // closed once settled; nil if that was at once
}

func newFleet(rt *Runtime, spec sandbox.Spec) *fleet {
	f := &fleet{
		rt: rt, spec: spec, modified: time.Now(),
		pool:      lifecycle.New(rt.policy),
		instances: make(map[lifecycle.Instance]*instance),
		waiting:   make(map[lifecycle.Request]*call),
	}
	f.alive, f.kill = context.WithCancel(context.Background())
	return f
}

func (f *fleet) describe() Function {
	return Function{
		Function: f.spec.Function, ARN: f.spec.ARN, Version: f.spec.Version,
		Modified: f.modified, Reservation: f.reserved,
	}
}

// reserve sets the function's own limit; nil takes it away. Requests that are
// served or have their instance ordered keep it in any case.
func (f *fleet) reserve(n *int) error {
	before, after := 0, 0
	if f.reserved != nil {
		before = *f.reserved
	}
	if n != nil {
		after = *n
	}
	if err := f.rt.account.reserve(before, after); err != nil {
		return err
	}
	f.reserved = nil
	if n != nil {
		f.reserved = &after
	}
	if n != nil && after == 0 {
		f.refuse(throttled(lifecycle.ConcurrencyFull, true), func(c *call) bool { return c.assigned == 0 })
	}
	f.step(lifecycle.Event{Kind: lifecycle.Tick})
	f.rt.account.offer()
	return nil
}

// forget gives back what the fleet holds of the Runtime's.
func (f *fleet) forget() {
	if f.reserved != nil {
		f.rt.account.reserved -= *f.reserved
		f.rt.account.offer()
	}
	f.kill()
}

// arrive brings a request to the pool. If the call it gives is not settled,
// its wake channel tells when.
func (f *fleet) arrive() *call {
	f.last++
	c := &call{name: f.last}
	if f.reserved != nil && *f.reserved == 0 { // else it might wait, for nothing
		c.settled, c.err = true, throttled(lifecycle.ConcurrencyFull, true)
		return c
	}
	f.waiting[c.name] = c
	f.step(lifecycle.Event{Kind: lifecycle.Arrive, Request: c.name})
	if !c.settled {
		c.wake = make(chan struct{})
	}
	return c
}

// cancel takes back a request whose caller has given up.
func (f *fleet) cancel(c *call) {
	if !c.settled {
		f.step(lifecycle.Event{Kind: lifecycle.Cancel, Request: c.name})
	}
}

// step tells the pool what happened and does what it says. What that frees of
// the account's concurrency goes to the request that has waited longest: where
// that is another function's, this one's pool must not take it.
func (f *fleet) step(ev lifecycle.Event) {
	before, limit := f.held, f.limit()
	yields := f.reserved == nil && frees(ev.Kind) && f.rt.account.othersFirst(f)
	if yields {
		limit = 0
	}
	f.advance(ev, limit)
	if yields || f.held < before {
		f.rt.account.offer()
	}
}

// frees says whether what a pool holds may become less by an event.
func frees(kind lifecycle.EventKind) bool {
	switch kind {
	case lifecycle.Finish, lifecycle.Ready, lifecycle.Failed, lifecycle.Lost, lifecycle.Cancel, lifecycle.Evict:
		return true
	}
	return false
}

// advance is step for this fleet alone, which may hold so many.
func (f *fleet) advance(ev lifecycle.Event, limit int) {
	now := f.rt.elapsed()
	f.pool.Limit(limit)
	f.actions = f.pool.Step(now, ev, f.actions[:0])
	for _, a := range f.actions {
		f.do(a, f.rt.origin+int64(now))
	}
	f.rt.account.enter(f)
	f.setAlarm(now)
}

// limit is what the pool may hold now.
func (f *fleet) limit() int {
	if f.reserved != nil {
		return *f.reserved
	}
	return f.rt.account.free(f.held)
}

// do carries out one action. None of them blocks.
func (f *fleet) do(a lifecycle.Action, now int64) {
	switch a.Kind {
	case lifecycle.Start:
		in := newInstance(f, a.Instance, now)
		f.instances[a.Instance] = in
		if c := f.waiting[a.Request]; c != nil {
			c.assigned = now
		}
		go in.live()
	case lifecycle.Serve:
		c := f.waiting[a.Request]
		c.how, c.instance = a.How, f.instances[a.Instance]
		if c.how == lifecycle.ByStart {
			c.assigned = c.instance.record.Started
		} else {
			c.assigned = now
		}
		c.instance.record.Invocations++
		f.settle(c, nil)
	case lifecycle.Throttle:
		f.settle(f.waiting[a.Request], throttled(a.Why, f.reserved != nil))
	case lifecycle.Fail:
		c := f.waiting[a.Request]
		c.instance = f.instances[a.Instance]
		c.assigned = c.instance.record.Started
		f.settle(c, nil)
	case lifecycle.Drop:
		f.settle(f.waiting[a.Request], f.dropErr)
	case lifecycle.Reap:
		f.instances[a.Instance].reap(a.Why)
	}
}

func (f *fleet) settle(c *call, err error) {
	delete(f.waiting, c.name)
	c.settled, c.err = true, err
	if c.wake != nil {
		close(c.wake)
	}
}

// setAlarm sees to it that tick is called at the pool's next deadline. A
// deadline that moved away is left to a tick that finds nothing to do: warm
// traffic moves it with every request.
func (f *fleet) setAlarm(now time.Duration) {
	at, ok := f.pool.NextDeadline()
	if !ok || f.alarmAt != 0 && f.alarmAt <= at {
		return
	}
	f.alarmAt = max(at, 1)
	if f.alarm == nil {
		f.alarm = time.AfterFunc(at-now, f.tick)
		return
	}
	f.alarm.Reset(at - now)
}

// tick is the timer's; it takes mu itself.
func (f *fleet) tick() {
	f.rt.mu.Lock()
	defer f.rt.mu.Unlock()
	f.alarmAt = 0
	f.step(lifecycle.Event{Kind: lifecycle.Tick})
}

// evict gives a channel for each instance that is being put away now.
func (f *fleet) evict() []<-chan struct{} {
	f.step(lifecycle.Event{Kind: lifecycle.Evict})
	var going []<-chan struct{}
	for _, in := range f.instances {
		if in.reaped {
			going = append(going, in.gone)
		}
	}
	return going
}

// retire ends admission, refuses what waits with err and evicts the rest. What
// it gives is closed when no instance is left.
func (f *fleet) retire(err error) <-chan struct{} {
	f.closed = true
	f.refuse(err, func(*call) bool { return true })
	f.step(lifecycle.Event{Kind: lifecycle.Evict})
	if f.empty == nil {
		f.empty = make(chan struct{})
		f.checkEmpty()
	}
	return f.empty
}

// refuse takes the requests that are chosen out of the pool, with err.
func (f *fleet) refuse(err error, chosen func(*call) bool) {
	f.dropErr = err
	for _, c := range slices.Collect(maps.Values(f.waiting)) {
		if chosen(c) {
			f.cancel(c)
		}
	}
	f.dropErr = nil
}

// shut is retire that does not wait for requests that are being served.
func (f *fleet) shut(err error, why reason) <-chan struct{} {
	empty := f.retire(err)
	for _, in := range f.instances {
		if !in.reaped {
			in.goes(why)
		}
	}
	f.kill()
	return empty
}

// remove forgets an instance that is gone.
func (f *fleet) remove(in *instance) {
	delete(f.instances, in.name)
	f.rt.history.add(in.record)
	f.checkEmpty()
}

func (f *fleet) checkEmpty() {
	if f.empty != nil && len(f.instances) == 0 {
		close(f.empty)
		if f.alarm != nil {
			f.alarm.Stop()
		}
	}
}

// throttled words a refusal as Lambda does.
func throttled(why lifecycle.Why, reserved bool) *Error {
	e := &Error{Code: Throttled, Message: "Rate Exceeded."}
	switch {
	case why == lifecycle.StartRateFull:
		e.Reason = "CallerRateLimitExceeded"
	case reserved:
		e.Reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
	default:
		e.Reason = "ConcurrentInvocationLimitExceeded"
	}
	return e
}

// startOf is the start kind that follows from the way to the instance.
func startOf(how lifecycle.How) sample.Start {
	switch how {
	case lifecycle.ByStart:
		return sample.Cold
	case lifecycle.ByQueue:
		return sample.Queued
	}
	return sample.Warm
}
