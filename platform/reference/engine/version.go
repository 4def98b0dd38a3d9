package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Version is one version of a function, as it was added to its [Family]: its
// pool, which decides, and the instances and requests that the pool's names
// stand for. The exported methods may be called from any goroutine, the others
// are called with the Runtime's mu held unless they say otherwise.
type Version struct {
	rt     *Runtime
	family *Family
	spec   sandbox.Spec
	box    sandbox.Sandbox
	policy lifecycle.Policy
	quota  *quota // what it shares with others: the account's, or its family's own

	starter starter
	delays  *delays         // nil where nothing is emulated
	alive   context.Context // ends when the instances have to go, whatever they do
	kill    context.CancelFunc

	pool      *lifecycle.Pool
	actions   []lifecycle.Action // reused from Step to Step
	instances map[lifecycle.Instance]*instance
	waiting   map[lifecycle.Request]*call
	last      lifecycle.Request
	asked     int  // of Provision
	held      int  // of the quota
	queued    bool // it is among the quota's

	alarm   *time.Timer   // calls tick
	alarmAt time.Duration // when, in the pool's time; 0 is never

	retired bool          // no arrivals any more
	evicted bool          // and what has served its last goes
	dropErr error         // what a request gets that leaves the pool after Cancel; nil if its caller gave up
	empty   chan struct{} // closed when the last instance is gone; nil while nobody waits for that
	over    bool          // empty is closed
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
	doom     *doom
	unseen   bool // its instance ended before it had fetched it, and another is to have it
}

func newVersion(fam *Family, spec sandbox.Spec, box sandbox.Sandbox, policy lifecycle.Policy) *Version {
	if policy.Seed == 0 {
		policy.Seed = fam.seed()
	}
	v := &Version{
		rt: fam.rt, family: fam, spec: spec, box: box, policy: policy,
		delays:    fam.rt.delaysOf(spec.Function),
		pool:      lifecycle.New(policy),
		instances: make(map[lifecycle.Instance]*instance),
		waiting:   make(map[lifecycle.Request]*call),
	}
	v.alive, v.kill = context.WithCancel(context.Background())
	return v
}

// Spec is what the version's instances are made of, its defaults filled in. It
// is not to be changed.
func (v *Version) Spec() *sandbox.Spec { return &v.spec }

// Interpreter is what runs the version's code, as its sandbox tells it.
func (v *Version) Interpreter() (what, version string) {
	if box, ok := v.box.(sandbox.Interpreting); ok {
		return box.Interpreter(&v.spec)
	}
	return "", ""
}

// Evict makes the version's next start cold. It returns when every instance
// that stood idle is gone, or with the context's error; the next start is cold
// in either case.
func (v *Version) Evict(ctx context.Context) error {
	v.rt.mu.Lock()
	going := v.evict()
	v.rt.mu.Unlock()
	for _, gone := range going {
		select {
		case <-gone:
		case <-ctx.Done():
			return fmt.Errorf("evict %s: %w", v.name(), context.Cause(ctx))
		}
	}
	return nil
}

// Provision keeps n instances of the version started ahead, until its policy's
// schedule next says otherwise; 0 is none. They take their share of the
// concurrency though nobody uses them, so it is refused where there is too
// little.
func (v *Version) Provision(n int) error {
	v.rt.mu.Lock()
	defer v.rt.mu.Unlock()
	if v.retired || v.rt.closing {
		return v.retiredError()
	}
	if err := v.family.provision(v, n); err != nil {
		return err
	}
	v.asked = n
	v.pool.Provision(n)
	v.step(lifecycle.Event{Kind: lifecycle.Tick})
	return nil
}

// Provisioned tells how many instances are to be kept started ahead, as
// Provision has asked, and how many of them are ready.
func (v *Version) Provisioned() (asked, ready int) {
	v.rt.mu.Lock()
	defer v.rt.mu.Unlock()
	for _, in := range v.instances {
		if in.kept && in.record.Ready != 0 && !in.reaped && !in.dead {
			ready++
		}
	}
	return v.asked, min(v.asked, ready)
}

// Retire takes the version out of service: requests that come are refused with
// [Retired], those inside, waiting ones too, are served as if nothing had
// happened, and then its instances go. It returns when nothing of it is left.
// When ctx ends before that, what waits is refused and what is served is
// killed. Idempotent.
func (v *Version) Retire(ctx context.Context) error {
	v.rt.mu.Lock()
	empty := v.drain()
	v.rt.mu.Unlock()
	return v.leave(ctx, empty, &Error{Code: Unavailable, Message: "The version was taken away while the request waited: " + v.name()})
}

