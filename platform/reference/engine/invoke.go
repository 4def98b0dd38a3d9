package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Invocation is a request to a function.
type Invocation struct {
	RequestID string // UUID; one is made if it is ""
	TraceID   string // X-Ray's; "" for none
	Payload   []byte // owned by the caller, not changed
	Tail      bool   // the end of the log is wanted

	Consumer      string // who to charge; "" for nobody in particular
	Stage         string // which of the consumer's environments; "" for none in particular
	Alias         string // by what name the version was found; "" for its own
	Trigger       string // what led to it: a name of package sample; "" is a direct invocation
	Triggered     int64  // when that was, on CLOCK_MONOTONIC; 0 for a direct invocation
	ClientContext []byte // what the caller tells of itself, JSON; nil for nothing
}

// Outcome is what became of an invocation whose function was reached, or
// should have been: a start that failed is an outcome too.
type Outcome struct {
	RequestID     string
	Version       string
	Body          []byte // the answer, or Lambda's error document
	FunctionError string // "", or Lambda's word: Handled, Unhandled
	Kind          sample.ErrorKind
	Start         sample.Start // attested: it follows from the lifecycle's own decision
	Instance      string
	Truth         Truth
	Billed        time.Duration
	InitBilled    time.Duration // of Billed: what init has added
	Log           []byte        // the last 4 KiB, if wanted
	LastWords     []byte        // what a function that failed has printed itself: the end, or its crash; at most 1 KiB
}

// Invoke runs the function once. An error is an [*Error] and means that the
// function has not run. If ctx ends while the request waits, it is taken back;
// once an instance has it, Invoke stays until the instance has answered, so
// that the instance is not lent twice.
func (v *Version) Invoke(ctx context.Context, inv Invocation) (out Outcome, err error) {
	arrived := v.rt.clock.Now()
	c, err := v.admit(&inv)
	if err == nil {
		defer v.rt.release() // after the charge, which Close so waits for
		out, err = v.run(ctx, c, &inv, arrived)
		c.doom.waive()
	}
	v.charge(&inv, &out, err)
	return out, err
}

// run takes an admitted request to its end. What an instance has left behind
// unseen goes to another: each such round uses up an instance that was there
// before, and the one that is started for the request is its last.
func (v *Version) run(ctx context.Context, c *call, inv *Invocation, arrived int64) (Outcome, error) {
	if inv.RequestID == "" {
		inv.RequestID = NewRequestID()
	}
	for {
		if err := v.await(ctx, c); err != nil {
			return Outcome{}, err
		}
		out, err := v.serve(ctx, c, inv, arrived)
		if !c.unseen {
			return out, err
		}
		if c, err = v.rebind(c); err != nil {
			return Outcome{}, err
		}
	}
}

// rebind brings a request to the pool again that its instance has left behind.
// The pool is told of the loss in the same moment, so that nobody takes the place.
func (v *Version) rebind(c *call) (*call, error) {
	rt := v.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	c.instance.record.Invocations--
	c.instance.useless(crash)
	switch {
	case v.evicted && rt.closing:
		return nil, closing()
	case v.evicted:
		return nil, v.retiredError()
	}
	return v.arrive(c.doom), nil
}

