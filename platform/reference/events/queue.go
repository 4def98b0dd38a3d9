package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Event is one asynchronous invocation.
type Event struct {
	Function, Qualifier string
	Invocation          engine.Invocation // its payload is the queue's from Accept on
	// Done is told its end, once, from another goroutine. The default is nobody.
	Done func(Result)

	depth int // how many events led to this one by destinations
}

// size is what the event counts of the queue's capacity.
func (e *Event) size() units.Bytes {
	return units.Bytes(len(e.Invocation.Payload)) + units.Bytes(len(e.Invocation.ClientContext)) + units.KB
}

// QueueOptions are how a Queue is made.
type QueueOptions struct {
	Invoker Invoker // required
	// Rules are the platform's. The default is [LambdaRules].
	Rules Rules
	// Config gives a function's own configuration; false is the rules' default.
	Config func(function, qualifier string) (Config, bool)
	// Temporary says of a refusal whether the same invocation may be accepted
	// later. The default is that of an error with a method Temporary.
	Temporary func(error) bool
	// Destinations take the records of how events ended. The default refuses
	// all but functions.
	Destinations Destinations
	// Workers is how many events are handled at once. The default is 1000.
	Workers int
	// Capacity bounds the payloads that are kept, of which each counts as 1 KiB
	// more than it has, for what else is kept of its event. The default is 256 MiB.
	Capacity units.Bytes
	// Region is the one that events and their functions are told to be in. The
	// default is us-east-1, Lambda's oldest.
	Region string
	// Clock is what the triggers' instants are told by. The default is a new one.
	Clock clock.Monotonic
	// Log gets a line for whatever is given up. The default is nobody.
	Log func(format string, args ...any)
}

func (o QueueOptions) withDefaults() QueueOptions {
	if o.Rules.Age == 0 {
		o.Rules = LambdaRules()
	}
	if o.Workers == 0 {
		o.Workers = 1000
	}
	if o.Capacity == 0 {
		o.Capacity = 256 << 20
	}
	if o.Temporary == nil {
		o.Temporary = temporary
	}
	if o.Config == nil {
		o.Config = func(string, string) (Config, bool) { return Config{}, false }
	}
	o.Region = cmp.Or(o.Region, "us-east-1")
	if o.Clock == (clock.Monotonic{}) {
		o.Clock = clock.New()
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	return o
}

// account is whose the events are: nobody's.
const account = "000000000000"

func (o *QueueOptions) arn(function, qualifier string) string {
	return "arn:aws:lambda:" + o.Region + ":" + account + ":function:" + function + ":" + cmp.Or(qualifier, engine.Latest)
}

// The refusals of Accept.
var (
	ErrClosed   = errors.New("the runtime is shutting down")
	ErrFull     = errors.New("too many events wait already")
	ErrTooLarge = errors.New("the event is larger than an asynchronous invocation may be")
	errTooDeep  = errors.New("the event is one of a chain of destinations that does not end")
)

// Queue handles asynchronous invocations: first come, first served, each until
// it has succeeded or is given up. Its methods may be called from any goroutine.
type Queue struct {
	o      QueueOptions
	ctx    context.Context // of the invocations
	cancel context.CancelFunc

	mu      sync.Mutex
	ready   []*pending // first in, first out, from head on
	head    int
	waiting map[*pending]*time.Timer // until their retry
	working int
	kept    units.Bytes
	closed  bool
	idle    chan struct{} // closed when closed and nobody works
	lost    int
}

// pending is an event with its history.
type pending struct {
	Event
	accepted time.Time
	attempts int           // invocations asked for
	failures int           // of those: the function ran and failed
	backoff  time.Duration // the last wait after a refusal
	last     engine.Outcome
	err      error
}

// NewQueue makes a Queue without events.
func NewQueue(o QueueOptions) *Queue {
	q := &Queue{o: o.withDefaults(), waiting: make(map[*pending]*time.Timer), idle: make(chan struct{})}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

// Accept takes an event and gives the id under which it will be invoked, each
// time. What it refuses has not happened.
func (q *Queue) Accept(e Event) (requestID string, err error) {
	switch {
	case units.Bytes(len(e.Invocation.Payload)) > q.o.Rules.Payload:
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(e.Invocation.Payload), q.o.Rules.Payload)
	case e.depth > q.o.Rules.Depth:
		return "", errTooDeep
	}
	if e.Invocation.RequestID == "" {
		e.Invocation.RequestID = engine.NewRequestID()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	size := e.size()
	switch {
	case q.closed:
		return "", ErrClosed
	case q.kept+size > q.o.Capacity:
		return "", ErrFull
	}
	q.kept += size
	q.push(&pending{Event: e, accepted: time.Now()})
	return e.Invocation.RequestID, nil
}

// push makes an event the last of those that are ready. Called with mu held.
func (q *Queue) push(p *pending) {
	q.ready = append(q.ready, p)
	if q.working < q.o.Workers {
		q.working++
		go q.work()
	}
}

// work handles events while there are any.
func (q *Queue) work() {
	for {
		p := q.take()
		if p == nil {
			return
		}
		q.attempt(p)
	}
}

// take gives the next event, or nil to a worker that is not needed any more.
func (q *Queue) take() *pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.head == len(q.ready) {
		q.ready, q.head = q.ready[:0], 0
		q.working--
		if q.closed && q.working == 0 {
			close(q.idle)
		}
		return nil
	}
	p := q.ready[q.head]
	q.ready[q.head] = nil
	if q.head++; q.head > len(q.ready)/2 && q.head > 64 {
		q.ready, q.head = append(q.ready[:0], q.ready[q.head:]...), 0
	}
	return p
}

// attempt invokes the function once and decides what follows.
func (q *Queue) attempt(p *pending) {
	if time.Since(p.accepted) > q.config(p).Age {
		q.end(p, EventAgeExceeded)
		return
	}
	p.attempts++
	out, err := q.o.Invoker.Invoke(q.ctx, p.Function, p.Qualifier, p.Invocation)
	p.err = err
	switch {
	case err == nil && out.FunctionError == "":
		p.last = out
		q.end(p, Success)
	case err == nil:
		p.last = out
		p.failures++
		q.retry(p)
	case q.o.Temporary(err):
		p.backoff = min(max(2*p.backoff, q.o.Rules.Backoff[0]), q.o.Rules.Backoff[1])
		// Up to half of it at random, so that those refused together do not come together.
		q.wait(p, p.backoff-rand.N(p.backoff/2+1))
	default:
		q.end(p, Lost)
	}
}

// temporary says whether the same invocation may be accepted later.
func temporary(err error) bool {
	if e, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err); ok {
		return e.Temporary()
	}
	return false
}

