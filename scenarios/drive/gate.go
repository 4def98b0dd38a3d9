package drive

import (
	"context"
	"sync/atomic"

	"github.com/coldcurve/coldcurve/scenarios"
)

const (
	defaultInFlight = 10_000
	whenDrop        = "drop"
	whenWait        = "wait"
)

// gate keeps the number of requests under way at or below a cap. An arrival at
// the cap is turned away (enter) or waits for its turn (admit): a gate does the
// one or the other.
type gate struct {
	cap   int64
	waits bool

	inside atomic.Int64
	most   atomic.Int64
	left   atomic.Int64  // requests that have ended
	freed  chan struct{} // holds a token if one has ended since admit last looked; nil where nobody waits
}

func newGate(limit scenarios.InFlight) *gate {
	g := &gate{cap: int64(limit.Max), waits: limit.When == whenWait}
	if g.cap == 0 {
		g.cap = defaultInFlight
	}
	if g.waits {
		g.freed = make(chan struct{}, 1)
	}
	return g
}

// admit waits until a request more may start after launched others, and says
// whether it had to wait. ok is false if ctx ended first. It is for one caller
// at a time.
func (g *gate) admit(ctx context.Context, launched uint64) (held, ok bool) {
	if !g.waits {
		return false, true
	}
	for int64(launched)-g.left.Load() >= g.cap {
		held = true
		select {
		case <-g.freed:
		case <-ctx.Done():
			return held, false
		}
	}
	return held, true
}

// enter counts a request in, or is false at the cap. Requests that admit let
// through always find room.
func (g *gate) enter() bool {
	for {
		n := g.inside.Load()
		if n >= g.cap {
			return false
		}
		if g.inside.CompareAndSwap(n, n+1) {
			g.raise(n + 1)
			return true
		}
	}
}

func (g *gate) raise(n int64) {
	for {
		m := g.most.Load()
		if n <= m || g.most.CompareAndSwap(m, n) {
			return
		}
	}
}

// leave counts a request out.
func (g *gate) leave() {
	g.inside.Add(-1)
	g.left.Add(1)
	select {
	case g.freed <- struct{}{}:
	default:
	}
}

// peak is the most that were ever inside at once.
func (g *gate) peak() int { return int(g.most.Load()) }
