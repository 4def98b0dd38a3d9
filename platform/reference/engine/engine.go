// Package engine owns the reference runtime without its wire: families, which
// are functions, their versions, the instances that serve them, and the truth
// about every invocation.
//
// In: versions, requests and the events of real sandboxes. Out: an [Outcome]
// for each request, with how it was served and when, and the life of every
// instance. The decisions are package lifecycle's, the instances package
// sandbox's; what is here is the real clock and the goroutines between them.
// It knows no HTTP, no names but a function's own (aliases, and which version
// $LATEST is, are its caller's), and no operating system.
//
//	Invoke -> Arrive -> lifecycle -> Serve ----------------> sandbox.Invoke -> Finish
//	                             \-> Start -> sandbox.Start -> Ready -> Serve /
//	                             \-> Throttle, Fail
package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Options are how a Runtime is made.
type Options struct {
	// Sandboxes make the instances, by the names that functions choose them by.
	// At least one is required; they are the Runtime's from then on.
	Sandboxes map[string]sandbox.Sandbox
	// Default is the sandbox of functions that name none, if it can run them. It
	// may be left out where there is one only.
	Default string
	// Order is that in which sandboxes are tried, after Default, for functions
	// that name none: the first that runs their runtime is theirs. Those that it
	// leaves out come last, by their names. A sandbox may have
	// Runs(platform.Runtime) bool; without it there is nothing that it does not run.
	Order []string
	// Suited names a sandbox that runs a runtime, for what is said where none
	// here does. The default is to name none.
	Suited map[platform.Runtime]string
	// Policy is that of the versions that have none of their own. Its
	// Concurrency is the limit over all functions together; 0 is no limit.
	Policy lifecycle.Policy
	// Stock is how many runtimes are kept booted for the functions whose start
	// tier is the pool, by runtime, from the first such function on. The
	// default is 1 of each.
	Stock map[platform.Runtime]int
	// Memory is what the instances of all functions may have together, each
	// counted with its function's memory size. The default is no limit.
	Memory units.Bytes
	// StartDelay is an emulated distribution of start times. The default is
	// none: what is told is what happened here.
	StartDelay map[platform.Runtime]StartDelay
	// Faults are what goes wrong on purpose. The default is nothing.
	Faults []platform.Fault
	// Seed begins the random sources: of each function one for each kind of fault
	// and one for the start delays, which draw for its starts, or its requests, in
	// their order, and one for each version's pool whose policy has no Seed.
	Seed uint64
	// Meter is told of every request. The default is nobody.
	Meter Meter
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
	if name := o.usual(); len(o.Sandboxes) == 0 {
		errs = append(errs, errors.New("engine: no sandbox"))
	} else if o.Sandboxes[name] == nil {
		errs = append(errs, fmt.Errorf("engine: default sandbox %q is not one of %s", name, strings.Join(slices.Sorted(maps.Keys(o.Sandboxes)), ", ")))
	}
	for _, runtime := range slices.Sorted(maps.Keys(o.Stock)) {
		if n := o.Stock[runtime]; n < 0 {
			errs = append(errs, fmt.Errorf("engine: stock of %d %s runtimes, at least 0", n, runtime))
		}
	}
	for _, d := range o.StartDelay {
		errs = append(errs, prefixed("engine: ", d.Validate())...)
	}
	errs = append(errs, prefixed("engine: ", checkFaults(o.Faults))...)
	if o.Memory < 0 {
		errs = append(errs, fmt.Errorf("engine: memory of %d bytes, at least 0", o.Memory))
	}
	if o.History < 0 {
		errs = append(errs, fmt.Errorf("engine: history %d, at least 0", o.History))
	}
	errs = append(errs, prefixed("engine: policy: ", o.Policy.Validate())...)
	return errors.Join(errs...)
}

// prefixed takes joined faults apart, so that each line says whose it is.
func prefixed(prefix string, err error) (faults []error) {
	if err == nil {
		return nil
	}
	faults = []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		faults = joined.Unwrap()
	}
	for i, fault := range faults {
		faults[i] = fmt.Errorf(prefix+"%w", fault)
	}
	return faults
}

// order is that in which the sandboxes are tried.
func (o *Options) order() (names []string) {
	all := slices.Concat([]string{o.usual()}, o.Order, slices.Sorted(maps.Keys(o.Sandboxes)))
	for _, name := range all {
		if o.Sandboxes[name] != nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// usual is the name of the sandbox that functions try first that name none.
func (o *Options) usual() string {
	if o.Default == "" && len(o.Sandboxes) == 1 {
		for name := range o.Sandboxes {
			return name
		}
	}
	return o.Default
}

// Meter is told what was used. Charge is called once for each request with its
// only outcome, whether it was served or refused, by the request's own
// goroutine and so by many at once; it does not block. The one exception is a
// request that finds its version retired: see [Retired].
type Meter interface {
	Charge(usage.Key, usage.Usage)
}

// Runtime runs functions. Its methods may be called from any goroutine.
type Runtime struct {
	sandboxes map[string]sandbox.Sandbox
	order     []string // their names, as they are tried
	suited    map[platform.Runtime]string

	stockSizes map[platform.Runtime]int

	policy  lifecycle.Policy
	limits  Limits
	billing BillingRule
	delay   map[platform.Runtime]StartDelay

	seed     uint64
	mischief *mischief
	meter    Meter
	clock    clock.Monotonic
	origin   int64 // the clock's reading that is 0 to the pools

	// mu guards all families and versions and what follows. One lock for all of them makes
	// the concurrency limit over functions exact; it is held for one Step at a
	// time (about a microsecond), never across a call into the sandbox.
	mu       sync.Mutex
	families map[string]*Family
	stocks   map[stockKey]*stock
	budget   budget
	account  account
	started  uint64
	running  int           // requests inside Invoke
	idle     chan struct{} // closed when running falls to 0 while closing; nil before
	closing  bool
	history  history
	remains  error // the first instance that could not be put away
	unpaused unpaused
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
		sandboxes: maps.Clone(o.Sandboxes),
		order:     o.order(),
		suited:    o.Suited,

		stockSizes: maps.Clone(o.Stock),
		stocks:     make(map[stockKey]*stock),

		policy:   o.Policy,
		limits:   o.Limits,
		billing:  o.Billing,
		seed:     o.Seed,
		mischief: newMischief(o.Faults, o.Seed),
		delay:    o.StartDelay,
		meter:    o.Meter,
		clock:    o.Clock,
		families: make(map[string]*Family),
		budget:   newBudget(int64(o.Memory)),
		account:  newAccount(o.Policy.Concurrency, o.Limits.Unreserved, o.Memory > 0),
		history:  history{limit: o.History},
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
	var kept []interface{ end() }
	for _, fam := range rt.families {
		for _, v := range fam.versions {
			emptied = append(emptied, v.shut(closing(), shutdown))
			kept = append(kept, v.starter)
		}
	}
	for _, s := range rt.stocks {
		kept = append(kept, s)
	}
	rt.mu.Unlock()
	for _, empty := range emptied {
		<-empty
	}
	<-idle
	for _, k := range kept {
		k.end()
	}
	var errs []error
	for name, box := range rt.sandboxes {
		if err := box.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the %s sandbox: %w", name, err))
		}
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return errors.Join(append(errs, rt.remains)...)
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
