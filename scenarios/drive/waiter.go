package drive

import (
	"context"
	"runtime"
	"time"
)

// A waiter waits for a moment. It is for one goroutine.
type waiter interface {
	// until returns true as soon as it can after t, and false once ctx has
	// ended. A moment that is over is not waited for.
	until(ctx context.Context, t time.Time) bool
	// ahead is how much earlier than its moment a hit is to be let go; nil for
	// a waiter that is not precise enough for that to matter.
	ahead() *headway
}

// timerWaiter waits by Go's timers alone: up to a millisecond late on a real
// machine, exact in virtual time.
type timerWaiter struct {
	timer *time.Timer
}

func newTimerWaiter() *timerWaiter {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &timerWaiter{timer: t}
}

func (w *timerWaiter) ahead() *headway { return nil }

func (w *timerWaiter) until(ctx context.Context, t time.Time) bool {
	if ctx.Err() != nil {
		return false
	}
	d := time.Until(t)
	if d <= 0 {
		return true
	}
	w.timer.Reset(d)
	select {
	case <-w.timer.C:
		return true
	case <-ctx.Done():
		w.timer.Stop()
		return false
	}
}

const (
	// far is the distance beyond which a Go timer, which an interrupt ends at
	// once, is exact enough.
	far = 5 * time.Millisecond
	// near is the distance below which giving the processor away is not worth it.
	near = 10 * time.Microsecond

	// The margin is what a nap leaves to the spin. It follows the machine
	// between these bounds.
	leastMargin = 5 * time.Microsecond
	firstMargin = 60 * time.Microsecond
	mostMargin  = 100 * time.Microsecond
)

// preciseWaiter comes within microseconds of its moment: a timer for the far
// part, the kernel's own sleep for the near part, and a spin for the rest.
//
//	|------- timer -------|----- nap -----|~~ overshoot ~~|- spin -|T
//	                   T-far              T-margin
//
// Binding the goroutine to its thread was tried and left out: it costs a switch
// of threads a request (20% more lag and CPU).
type preciseWaiter struct {
	far    *timerWaiter
	spins  bool
	margin time.Duration
	lead   *headway
}

// newWaiter is the most precise waiter that the machine bears: with one
// processor a spin would stand in the way of the very request that it times.
func newWaiter() waiter {
	w := &preciseWaiter{far: newTimerWaiter(), spins: runtime.GOMAXPROCS(0) > 1, margin: firstMargin}
	if w.spins {
		w.lead = new(headway)
	}
	return w
}

func (w *preciseWaiter) ahead() *headway { return w.lead }

func (w *preciseWaiter) until(ctx context.Context, t time.Time) bool {
	if ctx.Err() != nil {
		return false
	}
	if time.Until(t) > near {
		// The request that was let go last is next in line on this processor.
		// Run it now instead of having another thread woken up to steal it.
		// Twice, because every 61st time the scheduler looks first to where a
		// goroutine that yields is put, and gives this one its turn again: that
		// request then waited until the next one was due (lag p99 540 µs at
		// 2,000/s).
		runtime.Gosched()
		runtime.Gosched()
	}
	if time.Until(t) > far && !w.far.until(ctx, t.Add(-far/2)) {
		return false
	}
	if !w.spins {
		for d := time.Until(t); d > 0; d = time.Until(t) {
			nap(d)
		}
		return true
	}
	if d := time.Until(t) - w.margin; d > 0 {
		before := time.Now()
		nap(d)
		w.learn(time.Since(before) - d)
	}
	for time.Until(t) > 0 {
	}
	return true
}

// learn moves the margin towards the ninth decile of what naps overshoot by:
// nine parts up for a nap that outlasted it, one part down for one that did
// not. The third quartile was 60% later at p99 (10,000/s), for a twentieth less
// CPU.
func (w *preciseWaiter) learn(overshoot time.Duration) {
	const step = 250 * time.Nanosecond
	if overshoot > w.margin {
		w.margin += 9 * step
	} else {
		w.margin -= step
	}
	w.margin = min(max(w.margin, leastMargin), mostMargin)
}
