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
	// crowded is the distance to the arrival before at or below which there is
	// no headway: the way is short then, and a processor that spins for one hit
	// is missing to another (at 10,000/s with two processors, inter-arrival CV
	// rose from .5 to 6).
	crowded = 300 * time.Microsecond
)

// headway is how long before its moment the pacer lets a hit go, so that it
// has come through vegeta's worker when the moment is there; the transport then
// spins for the rest. The way takes 5 µs when requests follow each other
// closely, and 45 µs through cold caches at 100 requests a second, which would
// be a tenth of a warm invocation. A nil headway is none.
type headway struct {
	ns atomic.Int64
}

// has says whether arrival i has a headway.
func (h *headway) has(times []time.Duration, i uint64) bool {
	return h != nil && (i == 0 || times[i]-times[i-1] > crowded)
}

// of is the headway of arrival i.
func (h *headway) of(times []time.Duration, i uint64) time.Duration {
	if !h.has(times, i) {
		return 0
	}
	return time.Duration(h.ns.Load())
}

// spin is called where arrival i has come to, and returns at its moment t, or
// at once if that is over or the arrival has no headway.
func (h *headway) spin(times []time.Duration, i uint64, t time.Time) {
	if !h.has(times, i) {
		return
	}
	early := time.Until(t)
	h.learn(early)
	if early > mostHeadway {
		return // a clock that jumped; the sample's lag will show it
	}
	for time.Until(t) > 0 {
	}
}

// learn moves the headway towards the ninth decile of what the way takes: nine
// parts up for a hit that came late, one part down for one that did not.
func (h *headway) learn(early time.Duration) {
	now := time.Duration(h.ns.Load())
	if early < 0 {
		now += 9 * headwayStep
	} else {
		now -= headwayStep
	}
	h.ns.Store(int64(min(max(now, 0), mostHeadway)))
}
