package drive

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/scenarios"
)

// early is a waiter for whom every moment is there, as it is for a hit with a
// headway shortly before it is due.
type early struct{}

func (early) until(context.Context, time.Time) bool { return true }
func (early) ahead() *headway                       { return nil }

func TestInterruptWithinTheHeadway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := &pacer{
			sending: ctx,
			times:   []time.Duration{0, 0}, // at one instant
			origin:  time.Now().Add(100 * time.Microsecond),
			waiter:  early{},
			gate:    newGate(scenarios.InFlight{Max: 1, When: whenWait}),
		}
		if _, stop := p.Pace(0, 0); stop {
			t.Fatal("stopped at the first")
		}
		cancel() // while the second waits for the first, and neither is due
		if _, stop := p.Pace(0, 1); !stop {
			t.Error("went on after the context had ended")
		}
		if p.overdue != 0 {
			t.Errorf("%d arrivals are overdue before any is due", p.overdue)
		}
	})
}
