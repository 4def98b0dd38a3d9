package engine

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// reason is why an instance went, in the words of platform.InstanceRecord.
type reason string

const (
	idle     reason = "idle"
	crash    reason = "crash"
	timeout  reason = "timeout"
	oom      reason = "oom"
	initial  reason = "init"
	evicted  reason = "evicted"
	shutdown reason = "shutdown"
	shrunk   reason = "shrunk" // fewer are provisioned
	memory   reason = "memory" // another function's instance needs its
)

// instance is one started instance from its order to its end. Fields are the
// guarded by the Runtime's mu, but for the last three: live sets them before it
// tells the pool that the instance is ready or has failed, and whoever gets
// the instance from the pool reads them after that.
type instance struct {
	version *Version
	name    lifecycle.Instance
	id      string
	record  platform.InstanceRecord

	alive  context.Context // ends with Reap, and with the version's
	end    context.CancelFunc
	delay  time.Duration // that its start takes at least, emulated; 0 is none
	doom   *doom         // of its start
	kept   bool          // it is one of those that are provisioned
	reaped bool          // it has been told to go
	dead   bool          // its process has gone by itself
	lost   bool          // the pool knows that it is useless
	gone   chan struct{} // closed when nothing of it is left

	box    sandbox.Instance
	marks  sandbox.Marks
	failed error // why it could not be made ready

	pausing sync.Mutex // held by pause and resume
	paused  bool       // guarded by pausing
}

func newInstance(v *Version, name lifecycle.Instance, now int64) *instance {
	function := v.spec.Function.Name
	in := &instance{version: v, name: name, id: v.rt.nextID(function), delay: v.delays.next(), doom: v.family.luck.start(), gone: make(chan struct{})}
	in.record = platform.InstanceRecord{ID: in.id, Function: function, Started: now}
	in.alive, in.end = context.WithCancel(v.alive)
	return in
}

// reap is the pool's order to go. Called with mu held.
func (in *instance) reap(why lifecycle.Why) {
	in.reaped = true
	in.goes(reasonOf(why))
	in.end()
}

// goes notes the first reason to go, which is the one that counts.
func (in *instance) goes(why reason) {
	if in.record.Reason == "" {
		in.record.Reason = string(why)
	}
}

func reasonOf(why lifecycle.Why) reason {
	switch why {
	case lifecycle.KeepAliveOver:
		return idle
	case lifecycle.WasEvicted:
		return evicted
	case lifecycle.Shrunk:
		return shrunk
	case lifecycle.MemoryShort:
		return memory
	}
	return crash
}

