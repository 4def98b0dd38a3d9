package drive

import (
	"sync/atomic"
	"time"
)

const (
	// mostHeadway bounds what a request waits for its moment at the transport.
	mostHeadway = 150 * time.Microsecond
	// headwayStep is how far one request moves the headway.
	headwayStep = 250 * time.Nanosecond
	// crowded is the distance to the arrival before below which a request is
	// late because of that one, which a headway cannot mend.
	crowded = 2 * near
)

// headway is how long before its moment the pacer lets a hit go, so that it
// has come through vegeta's worker when the moment is there; the transport then
// spins for the rest. The way takes 5 µs when requests follow each other
// closely, and 45 µs through cold caches at 100 requests a second, which would
// be a tenth of a warm invocation. A nil headway is none.
type headway struct {
	ns atomic.Int64
}

// get is the present headway.
func (h *headway) get() time.Duration {
	if h == nil {
		return 0
	}
	return time.Duration(h.ns.Load())
}

// spin returns at t, or at once if that is over. It moves the headway towards
// the ninth decile of what the way takes: nine parts up for a hit that came
// late, one part down for one that did not. alone says that the hit had the
// way to itself.
func (h *headway) spin(t time.Time, alone bool) {
	if h == nil {
		return
	}
	early := time.Until(t)
	if alone {
		h.learn(early)
	}
	if early > mostHeadway {
		return // a clock that jumped; the sample's lag will show it
	}
	for time.Until(t) > 0 {
	}
}

func (h *headway) learn(early time.Duration) {
	now := h.get()
	if early < 0 {
		now += 9 * headwayStep
	} else {
		now -= headwayStep
	}
	h.ns.Store(int64(min(max(now, 0), mostHeadway)))
}
