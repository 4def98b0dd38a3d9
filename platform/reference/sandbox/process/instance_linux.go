package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// instance is one started instance.
type instance struct {
	sandbox *Sandbox
	id      string
	spec    *sandbox.Spec
	begun   int64
	program program
	alarm   *sandbox.Alarm // at the deadline of the invocation in hand
	done    chan struct{}
	stop    sync.Once
	stopped error

	change sync.Mutex // held while the process is replaced or put away
	ended  bool       // Stop has been called: no process is begun any more

	mu      sync.Mutex
	current *attempt
	tries   int
	started sandbox.Marks // of the first process; later ones only fill in what it did not tell
	settled bool          // the current process will not be replaced
	gone    bool          // done is closed
	peak    int64         // of processes that were put away
}

func newInstance(s *Sandbox, id string, spec *sandbox.Spec, prog program, begun int64) *instance {
	return &instance{sandbox: s, id: id, spec: spec, begun: begun, program: prog, alarm: sandbox.NewAlarm(), done: make(chan struct{})}
}

// AwaitReady implements sandbox.Instance. The message of its Failure lacks
// the "RequestId: ..." that only the caller knows.
func (in *instance) AwaitReady(ctx context.Context) (sandbox.Marks, error) {
	in.alarm.Prime(in.spec.Timeout)
	a := in.attempt()
	limit := in.spec.InitLimit
	for {
		failure, err := a.awaitInit(ctx, a.api.Ready(), limit)
		if err != nil {
			return in.marks(a), err
		}
		if failure == nil {
			return in.ready(a)
		}
		if in.tried() > 1 || failure.Kind == sample.Platform {
			return in.failed(a, failure)
		}
		in.marks(a)
		next, err := in.renew(a, failure.Log)
		if err != nil {
			return in.failed(a, err)
		}
		a, limit = next, in.spec.Timeout
	}
}

// marks brings the start's instants up to what the attempt has told.
func (in *instance) marks(a *attempt) sandbox.Marks {
	polled, booted := a.api.Polled()
	in.mu.Lock()
	defer in.mu.Unlock()
	in.started.Attempts = in.tries
	in.started.Booted = cmp.Or(in.started.Booted, booted)
	in.started.Ready = polled
	if in.started.Start != sample.Cold && booted > 0 {
		in.started.Provisioned = booted // its client tells when it began to be this instance
	}
	return in.started.Ordered()
}

// failed ends an init that will not be begun again.
func (in *instance) failed(a *attempt, why error) (sandbox.Marks, error) {
	in.settle()
	m := in.marks(a)
	m.Ready, m.Failed = 0, in.sandbox.clock.Now()
	return m, why
}

func (in *instance) attempt() *attempt {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.current
}

func (in *instance) tried() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.tries
}

// ready takes away the full CPU that init had.
func (in *instance) ready(a *attempt) (sandbox.Marks, error) {
	if err := a.limit(in.sandbox, in.spec.Memory); err != nil {
		return in.failed(a, err)
	}
	in.settle()
	return in.marks(a), nil
}

// settle makes the present process the last.
func (in *instance) settle() {
	in.mu.Lock()
	in.settled = true
	a := in.current
	in.mu.Unlock()
	select {
	case <-a.exited:
		in.finish(a)
	default:
	}
}

// finish closes done if the process that has ended was the last.
func (in *instance) finish(a *attempt) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.settled && in.current == a && !in.gone {
		in.gone = true
		close(in.done)
	}
}

// begin starts a process and makes it the current one.
func (in *instance) begin(ctx context.Context) (*attempt, error) {
	o := &order{program: in.program, spec: in.spec, tie: func(b *berth) ([]string, error) {
		return b.bind(in.program.env, in.spec, in.id, in.begun)
	}}
	if err := in.sandbox.launch(ctx, in.id, o); err != nil {
		return nil, err
	}
	a := newAttempt(o, in.sandbox.wards, in.finish)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.current = a
	in.tries++
	if in.tries == 1 {
		in.started = sandbox.Marks{Begun: in.begun, Provisioned: o.provisioned}
	}
	in.started.Start = sample.Cold // whatever the first attempt was: that one is gone
	return a, nil
}

// inherit makes a process that runs already the instance's first.
func (in *instance) inherit(a *attempt, kind sample.Start, at int64) {
	in.mu.Lock()
	in.current, in.tries = a, 1
	in.started = sandbox.Marks{Begun: in.begun, Provisioned: at, Start: kind}
	in.mu.Unlock()
	go func() {
		<-a.exited
		in.finish(a)
	}()
}

