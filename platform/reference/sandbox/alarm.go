package sandbox

import (
	"sync"
	"time"
)

// Alarm rings at the deadline of whatever is in hand.
//
// A timer that is earlier than all others interrupts the thread that waits for
// the network, and a fresh one for each invocation nearly always is: it made a
// warm invocation a seventh longer. So one timer is left running from
// invocation to invocation, and looks at the deadline only when it fires.
type Alarm struct {
	rung chan struct{} // holds one ring

	mu    sync.Mutex
	timer *time.Timer
	due   time.Time // zero: nothing is in hand
	armed time.Time // when the timer fires; zero: it does not
}

// NewAlarm gives an alarm that does not ring yet.
func NewAlarm() *Alarm { return &Alarm{rung: make(chan struct{}, 1)} }

// Rung yields once the deadline in hand has come.
func (a *Alarm) Rung() <-chan struct{} { return a.rung }

// Prime starts the timer before it is needed, at a time when nobody waits.
func (a *Alarm) Prime(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.armed.IsZero() {
		a.arm(time.Now().Add(d))
	}
}

// Set takes a deadline in hand; Rung yields when it has come.
func (a *Alarm) Set(due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.rung: // for a deadline before this one
	default:
	}
	a.due = due
	if a.armed.IsZero() || due.Before(a.armed) {
		a.arm(due)
	}
}

// Clear lets go of the deadline.
func (a *Alarm) Clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due = time.Time{}
}

// Stop ends the timer.
func (a *Alarm) Stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due = time.Time{}
	if a.timer != nil {
		a.timer.Stop()
	}
}

func (a *Alarm) arm(at time.Time) {
	a.armed = at
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(at), a.fire)
		return
	}
	a.timer.Reset(time.Until(at))
}

func (a *Alarm) fire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.armed = time.Time{}
	switch {
	case a.due.IsZero():
	case time.Now().Before(a.due):
		a.arm(a.due)
	default:
		select {
		case a.rung <- struct{}{}:
		default:
		}
	}
}