// leave waits for the last instance, or has all of them killed when ctx ends
// and what waits refused with err. Called without mu.
func (v *Version) leave(ctx context.Context, empty <-chan struct{}, err error) (cut error) {
	select {
	case <-empty:
	case <-ctx.Done():
		cut = fmt.Errorf("retire %s: %w", v.name(), context.Cause(ctx))
		v.rt.mu.Lock()
		v.shut(err, evicted)
		v.rt.mu.Unlock()
		<-empty
	}
	v.end()
	v.rt.mu.Lock()
	defer v.rt.mu.Unlock()
	v.family.forget(v)
	return cut
}

func (v *Version) retiredError() *Error {
	return &Error{Code: Retired, Message: "The version takes no requests any more: " + v.name()}
}

// sandboxName is the sandbox's in errors.
func (v *Version) sandboxName() string { return v.spec.Function.Sandbox }

// name is the version's in errors.
func (v *Version) name() string { return cmp.Or(v.spec.ARN, v.family.name) + ":" + v.spec.Version }

// join puts the version under another quota, or tells it of its quota's new
// limit. What it holds it keeps in any case.
func (v *Version) join(q *quota) {
	if q != v.quota {
		v.quota.leave(v)
		v.quota = q
		q.enter(v)
	}
	if v.family.shut() {
		v.refuse(throttled(lifecycle.ConcurrencyFull, true), func(c *call) bool { return c.assigned == 0 })
	}
	if q.limit == math.MaxInt { // nobody's turn has to be waited for
		v.step(lifecycle.Event{Kind: lifecycle.Tick})
	}
}

// arrive brings a request to the pool. If the call it gives is not settled,
// its wake channel tells when.
func (v *Version) arrive(d *doom) *call {
	v.last++
	c := &call{name: v.last, doom: d}
	if v.family.shut() { // else it might wait, for nothing
		c.settled, c.err = true, throttled(lifecycle.ConcurrencyFull, true)
		return c
	}
	v.waiting[c.name] = c
	v.step(lifecycle.Event{Kind: lifecycle.Arrive, Request: c.name})
	if !c.settled {
		c.wake = make(chan struct{})
	}
	return c
}

// cancel takes back a request whose caller has given up.
func (v *Version) cancel(c *call) {
	if !c.settled {
		v.step(lifecycle.Event{Kind: lifecycle.Cancel, Request: c.name})
	}
}