// live is the instance's own goroutine: it makes the instance ready, watches
// over it and puts it away.
func (in *instance) live() {
	defer in.end()
	rt := in.version.rt
	err := in.begin()
	if err == nil {
		in.tell(lifecycle.Ready)
		select {
		case <-in.alive.Done():
			in.lose(shutdown)
		case <-in.box.Done():
			in.died()
			<-in.alive.Done()
		}
	} else {
		in.fail(err)
	}

	var peak int64
	if in.box != nil {
		peak = in.box.MaxMemory()
		// What cannot serve any more has no use for a graceful end, and what
		// stands still cannot come to one.
		if err := in.box.Stop(!in.lost && err == nil && !in.isPaused()); err != nil {
			rt.remained(in.id, err)
		}
		peak = max(peak, in.box.MaxMemory())
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	in.record.MaxMemory = peak
	in.record.Gone = rt.clock.Now()
	if in.reaped {
		in.version.step(lifecycle.Event{Kind: lifecycle.Cleared, Instance: in.name})
	}
	in.version.remove(in)
	close(in.gone)
}

// begin makes the instance ready. Called without mu.
func (in *instance) begin() error {
	defer in.doom.waive() // what has not come to pass by then
	if err := in.doom.fails(); err != nil {
		return err
	}
	box, err := in.version.starter.start(in.alive, in.id, in.why())
	if err != nil {
		return err
	}
	in.box = box
	if _, ok := box.(sandbox.Pauser); !ok && in.version.policy.Pause {
		return errCannotPause(in.version.sandboxName())
	}
	in.tell(lifecycle.Provisioned)
	in.doom.beginInit(box, in.version.spec.InitLimit)
	in.marks, err = box.AwaitReady(in.alive)
	if err == nil {
		in.doom.standStill(in.linger)
	}
	if in.doom.endInit(err == nil) {
		err = in.crashed()
	}
	if err == nil { // an emulated start is as old as it is to take
		in.linger(in.delay - time.Duration(in.version.rt.clock.Now()-in.marks.Begun))
	}
	return err
}

// why is what the instance's function is told of its start. What a policy warms
// ahead of a request that it foresees is there on demand, as it is in Lambda.
func (in *instance) why() sandbox.Initialization {
	if in.kept {
		return sandbox.Provisioned
	}
	return sandbox.OnDemand
}

// crashed has the start of an instance that was aborted in its init fail once it
// has ended: as it is, its first request would be told of a crash in the handler.
func (in *instance) crashed() error {
	select {
	case <-in.box.Done():
	case <-in.alive.Done():
	}
	in.marks.Ready, in.marks.Failed = 0, in.version.rt.clock.Now()
	return &sandbox.Failure{
		Kind: sample.Init, Cause: errOnPurpose,
		Type: "Runtime.ExitError", Message: "Error: Runtime exited with error: signal: aborted",
	}
}

// tell brings an event of a healthy start to the pool. Booted is left out: the
// sandbox tells it together with Ready. Called without mu.
func (in *instance) tell(kind lifecycle.EventKind) {
	rt := in.version.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	switch kind {
	case lifecycle.Provisioned:
		in.record.Provisioned = rt.clock.Now()
	case lifecycle.Ready:
		in.mark()
	}
	if !in.reaped {
		in.version.step(lifecycle.Event{Kind: kind, Instance: in.name})
	}
}

// mark copies into the record what the sandbox has told of the start. Called
// with mu held.
func (in *instance) mark() {
	in.record.Provisioned = cmp.Or(in.marks.Provisioned, in.record.Provisioned)
	in.record.Booted = in.marks.Booted
	in.record.Ready = in.marks.Ready
	in.record.InitAttempts = in.marks.Attempts
}

// fail tells the pool of a start that came to nothing. Called without mu.
func (in *instance) fail(err error) {
	rt := in.version.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	in.failed = err
	in.mark()
	if in.reaped {
		return
	}
	in.goes(initial)
	in.version.step(lifecycle.Event{Kind: lifecycle.Failed, Instance: in.name})
}

// lose is useless for who does not hold mu.
func (in *instance) lose(why reason) {
	rt := in.version.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	in.useless(why)
}

// useless tells the pool, once, that it is. Called with mu held.
func (in *instance) useless(why reason) {
	if in.reaped || in.lost {
		return
	}
	in.lost = true
	in.goes(why)
	in.version.step(lifecycle.Event{Kind: lifecycle.Lost, Instance: in.name})
}

// died is lose for a process that has gone by itself. If the instance holds a
// request, that is left to the request, which learns why; see finish too.
// Called without mu.
func (in *instance) died() {
	rt := in.version.rt
	rt.mu.Lock()
	in.dead = true
	busy := in.version.pool.State(in.name) == lifecycle.Busy
	rt.mu.Unlock()
	if !busy {
		in.lose(crash)
	}
}

// finish tells the pool that the instance has answered request, unless that
// was the last thing it did. Called without mu.
func (in *instance) finish(request lifecycle.Request) {
	rt := in.version.rt
	rt.mu.Lock()
	dead := in.dead
	if !dead && !in.lost {
		in.version.step(lifecycle.Event{Kind: lifecycle.Finish, Instance: in.name, Request: request})
	}
	rt.mu.Unlock()
	if dead {
		in.lose(crash)
	}
}

// pause is the pool's order to stand still. A request that has got the instance
// meanwhile goes before. Called without mu.
func (in *instance) pause() {
	in.pausing.Lock()
	defer in.pausing.Unlock()
	rt := in.version.rt
	rt.mu.Lock()
	wanted := !in.reaped && in.version.pool.State(in.name) == lifecycle.Paused
	rt.mu.Unlock()
	if !wanted || in.paused {
		return
	}
	if err := in.box.(sandbox.Pauser).Pause(); err != nil {
		rt.mu.Lock()
		defer rt.mu.Unlock()
		if !in.reaped && !in.dead { // else its end came between
			rt.unpaused.add(err)
		}
		in.useless(crash)
		return
	}
	in.paused = true
}

// unpaused is instances that could not be paused, which are given up: they would
// use the processor that a pause is to save.
type unpaused struct {
	n     int
	first error
}

func (u *unpaused) add(err error) {
	u.n++
	if u.first == nil {
		u.first = err
	}
}

func (u *unpaused) notes() []string {
	if u.n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s could not be paused and had to go; the first: %v", units.FormatNoun(u.n, "instance"), u.first)}
}

// resume returns when the instance runs again. Called without mu.
func (in *instance) resume() error {
	in.pausing.Lock()
	defer in.pausing.Unlock()
	if !in.paused {
		return nil // the request was quicker than the pause
	}
	in.paused = false
	return in.box.(sandbox.Pauser).Resume()
}

func (in *instance) isPaused() bool {
	in.pausing.Lock()
	defer in.pausing.Unlock()
	return in.paused
}

// lossOf is the reason that goes with a failure while a request was held.
func lossOf(kind sample.ErrorKind) reason {
	switch kind {
	case sample.Timeout:
		return timeout
	case sample.OutOfMemory:
		return oom
	}
	return crash
}
