package wasm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// instance is one started instance.
type instance struct {
	sandbox *Sandbox
	id      string
	why     sandbox.Initialization
	spec    *sandbox.Spec
	program *program
	alarm   *sandbox.Alarm // at the deadline of the invocation in hand
	done    chan struct{}
	stop    sync.Once
	stopped error

	change sync.Mutex // held while the module is replaced or put away
	ended  bool       // Stop has been called: no module is begun any more

	mu      sync.Mutex
	current *attempt
	started sandbox.Marks // of the first attempt; later ones only fill in what it did not tell
	settled bool          // the current attempt will not be replaced
	gone    bool          // done is closed
	peak    int64         // of attempts that were put away
}

// AwaitReady implements sandbox.Instance. The message of its Failure lacks
// the "RequestId: ..." that only the caller knows.
func (in *instance) AwaitReady(ctx context.Context) (sandbox.Marks, error) {
	a := in.attempt()
	limit := in.spec.InitLimit
	for {
		failure, err := a.awaitInit(ctx, limit)
		if err != nil {
			return in.marks(a), err
		}
		if failure == nil {
			in.settle()
			go in.program.ahead.fill(in.program)
			return in.marks(a), nil
		}
		if in.marks(a).Attempts > 1 || failure.Kind == sample.Platform {
			return in.failed(a, failure)
		}
		next, err := in.renew(ctx, a, failure.Log)
		if err != nil {
			return in.failed(a, err)
		}
		a, limit = next, in.spec.Timeout
	}
}

// marks brings the start's instants up to what the attempt has told.
func (in *instance) marks(a *attempt) sandbox.Marks {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.started.Booted = cmp.Or(in.started.Booted, a.bootedAt.Load())
	in.started.Ready = a.readyAt.Load()
	return in.started
}

// failed ends an init that will not be begun again.
func (in *instance) failed(a *attempt, why error) (sandbox.Marks, error) {
	a.kill()
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

// settle makes the present attempt the last.
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

// finish closes done if the attempt that has ended was the last.
func (in *instance) finish(a *attempt) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.settled && in.current == a && !in.gone {
		in.gone = true
		close(in.done)
	}
}

// begin gives an instance of the module, whose log begins with what was said,
// makes it the current one and has it run.
func (in *instance) begin(ctx context.Context, said []byte) (*attempt, error) {
	env := sandbox.Own(in.program.env, in.id, in.spec.Version, in.why, time.Now())
	a, err := in.program.attempt(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("start instance %s: %w", in.id, err)
	}
	_, _ = a.log.Write(said)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.current = a
	in.started.Attempts++
	if in.started.Attempts == 1 {
		in.started.Provisioned = in.sandbox.clock.Now()
	}
	go a.run(env, in.finish)
	return a, nil
}

// renew replaces a module whose init has failed, and its log goes on.
func (in *instance) renew(ctx context.Context, old *attempt, said []byte) (*attempt, error) {
	in.change.Lock()
	defer in.change.Unlock()
	if in.ended {
		return nil, &sandbox.Failure{Kind: sample.Platform, Cause: errors.New("the instance was stopped")}
	}
	if err := in.putAway(old); err != nil {
		return nil, &sandbox.Failure{Kind: sample.Platform, Cause: fmt.Errorf("begin init anew: %w", err)}
	}
	return in.begin(ctx, said)
}

func (in *instance) putAway(a *attempt) error {
	err := a.putAway()
	in.mu.Lock()
	defer in.mu.Unlock()
	in.peak = max(in.peak, int64(a.memory.size.Load()))
	return err
}