func (q *Queue) retry(p *pending) {
	if p.failures > q.config(p).Retries {
		q.end(p, RetriesExhausted)
		return
	}
	waits := q.o.Rules.Waits
	q.wait(p, waits[min(p.failures, len(waits))-1])
}

// config is the function's at this moment: it may be changed while an event waits.
func (q *Queue) config(p *pending) Config {
	if c, ok := q.o.Config(p.Function, p.Qualifier); ok {
		return c
	}
	return Config{Retries: q.o.Rules.Retries, Age: q.o.Rules.Age}
}

// wait has an event come back after d, or gives it up where it would be too old.
func (q *Queue) wait(p *pending, d time.Duration) {
	if time.Since(p.accepted)+d > q.config(p).Age {
		q.end(p, EventAgeExceeded)
		return
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		q.end(p, Lost)
		return
	}
	q.waiting[p] = time.AfterFunc(d, func() { q.back(p) })
	q.mu.Unlock()
}

// back is the timer's.
func (q *Queue) back(p *pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, there := q.waiting[p]; there {
		delete(q.waiting, p)
		q.push(p)
	}
}

// end tells how an event ended, to whom it may concern.
func (q *Queue) end(p *pending, c Condition) {
	q.mu.Lock()
	q.kept -= p.size()
	q.mu.Unlock()
	if c != Success {
		q.o.Log("event %s for %s: %s after %d attempts", p.Invocation.RequestID, p.Function, c, p.attempts)
	}
	if c != Lost {
		q.deliver(p, c)
	}
	if p.Done != nil {
		p.Done(Result{Condition: c, Attempts: p.attempts, Outcome: p.last, Err: p.err})
	}
}

// Waiting is how many events have been accepted and have not ended, but for
// those that are being handled right now.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ready) - q.head + len(q.waiting)
}

// Close takes no more events, lets those that are being handled end until ctx
// does, and gives the others up: its error tells how many. Idempotent.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	var left []*pending
	if !q.closed {
		q.closed = true
		left = append(left, q.ready[q.head:]...)
		for p, timer := range q.waiting {
			timer.Stop()
			left = append(left, p)
		}
		q.ready, q.head = nil, 0
		clear(q.waiting)
		q.lost = len(left)
		if q.working == 0 {
			close(q.idle)
		}
	}
	q.mu.Unlock()
	for _, p := range left {
		q.end(p, Lost)
	}
	select {
	case <-q.idle:
	case <-ctx.Done():
		q.cancel()
		<-q.idle
	}
	q.cancel()
	if q.lost > 0 {
		return fmt.Errorf("close the event queue: %d events had not been handled", q.lost)
	}
	return nil
}
