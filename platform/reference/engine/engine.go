// Package engine owns the reference runtime without its wire: functions by
// name, the instances that serve them, and the truth about every invocation.
//
// In: functions, requests and the events of real sandboxes. Out: an [Outcome]
// for each request, with how it was served and when, and the life of every
// instance. The decisions are package lifecycle's, the instances package
// sandbox's; what is here is the real clock and the goroutines between them.
// It knows no HTTP and no operating system.
//
//	Invoke -> Arrive -> lifecycle -> Serve ----------------> sandbox.Invoke -> Finish
//	                             \-> Start -> sandbox.Start -> Ready -> Serve /
//	                             \-> Throttle, Fail
package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Options are how a Runtime is made.
type Options struct {
	// Sandbox makes the instances. It is required, and the Runtime's from then on.
	Sandbox sandbox.Sandbox
	// Policy is every function's policy. Its Concurrency is the limit over all
	// functions together; 0 is no limit.
	Policy lifecycle.Policy
	// Limits are the bounds of functions and requests. The default is [LambdaLimits].
	Limits Limits
	// Billing is how invocations are billed. The default is the newest of [BillingRules].
	Billing BillingRule
	// Clock is what the truth is told by. The default is a new one.
	Clock clock.Monotonic
	// History is how many instances' lives are kept after their end; more are
	// counted, not kept. The default is 1,000,000.
	History int
}

const defaultHistory = 1_000_000

// Validate tells all faults at once.
func (o Options) Validate() error {
	var errs []error
	if o.Sandbox == nil {
		errs = append(errs, errors.New("engine: no sandbox"))
	}
	if o.History < 0 {
		errs = append(errs, fmt.Errorf("engine: history %d, at least 0", o.History))
	}
	if err := o.Policy.Validate(); err != nil {
		faults := []error{err}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			faults = joined.Unwrap() // so that each line says whose it is
		}
		for _, fault := range faults {
			errs = append(errs, fmt.Errorf("engine: policy: %w", fault))
		}
	}
	return errors.Join(errs...)
}

// Runtime runs functions. Its methods may be called from any goroutine.
type Runtime struct {
	sandbox sandbox.Sandbox
	policy  lifecycle.Policy
	limits  Limits
	billing BillingRule
	clock   clock.Monotonic
	origin  int64 // the clock's reading that is 0 to the pools

	// mu guards all fleets and what follows. One lock for all of them makes
	// the concurrency limit over functions exact; it is held for one Step at a
	// time (about a microsecond), never across a call into the sandbox.
	mu        sync.Mutex
	functions map[string]*fleet
	account   account
	started   uint64
	running   int           // requests inside Invoke
	idle      chan struct{} // closed when running falls to 0 while closing; nil before
	closing   bool
	history   history
	remains   error // the first instance that could not be put away
}

// New makes a Runtime without functions.
func New(o Options) (*Runtime, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Limits == (Limits{}) {
		o.Limits = LambdaLimits()
	}
	if o.Billing == (BillingRule{}) {
		rules := BillingRules()
		o.Billing = rules[len(rules)-1]
	}
	if o.History == 0 {
		o.History = defaultHistory
	}
	if o.Clock == (clock.Monotonic{}) {
		o.Clock = clock.New()
	}
	rt := &Runtime{
		sandbox:   o.Sandbox,
		policy:    o.Policy,
		limits:    o.Limits,
		billing:   o.Billing,
		clock:     o.Clock,
		functions: make(map[string]*fleet),
		account:   account{concurrency: o.Policy.Concurrency, unreserved: o.Limits.Unreserved},
		history:   history{limit: o.History},
	}
	rt.origin = rt.clock.Now()
	return rt, nil
}

// Limits are the bounds that this Runtime holds functions and requests to.
func (rt *Runtime) Limits() Limits { return rt.limits }

// Policy is the policy that functions get, before their reservations.
func (rt *Runtime) Policy() lifecycle.Policy { return rt.policy }

// elapsed is the pools' time.
func (rt *Runtime) elapsed() time.Duration { return time.Duration(rt.clock.Now() - rt.origin) }

// nextID names an instance uniquely in this Runtime. Called with mu held.
func (rt *Runtime) nextID(function string) string {
	rt.started++
	return function + "-" + strconv.FormatUint(rt.started, 10)
}

// Close ends the Runtime: requests that come are refused from now on, those
// inside may end until ctx does, then every instance is stopped. It returns
// when nothing of them is left. Idempotent.
func (rt *Runtime) Close(ctx context.Context) error {
	idle := rt.refuse()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	rt.mu.Lock()
	var emptied []<-chan struct{}
	for _, f := range rt.functions {
		emptied = append(emptied, f.shut(closing(), shutdown))
	}
	rt.mu.Unlock()
	for _, empty := range emptied {
		<-empty
	}
	<-idle
	err := rt.sandbox.Close()
	if err != nil {
		err = fmt.Errorf("close the sandbox: %w", err)
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return errors.Join(rt.remains, err)
}

// remained notes that an instance could not be put away; Close tells it.
func (rt *Runtime) remained(id string, err error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.remains == nil {
		rt.remains = fmt.Errorf("stop %s: %w", id, err)
	}
}

// refuse stops admission; what it gives is closed when no request is inside.
func (rt *Runtime) refuse() <-chan struct{} {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.closing = true
	if rt.idle == nil {
		rt.idle = make(chan struct{})
		if rt.running == 0 {
			close(rt.idle)
		}
	}
	return rt.idle
}

// leave counts a request out. Called with mu held.
func (rt *Runtime) leave() {
	rt.running--
	if rt.running == 0 && rt.idle != nil {
		close(rt.idle)
	}
}
