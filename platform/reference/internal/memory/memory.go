// Package memory owns a sandbox without processes, for tests: its instances
// are values, its time is whatever clock the test runs under.
//
// In: a [Sandbox] with the behaviour of its instances. Out: what package
// sandbox promises, to the letter. It runs no code and needs no machine.
package memory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Sandbox makes instances that wait and answer. With nothing but a
// clock they are ready at once and answer at once with their payload. Set fields before the first Start.
type Sandbox struct {
	Clock                 clock.Monotonic // required, for the marks
	Provision, Boot, Init time.Duration   // how long each phase of a start takes
	// StartErr, if it gives an error, is what Start fails with.
	StartErr func(id string) error
	// InitErr, if it gives an error, is what AwaitReady fails with after Init.
	InitErr func(id string) error
	// Quick has an instance that is aborted in its init be ready before it ends.
	Quick bool
	// Handler answers an invocation; the default gives the payload back. It may
	// sleep, and give a *sandbox.Failure. kill is closed when the instance dies.
	Handler func(id string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error)
	// Fork, Assign and Resume are how long a zygote's, a stem's and a paused
	// instance's step takes.
	Fork, Assign, Resume time.Duration
	// KeepErr, if it gives an error, is what Boot and Brood fail with, ForkErr
	// what Fork and Assign do, PauseErr and ResumeErr what Pause and Resume do.
	KeepErr, ForkErr, PauseErr, ResumeErr func(id string) error

	mu    sync.Mutex
	there map[string]*Instance
	kept  map[string]*kept
	peak  int
}

// Start makes an instance after Provision.
func (s *Sandbox) Start(ctx context.Context, id string, spec *sandbox.Spec, why sandbox.Initialization) (sandbox.Instance, error) {
	in := s.instance(id, spec, why)
	in.boot, in.init = s.Boot, s.Init
	if s.StartErr != nil {
		if err := s.StartErr(id); err != nil {
			return nil, err
		}
	}
	return s.put(ctx, in, s.Provision)
}

func (s *Sandbox) instance(id string, spec *sandbox.Spec, why sandbox.Initialization) *Instance {
	in := &Instance{box: s, id: id, spec: spec, why: why, done: make(chan struct{}), inUse: make(chan struct{}, max(1, spec.Slots))}
	in.marks.Begun = s.Clock.Now()
	return in
}

// put has the instance there after d.
func (s *Sandbox) put(ctx context.Context, in *Instance, d time.Duration) (*Instance, error) {
	if err := pause(ctx, d, nil); err != nil {
		return nil, err
	}
	in.marks.Provisioned = s.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.there == nil {
		s.there = make(map[string]*Instance)
	}
	if s.there[in.id] != nil {
		return nil, fmt.Errorf("instance %s is already there", in.id)
	}
	s.there[in.id] = in
	s.peak = max(s.peak, len(s.there))
	return in, nil
}

// Close puts all instances away.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	var all []*Instance
	for _, in := range s.there {
		all = append(all, in)
	}
	s.mu.Unlock()
	for _, in := range all {
		in.Stop(false)
	}
	return nil
}

// Kept is how many stems and zygotes have neither been stopped nor used up.
func (s *Sandbox) Kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept)
}

// Len is how many instances have not been stopped.
func (s *Sandbox) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.there)
}

// Peak is the most instances that were there at once.
func (s *Sandbox) Peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}

// Ids are the names of the stems and zygotes that are kept.
func (s *Sandbox) Ids() iter.Seq[string] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Values(slices.Sorted(maps.Keys(s.kept)))
}

// Whys are what the instances that are there were started for, sorted.
func (s *Sandbox) Whys() (all []sandbox.Initialization) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.there {
		all = append(all, in.why)
	}
	slices.Sort(all)
	return all
}

// Kill has the instance, stem or zygote die by itself, if it is
// there. It is not put away by that.
func (s *Sandbox) Kill(id string) {
	s.mu.Lock()
	in, k := s.there[id], s.kept[id]
	s.mu.Unlock()
	switch {
	case k != nil:
		k.die()
	case in != nil:
		in.die()
	}
}

// Instance is an instance without a process.
type Instance struct {
	box   *Sandbox
	id    string
	spec  *sandbox.Spec
	why   sandbox.Initialization
	marks sandbox.Marks
	once  sync.Once
	done  chan struct{}
	inUse chan struct{} // has room for as many as Invoke may serve, to catch one more

	boot, init time.Duration // what is left of its start
	paused     atomic.Bool
	exhausted  atomic.Bool
	aborted    atomic.Bool // which is to come when it is ready

	freezing sync.Mutex
	frozen   chan struct{} // closed by Thaw; nil while it runs
}

// AwaitReady takes Boot and Init.
func (in *Instance) AwaitReady(ctx context.Context) (sandbox.Marks, error) {
	in.marks.Attempts = 1
	err := in.initialize(ctx)
	if err != nil {
		in.marks.Failed = in.box.Clock.Now()
	} else {
		in.marks.Ready = in.box.Clock.Now()
		if in.aborted.Load() {
			time.AfterFunc(time.Millisecond, in.die)
		}
	}
	return in.marks, err
}