// renew replaces a process whose init has failed, and its log goes on.
func (in *instance) renew(old *attempt, log []byte) (*attempt, error) {
	in.change.Lock()
	defer in.change.Unlock()
	if in.ended {
		return nil, errStopped()
	}
	if err := in.putAway(old); err != nil {
		return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("begin init anew: %w", err)}
	}
	// Not under the caller's context: the old process is gone, and an instance
	// without a current process would have two meanings.
	a, err := in.begin(context.Background())
	if err != nil {
		return nil, err
	}
	a.log.seed(log)
	return a, nil
}

func errStopped() error {
	return &sandbox.Failure{Kind: sample.Platform, Cause: errors.New("the instance was stopped")}
}

func (in *instance) putAway(a *attempt) error {
	err := a.putAway(in.id)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.peak = max(in.peak, a.maxMemory())
	return err
}

// Invoke implements sandbox.Instance.
func (in *instance) Invoke(_ context.Context, inv *sandbox.Invocation) (sandbox.Result, error) {
	a := in.attempt()
	select {
	case <-a.exited:
		// Its parked poll may look alive for a moment yet: nobody would take
		// what is handed over.
		return sandbox.Result{}, a.exitFailure(sample.Crash, inv.RequestID)
	default:
	}
	rung := in.alarm.Rung()
	if in.spec.Slots > 1 { // each has its own deadline then
		over := make(chan struct{})
		defer time.AfterFunc(time.Until(inv.Deadline), func() { close(over) }).Stop()
		rung = over
	} else {
		in.alarm.Set(inv.Deadline)
		defer in.alarm.Clear()
	}
	replies := a.api.Hand(inv)
	select {
	case r := <-replies:
		return in.result(a, r)
	case <-a.exited:
		return in.ending(a, inv, replies)
	case <-rung:
		f := sandbox.TimedOut(inv.RequestID, in.spec.Timeout, a.log.take())
		f.HandlerStart = a.api.Handed(inv.RequestID)
		if f.HandlerStart != 0 {
			f.HandlerEnd = in.sandbox.clock.Now()
		}
		return sandbox.Result{}, f
	}
}

func (in *instance) result(a *attempt, r runtimeapi.Reply) (sandbox.Result, error) {
	log := a.log.take()
	switch r.Kind {
	case runtimeapi.TooLarge:
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", in.sandbox.limits.Response)
		return sandbox.Result{}, &sandbox.Failure{Kind: sample.Payload, Cause: errors.New("response exceeds the size limit"),
			Type: "Function.ResponseSizeTooLarge", Message: message, Log: log, HandlerStart: r.Handed, HandlerEnd: r.Ended}
	case runtimeapi.Error:
		return sandbox.Result{Body: r.Body, FunctionError: "Unhandled", HandlerStart: r.Handed, HandlerEnd: r.Ended, Log: log}, nil
	default:
		return sandbox.Result{Body: r.Body, HandlerStart: r.Handed, HandlerEnd: r.Ended, Log: log}, nil
	}
}

// ending tells what an invocation got from a process that has ended: its
// answer, if it was sent before the end, or the end.
func (in *instance) ending(a *attempt, inv *sandbox.Invocation, replies <-chan runtimeapi.Reply) (sandbox.Result, error) {
	a.api.Drain(lastWords)
	select {
	case r := <-replies:
		return in.result(a, r)
	default:
	}
	f := a.exitFailure(sample.Crash, inv.RequestID)
	f.HandlerStart = a.api.Handed(inv.RequestID)
	if f.HandlerStart != 0 {
		f.HandlerEnd = in.sandbox.clock.Now()
	}
	return sandbox.Result{}, f
}

// Done implements sandbox.Instance.
func (in *instance) Done() <-chan struct{} { return in.done }

// Stop implements sandbox.Instance.
func (in *instance) Stop(graceful bool) error {
	in.stop.Do(func() {
		in.change.Lock()
		defer in.change.Unlock()
		in.ended = true
		in.alarm.Stop()
		a := in.attempt()
		if graceful {
			a.condemned.Store(true)
			in.stopped = a.thaw() // it could not hear otherwise
			a.signal(syscall.SIGTERM)
			select {
			case <-a.exited:
			case <-time.After(in.sandbox.options.Grace):
			}
		}
		in.stopped = errors.Join(in.stopped, in.putAway(a))
		in.settle()
		in.sandbox.forget(in)
	})
	return in.stopped
}

func (in *instance) evict() error { return in.Stop(false) }

// MaxMemory implements sandbox.Instance.
func (in *instance) MaxMemory() int64 {
	in.mu.Lock()
	a, peak := in.current, in.peak
	in.mu.Unlock()
	return max(peak, a.maxMemory())
}