// step tells the pool what happened and does what it says. What that frees of
// the account's concurrency goes to the request that has waited longest: where
// that is another version's, this one's pool must not take it.
func (v *Version) step(ev lifecycle.Event) {
	before, limit := v.held, v.quota.free(v.held)
	yields := frees(ev.Kind) && v.quota.othersFirst(v)
	if yields {
		limit = 0
	}
	v.advance(ev, limit)
	if yields || v.held < before {
		v.quota.offer()
	}
	v.rt.budget.offer()
	if yields { // what came free may be its own all the same: a provisioned instance
		v.advance(lifecycle.Event{Kind: lifecycle.Tick}, v.quota.free(v.held))
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

// advance is step for this version alone, which may hold so many.
func (v *Version) advance(ev lifecycle.Event, limit int) {
	now := v.rt.elapsed()
	v.rt.budget.hold(v)
	v.pool.Limit(limit)
	v.actions = v.pool.Step(now, ev, v.actions[:0])
	for _, a := range v.actions {
		v.do(a, v.rt.origin+int64(now))
	}
	v.settled(now)
	v.rt.budget.settle()
}

// obey carries out what another version's Step has meant for this one.
func (v *Version) obey(a lifecycle.Action) {
	now := v.rt.elapsed()
	v.do(a, v.rt.origin+int64(now))
	v.settled(now)
}

// settled sees to what follows from the pool's new state.
func (v *Version) settled(now time.Duration) {
	v.quota.enter(v)
	v.setAlarm(now)
	v.drained()
}

// do carries out one action. None of them blocks.
func (v *Version) do(a lifecycle.Action, now int64) {
	switch a.Kind {
	case lifecycle.Start:
		in := newInstance(v, a.Instance, now)
		in.kept = a.Kept
		v.instances[a.Instance] = in
		if c := v.waiting[a.Request]; c != nil {
			c.assigned = now
		}
		go in.live()
	case lifecycle.Serve:
		c := v.waiting[a.Request]
		c.how, c.instance = a.How, v.instances[a.Instance]
		if c.how == lifecycle.ByStart {
			c.assigned = c.instance.record.Started
		} else {
			c.assigned = now
		}
		c.instance.record.Invocations++
		v.settle(c, nil)
	case lifecycle.Throttle:
		v.settle(v.waiting[a.Request], throttled(a.Why, v.family.reserved != nil))
	case lifecycle.Fail:
		c := v.waiting[a.Request]
		c.instance = v.instances[a.Instance]
		c.assigned = c.instance.record.Started
		v.settle(c, nil)
	case lifecycle.Drop:
		v.settle(v.waiting[a.Request], v.dropErr)
	case lifecycle.Reap:
		v.instances[a.Instance].reap(a.Why)
	case lifecycle.Pause:
		go v.instances[a.Instance].pause()
	case lifecycle.Ping:
		v.ping()
	}
}

func (v *Version) settle(c *call, err error) {
	delete(v.waiting, c.name)
	c.settled, c.err = true, err
	if c.wake != nil {
		close(c.wake)
	}
}

// setAlarm sees to it that tick is called at the pool's next deadline. A
// deadline that moved away is left to a tick that finds nothing to do: warm
// traffic moves it with every request.
func (v *Version) setAlarm(now time.Duration) {
	at, ok := v.pool.NextDeadline()
	if !ok || v.alarmAt != 0 && v.alarmAt <= at {
		return
	}
	v.alarmAt = max(at, 1)
	if v.alarm == nil {
		v.alarm = time.AfterFunc(at-now, v.tick)
		return
	}
	v.alarm.Reset(at - now)
}

// tick is the timer's; it takes mu itself.
func (v *Version) tick() {
	v.rt.mu.Lock()
	defer v.rt.mu.Unlock()
	v.alarmAt = 0
	v.step(lifecycle.Event{Kind: lifecycle.Tick})
}

// evict gives a channel for each instance that is being put away now.
func (v *Version) evict() []<-chan struct{} {
	v.step(lifecycle.Event{Kind: lifecycle.Evict})
	var going []<-chan struct{}
	for _, in := range v.instances {
		if in.reaped {
			going = append(going, in.gone)
		}
	}
	return going
}

// drain ends admission. What it gives is closed when no instance is left.
func (v *Version) drain() <-chan struct{} {
	v.retired = true
	if v.empty == nil {
		v.empty = make(chan struct{})
		v.pool.Provision(0)
		v.drained()
	}
	return v.empty
}

// drained has the instances go once nobody waits for one any more. Before that
// they serve one after the other of those who do, which after a Retire each
// would have started for it.
func (v *Version) drained() {
	if v.empty == nil || v.evicted || len(v.waiting) > 0 {
		return
	}
	v.evicted = true
	v.step(lifecycle.Event{Kind: lifecycle.Retire})
	v.checkEmpty()
}

// retire is drain that refuses what waits with err.
func (v *Version) retire(err error) <-chan struct{} {
	v.retired = true
	v.refuse(err, func(*call) bool { return true })
	return v.drain()
}

// refuse takes the requests that are chosen out of the pool, with err.
func (v *Version) refuse(err error, chosen func(*call) bool) {
	v.dropErr = err
	for _, c := range slices.Collect(maps.Values(v.waiting)) {
		if chosen(c) {
			v.cancel(c)
		}
	}
	v.dropErr = nil
}

// shut is retire that does not wait for requests that are being served.
func (v *Version) shut(err error, why reason) <-chan struct{} {
	empty := v.retire(err)
	for _, in := range v.instances {
		if !in.reaped {
			in.goes(why)
		}
	}
	v.kill()
	return empty
}

// remove forgets an instance that is gone.
func (v *Version) remove(in *instance) {
	delete(v.instances, in.name)
	v.rt.history.add(in.record)
	v.checkEmpty()
}

func (v *Version) checkEmpty() {
	if v.evicted && !v.over && len(v.instances) == 0 {
		v.over = true
		close(v.empty)
		if v.alarm != nil {
			v.alarm.Stop()
		}
	}
}

// throttled words a refusal as Lambda does.
func throttled(why lifecycle.Why, reserved bool) *Error {
	e := &Error{Code: Throttled, Message: "Rate Exceeded."}
	switch {
	case why == lifecycle.MemoryFull:
		e.Message, e.Reason = "No memory is left for another instance.", "ConcurrentInvocationLimitExceeded"
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
func startOf(how lifecycle.How, in *instance) sample.Start {
	switch how {
	case lifecycle.ByStart:
		return cmp.Or(in.marks.Start, sample.Cold)
	case lifecycle.ByQueue:
		return sample.Queued
	case lifecycle.ByResume:
		return sample.Restored
	case lifecycle.ByProvision:
		return sample.Provisioned
	}
	return sample.Warm
}