// TooBig is the refusal of a request above the payload limit.
func TooBig(limit units.Bytes) *Error {
	return &Error{Code: TooLarge, Message: fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", int64(limit))}
}

// NewRequestID is the sandboxes', for those who know the engine alone.
func NewRequestID() string { return sandbox.NewRequestID() }

func (v *Version) admit(inv *Invocation) (*call, error) {
	rt := v.rt
	if int64(len(inv.Payload)) > int64(rt.limits.Payload) {
		return nil, TooBig(rt.limits.Payload)
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	switch {
	case rt.closing:
		return nil, closing()
	case v.retired:
		return nil, v.retiredError()
	}
	rt.running++
	return v.arrive(v.family.luck.request()), nil
}

func (rt *Runtime) release() {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.leave()
}

// await returns when the call is settled. Called without mu.
func (v *Version) await(ctx context.Context, c *call) error {
	if c.wake == nil {
		return c.err
	}
	select {
	case <-c.wake:
		return c.err
	case <-ctx.Done():
	}
	v.rt.mu.Lock()
	v.cancel(c)
	v.rt.mu.Unlock()
	<-c.wake // by the cancel, or by an instance that was quicker: then it serves
	if c.err == nil && c.instance == nil {
		return &Error{Code: Cancelled, Message: "The caller gave up while the request waited", Err: context.Cause(ctx)}
	}
	return c.err
}

// serve has the request served by the instance that it got, or says why that
// could not be started. Called without mu.
func (v *Version) serve(ctx context.Context, c *call, inv *Invocation, arrived int64) (Outcome, error) {
	in := c.instance
	out := Outcome{
		RequestID: inv.RequestID, Version: v.spec.Version,
		Start: startOf(c.how, in), Instance: in.id,
		// With late binding the start that fails it may be older than itself.
		Truth: Truth{Triggered: inv.Triggered, Arrived: arrived, Assigned: max(arrived, c.assigned)},
	}
	if in.failed != nil || c.how == lifecycle.ByStart {
		out.Start = startOf(lifecycle.ByStart, in)
		out.Truth.began(in.marks)
	}
	var log []byte
	var failure *sandbox.Failure
	if in.failed != nil {
		failure = asFailure(in.failed)
		if failure.Kind == sample.Platform {
			return out, &Error{Code: Unavailable, Message: "The instance could not be started", Err: failure.Cause}
		}
		log = failure.Log
	} else {
		if c.how == lifecycle.ByResume {
			if err := in.resume(); err != nil {
				in.lose(crash)
				return out, &Error{Code: Unavailable, Message: "The paused instance could not be resumed", Err: err}
			}
			out.Truth.Provisioned = v.rt.clock.Now()
		}
		log, failure = v.handOver(ctx, c, inv, &out)
	}
	if c.unseen {
		v.family.log.add(in.id, log)
		return out, nil
	}
	out.Billed, out.InitBilled = v.rt.billing.Billed(out.Start, out.Truth.Init(), out.Truth.Duration())
	if failure != nil {
		out.Kind, out.FunctionError = failure.Kind, "Unhandled"
		out.Body = errorDocument(failure)
	}
	v.family.log.add(in.id, log)
	if out.FunctionError != "" {
		out.LastWords = lastWordsOf(log)
	}
	if inv.Tail {
		out.Log = v.report(&out, failure, in).tail(log, v.rt.limits.Tail)
	}
	out.Truth.Replied = v.rt.clock.Now()
	return out, nil
}

// handOver gives the request to its instance, and the instance back to the
// pool or out of it.
func (v *Version) handOver(ctx context.Context, c *call, inv *Invocation, out *Outcome) (log []byte, failure *sandbox.Failure) {
	in := c.instance
	c.doom.beginRequest(in.box)
	result, err := in.box.Invoke(context.WithoutCancel(ctx), &sandbox.Invocation{
		RequestID: inv.RequestID, Payload: inv.Payload, TraceID: inv.TraceID,
		Qualifier: v.qualifier(inv), ClientContext: inv.ClientContext,
		Deadline: time.Now().Add(v.spec.Timeout),
	})
	if err != nil {
		failure = asFailure(err)
		result = sandbox.Result{HandlerStart: failure.HandlerStart, HandlerEnd: failure.HandlerEnd, Log: failure.Log}
	}
	answered := failure == nil || failure.Kind == sample.Payload
	if c.unseen = failure != nil && failure.Unfetched && c.how != lifecycle.ByStart && c.doom == nil; c.unseen {
		return result.Log, failure
	}
	switch useless := c.doom.endRequest(in.box, answered); {
	case !answered:
		in.lose(lossOf(failure.Kind))
	case useless:
		in.lose(crash)
	default:
		in.finish(c.name)
	}
	out.Truth.HandlerStart, out.Truth.HandlerEnd = result.HandlerStart, result.HandlerEnd
	out.Body, out.FunctionError = result.Body, result.FunctionError
	if out.FunctionError != "" {
		out.Kind = sample.Handler
	}
	return result.Log, failure
}

// qualifier is what stands behind the function's ARN in the one that was
// invoked: the latest version's has none.
func (v *Version) qualifier(inv *Invocation) string {
	if inv.Alias == "" && v.spec.Version != Latest {
		return v.spec.Version
	}
	return inv.Alias
}

func (v *Version) report(out *Outcome, failure *sandbox.Failure, in *instance) report {
	r := report{outcome: out, memory: v.spec.Memory, timeout: v.spec.Timeout, ended: time.Now()}
	if in.box != nil {
		r.maxMemory = in.box.MaxMemory()
	}
	if failure != nil {
		r.errorType = failure.Type
	}
	return r
}

// began copies the instants of a start that was the request's own.
func (t *Truth) began(m sandbox.Marks) {
	t.Begun, t.Provisioned, t.Booted, t.Ready, t.Failed = m.Begun, m.Provisioned, m.Booted, m.Ready, m.Failed
}

// asFailure gives err as a Failure; one without a kind is the platform's own.
func asFailure(err error) *sandbox.Failure {
	if f, ok := errors.AsType[*sandbox.Failure](err); ok {
		return f
	}
	return &sandbox.Failure{Kind: sample.Platform, Cause: err, Type: "Sandbox.Failure", Message: err.Error()}
}

// errorDocument is what Lambda answers in place of a function that could not.
func errorDocument(f *sandbox.Failure) []byte {
	doc, err := json.Marshal(struct {
		Type    string `json:"errorType,omitempty"`
		Message string `json:"errorMessage"`
	}{f.Type, f.Message})
	if err != nil {
		panic(err) // two strings can be marshalled
	}
	return doc
}
