package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Faults are what goes wrong on purpose. Each is a share, 0 to 1, of the starts
// or of the requests that are handed to an instance; one start or request has
// one fault at most. What callers are told of it is what they are told of the
// same thing that happens by itself.
type Faults struct {
	// Of starts:
	StartFails float64 // the sandbox cannot be made
	InitCrash  float64 // the process is aborted while it inits, and the one begun anew too
	InitSlow   float64 // the process stands still for InitDelay in its init
	InitDelay  time.Duration

	// Of requests, each at a time after its handing over that is drawn evenly
	// from 0 to Within:
	Crash  float64 // the process is aborted
	Kill   float64 // the instance is killed
	Hang   float64 // the instance stands still until the function's timeout
	Within time.Duration
	// DiskFull is of requests too: nothing more fits into /tmp when it is handed over.
	DiskFull float64

	// Seed begins the random source (PCG).
	Seed uint64
}

// FaultCounts tell how often a fault was made.
type FaultCounts struct {
	StartFails, InitCrash, InitSlow, Crash, Kill, Hang, DiskFull uint64
	// Failed is how often one should have been made and could not: the sandbox
	// has no way, or the instance was gone.
	Failed uint64
}

// Validate tells all faults of the faults at once.
func (f Faults) Validate() error {
	var errs []error
	sum := func(of string, shares ...float64) {
		total := 0.
		for _, share := range shares {
			if !(share >= 0 && share <= 1) {
				errs = append(errs, fmt.Errorf("faults: share %v of %s is not from 0 to 1", share, of))
				return
			}
			total += share
		}
		if total > 1 {
			errs = append(errs, fmt.Errorf("faults: shares of %s add up to %v, at most 1", of, total))
		}
	}
	sum("starts", f.StartFails, f.InitCrash, f.InitSlow)
	sum("requests", f.Crash, f.Kill, f.Hang, f.DiskFull)
	if f.InitDelay < 0 || f.InitSlow > 0 && f.InitDelay == 0 {
		errs = append(errs, fmt.Errorf("faults: slow init of %v, above 0", f.InitDelay))
	}
	if f.Within < 0 {
		errs = append(errs, fmt.Errorf("faults: within %v, at least 0", f.Within))
	}
	return errors.Join(errs...)
}

// mischief makes the faults. A nil one makes none.
type mischief struct {
	of Faults

	mu     sync.Mutex
	rng    *rand.Rand
	counts FaultCounts
}

func newMischief(f *Faults) *mischief {
	if f == nil {
		return nil
	}
	return &mischief{of: *f, rng: rand.New(rand.NewPCG(f.Seed, 0))}
}

// Faulted tells which faults were made.
func (rt *Runtime) Faulted() FaultCounts {
	m := rt.mischief
	if m == nil {
		return FaultCounts{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts
}

// fault is one thing to go wrong.
type fault struct {
	share  float64
	count  *uint64
	injury sandbox.Injury
}

// draw picks one of the faults, or nil, and when it is to be.
func (m *mischief) draw(faults ...fault) (picked *fault, after time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.rng.Float64()
	for i := range faults {
		if f := &faults[i]; at < f.share {
			if m.of.Within > 0 {
				after = time.Duration(m.rng.Int64N(int64(m.of.Within)))
			}
			return f, after
		}
		at -= faults[i].share
	}
	return nil, 0
}

// injure hurts the instance and counts that. Called without mu.
func (m *mischief) injure(in sandbox.Instance, f *fault) {
	err := errors.ErrUnsupported
	if patient, ok := in.(sandbox.Patient); ok {
		err = patient.Injure(f.injury)
	}
	m.note(f, err)
}

func (m *mischief) note(f *fault, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.counts.Failed++
		return
	}
	*f.count++
}

var errOnPurpose = errors.New("a fault on purpose")

// ofStart draws what is to happen in a start's init, or that it fails before.
func (m *mischief) ofStart() (f *fault, fails error) {
	if m == nil {
		return nil, nil
	}
	c := &m.counts
	f, _ = m.draw(fault{m.of.StartFails, &c.StartFails, 0},
		fault{m.of.InitCrash, &c.InitCrash, sandbox.Abort}, fault{m.of.InitSlow, &c.InitSlow, sandbox.Freeze})
	if f != nil && f.count == &c.StartFails {
		m.note(f, nil)
		return nil, errOnPurpose
	}
	return f, nil
}

// initCrashEvery is how soon an init that is begun anew is aborted too.
const initCrashEvery = 2 * time.Millisecond

// inInit makes a start's fault until what it gives is called. Called without mu.
func (m *mischief) inInit(in sandbox.Instance, f *fault) (over func()) {
	if f == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	m.injure(in, f)
	go func() {
		defer close(done)
		patient, ok := in.(sandbox.Patient)
		switch {
		case !ok:
		case f.injury == sandbox.Freeze:
			wait(ctx, m.of.InitDelay)
			_ = patient.Injure(sandbox.Thaw) // one that is gone has no use for it
		default:
			for wait(ctx, initCrashEvery) {
				_ = patient.Injure(f.injury) // there may be none at the moment
			}
		}
	}()
	return func() { cancel(); <-done }
}

// inRequest makes a request's fault until what it gives is called. Called
// without mu.
func (m *mischief) inRequest(in sandbox.Instance) (over func()) {
	if m == nil {
		return func() {}
	}
	c := &m.counts
	f, after := m.draw(fault{m.of.DiskFull, &c.DiskFull, sandbox.FillTmp}, fault{m.of.Crash, &c.Crash, sandbox.Abort},
		fault{m.of.Kill, &c.Kill, sandbox.Kill}, fault{m.of.Hang, &c.Hang, sandbox.Freeze})
	if f == nil {
		return func() {}
	}
	if f.injury == sandbox.FillTmp {
		m.injure(in, f)
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if wait(ctx, after) {
			m.injure(in, f)
		}
	}()
	return func() { cancel(); <-done }
}

// wait is false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