func (in *Instance) initialize(ctx context.Context) error {
	if err := pause(ctx, in.boot, in.done); err != nil {
		return err
	}
	if in.marks.Start != sample.Restored {
		in.marks.Booted = in.box.Clock.Now()
	}
	if err := pause(ctx, in.init, in.done); err != nil {
		return err
	}
	select {
	case <-in.thawed():
	case <-ctx.Done():
		return ctx.Err()
	case <-in.done:
		return diedInInit()
	}
	if in.box.InitErr != nil {
		return in.box.InitErr(in.id)
	}
	return nil
}

// Injure hurts it. Its /tmp is not its own.
func (in *Instance) Injure(injury sandbox.Injury) error {
	in.freezing.Lock()
	defer in.freezing.Unlock()
	switch injury {
	case sandbox.Abort:
		if in.box.Quick {
			in.aborted.Store(true)
		} else {
			in.die()
		}
	case sandbox.Kill:
		in.die()
	case sandbox.Exhaust:
		in.exhausted.Store(true)
		in.die()
	case sandbox.Freeze:
		if in.frozen == nil {
			in.frozen = make(chan struct{})
		}
	case sandbox.Thaw:
		if in.frozen != nil {
			close(in.frozen)
			in.frozen = nil
		}
	default:
		return fmt.Errorf("instance %s has no /tmp of its own", in.id)
	}
	return nil
}

// thawed is closed while the instance runs.
func (in *Instance) thawed() <-chan struct{} {
	in.freezing.Lock()
	defer in.freezing.Unlock()
	if in.frozen != nil {
		return in.frozen
	}
	running := make(chan struct{})
	close(running)
	return running
}

func diedInInit() error {
	return &sandbox.Failure{
		Kind: sample.Init, Cause: errors.New("died in init"),
		Type: "Runtime.ExitError", Message: "Error: Runtime exited with error: signal: killed",
	}
}

// Invoke runs the handler until the deadline.
func (in *Instance) Invoke(_ context.Context, inv *sandbox.Invocation) (sandbox.Result, error) {
	if !in.sit() {
		return sandbox.Result{}, fmt.Errorf("instance %s gets more requests at once than %d", in.id, cap(in.inUse))
	}
	defer in.rise()
	if in.paused.Load() {
		return sandbox.Result{}, fmt.Errorf("instance %s is paused and gets a request", in.id)
	}
	type answer struct {
		body []byte
		err  error
	}
	answered := make(chan answer, 1)
	start := in.box.Clock.Now()
	over := time.NewTimer(time.Until(inv.Deadline))
	defer over.Stop()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		if in.box.Handler == nil {
			answered <- answer{body: inv.Payload}
			return
		}
		body, err := in.box.Handler(in.id, inv, stop)
		select {
		case <-in.thawed():
			answered <- answer{body, err}
		case <-stop:
		}
	}()
	failure := func(kind sample.ErrorKind, class, message string) error {
		return &sandbox.Failure{
			Kind: kind, Cause: errors.New(message), Type: class, Message: message,
			HandlerStart: start, HandlerEnd: in.box.Clock.Now(),
		}
	}
	select {
	case a := <-answered:
		if a.err != nil {
			return sandbox.Result{}, a.err
		}
		return sandbox.Result{Body: a.body, HandlerStart: start, HandlerEnd: in.box.Clock.Now(), Log: []byte("served by " + in.id + "\n")}, nil
	case <-over.C:
		return sandbox.Result{}, failure(sample.Timeout, "Sandbox.Timedout", "Error: Task timed out")
	case <-in.done:
		if in.exhausted.Load() {
			return sandbox.Result{}, failure(sample.OutOfMemory, sandbox.OutOfMemory, "Error: Runtime exited with error: signal: killed")
		}
		return sandbox.Result{}, failure(sample.Crash, "Runtime.ExitError", "Error: Runtime exited with error: signal: killed")
	}
}

func (in *Instance) sit() bool {
	select {
	case in.inUse <- struct{}{}:
		return true
	default:
		return false
	}
}

func (in *Instance) rise() { <-in.inUse }

// Done is closed when the instance has died or been stopped.
func (in *Instance) Done() <-chan struct{} { return in.done }

// Stop puts the instance away.
func (in *Instance) Stop(bool) error {
	in.die()
	in.box.mu.Lock()
	defer in.box.mu.Unlock()
	delete(in.box.there, in.id)
	return nil
}

// MaxMemory is 40 MiB and a byte, to be rounded.
func (in *Instance) MaxMemory() int64 { return 40<<20 + 1 }

func (in *Instance) die() { in.once.Do(func() { close(in.done) }) }

// pause waits for d, or gives the reason not to.
func pause(ctx context.Context, d time.Duration, dead <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-dead:
		return diedInInit()
	}
}
