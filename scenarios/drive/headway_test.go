package drive

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestHeadwayFollowsTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// In this time nothing passes but what is slept: a hit comes in way
		// after it was let go.
		const way = 40 * time.Microsecond
		var h headway
		for range 1000 {
			moment := time.Now().Add(time.Millisecond)
			time.Sleep(time.Until(moment) - time.Duration(h.ns.Load()) + way)
			h.learn(time.Until(moment))
		}
		if got := time.Duration(h.ns.Load()); got < way-2*headwayStep || got > way+10*headwayStep {
			t.Errorf("headway = %v after a thousand hits that took %v, want about that", got, way)
		}
	})
}

func TestHeadwayIsBounded(t *testing.T) {
	var h headway
	h.learn(time.Hour)
	if got := time.Duration(h.ns.Load()); got != 0 {
		t.Errorf("headway = %v after a hit that came early, want 0", got)
	}
	for range 10_000 {
		h.learn(-time.Second)
	}
	if got := time.Duration(h.ns.Load()); got != mostHeadway {
		t.Errorf("headway = %v after ever late hits, want %v", got, mostHeadway)
	}
}

func TestSpin(t *testing.T) {
	var h headway
	h.ns.Store(int64(50 * time.Microsecond))
	times := []time.Duration{0, crowded, 3 * crowded}
	moment := time.Now().Add(100 * time.Microsecond)
	h.spin(times, 2, moment)
	if early := time.Until(moment); early > 0 {
		t.Errorf("spin returned %v before its moment", early)
	}
	// A moment that is far away is a mistake of some clock: spinning for an hour would hide it.
	h.spin(times, 2, time.Now().Add(time.Hour))

	before := h.ns.Load()
	h.spin(times, 1, time.Now().Add(-time.Second))
	if got := h.ns.Load(); got != before {
		t.Errorf("headway moved from %d to %d ns by a hit close behind another", before, got)
	}
}

func TestHeadwayOf(t *testing.T) {
	var h headway
	h.ns.Store(int64(50 * time.Microsecond))
	times := []time.Duration{0, crowded, 3 * crowded}
	for i, want := range []time.Duration{50 * time.Microsecond, 0, 50 * time.Microsecond} {
		if got := h.of(times, uint64(i)); got != want {
			t.Errorf("headway of arrival %d = %v, want %v", i, got, want)
		}
	}
	var none *headway
	if got := none.of(times, 0); got != 0 {
		t.Errorf("headway of none = %v, want 0", got)
	}
	none.spin(times, 0, time.Now().Add(time.Hour))
}