// Invoke implements sandbox.Instance.
func (in *instance) Invoke(_ context.Context, inv *sandbox.Invocation) (sandbox.Result, error) {
	a := in.attempt()
	select {
	case <-a.exited:
		f := a.exitFailure(sample.Crash, inv.RequestID)
		f.Unfetched = f.Kind != sample.Platform
		return sandbox.Result{}, f
	default:
	}
	in.alarm.Set(inv.Deadline)
	defer in.alarm.Clear()
	a.hand(inv, in.spec.ARN)
	select {
	case r := <-a.replies:
		return in.result(a, r)
	case <-a.exited:
		return in.ending(a, inv)
	case <-in.alarm.Rung():
		a.kill()
		f := sandbox.TimedOut(inv.RequestID, in.spec.Timeout, a.log.take())
		in.stamp(a, f)
		return sandbox.Result{}, f
	}
}

func (in *instance) result(a *attempt, r reply) (sandbox.Result, error) {
	got := sandbox.Result{Body: r.body, HandlerStart: a.handed.Load(), HandlerEnd: r.firstByte, Log: a.log.take()}
	if r.tooLarge {
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", in.sandbox.limits.Response)
		return sandbox.Result{}, &sandbox.Failure{Kind: sample.Payload, Cause: errors.New("response exceeds the size limit"),
			Type: "Function.ResponseSizeTooLarge", Message: message, Log: got.Log, HandlerStart: got.HandlerStart, HandlerEnd: got.HandlerEnd}
	}
	if r.errorType != "" {
		got.FunctionError = "Unhandled"
	}
	return got, nil
}

// ending tells what an invocation got from a module that has ended: its
// answer, if it was written before the end, or the end.
func (in *instance) ending(a *attempt, inv *sandbox.Invocation) (sandbox.Result, error) {
	select {
	case r := <-a.replies:
		return in.result(a, r)
	default:
	}
	f := a.exitFailure(sample.Crash, inv.RequestID)
	in.stamp(a, f)
	return sandbox.Result{}, f
}

// stamp puts the handler's time into a failure, if it was reached.
func (in *instance) stamp(a *attempt, f *sandbox.Failure) {
	if f.HandlerStart = a.handed.Load(); f.HandlerStart != 0 {
		f.HandlerEnd = in.sandbox.clock.Now()
	}
}

// Done implements sandbox.Instance.
func (in *instance) Done() <-chan struct{} { return in.done }

// Stop implements sandbox.Instance. A graceful one ends stdin first.
func (in *instance) Stop(graceful bool) error {
	in.stop.Do(func() {
		in.change.Lock()
		defer in.change.Unlock()
		in.ended = true
		in.alarm.Stop()
		a := in.attempt()
		if graceful {
			a.condemned.Store(true)
			close(a.ending)
			select {
			case <-a.exited:
			case <-time.After(in.sandbox.options.Grace):
			}
		}
		in.stopped = in.putAway(a)
		in.settle()
		in.sandbox.forget(in)
	})
	return in.stopped
}

// MaxMemory implements sandbox.Instance: the size of the linear memory, which
// never shrinks. Files in /tmp do not count, as on Lambda.
func (in *instance) MaxMemory() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return max(in.peak, int64(in.current.memory.size.Load()))
}

// Injure implements sandbox.Patient. A module cannot be frozen: it is not the
// kernel that runs it.
func (in *instance) Injure(how sandbox.Injury) error {
	a := in.attempt()
	signal := "killed"
	switch how {
	case sandbox.Kill:
	case sandbox.Abort:
		signal = "aborted"
	case sandbox.FillTmp, sandbox.FreeTmp:
		a.files.scratch.fill(how == sandbox.FillTmp)
		return nil
	case sandbox.Exhaust:
		// Nobody kills a module for want of memory: it is refused more when it
		// asks, and gives up by itself.
		return fmt.Errorf("injure instance %s: a module exceeds its memory limit by itself or not at all", in.id)
	default:
		return fmt.Errorf("injure instance %s: a module cannot be frozen", in.id)
	}
	a.injury.CompareAndSwap(nil, &signal)
	a.kill()
	return nil
}

// errorDocument reads the errorType and errorMessage of Lambda's document.
func errorDocument(a answer) (kind, message string) {
	var document struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(a.body, &document); err != nil {
		return a.errorType, string(a.body)
	}
	return cmp.Or(a.errorType, document.ErrorType), document.ErrorMessage
}
