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
			time.Sleep(time.Until(moment) - h.get() + way)
			h.learn(time.Until(moment))
		}
		if got := h.get(); got < way-2*headwayStep || got > way+10*headwayStep {
			t.Errorf("headway = %v after a thousand hits that took %v, want about that", got, way)
		}
	})
}

func TestHeadwayIsBounded(t *testing.T) {
	var h headway
	h.learn(time.Hour)
	if got := h.get(); got != 0 {
		t.Errorf("headway = %v after a hit that came early, want 0", got)
	}
	for range 10_000 {
		h.learn(-time.Second)
	}
	if got := h.get(); got != mostHeadway {
		t.Errorf("headway = %v after ever late hits, want %v", got, mostHeadway)
	}
}

func TestSpin(t *testing.T) {
	var h headway
	moment := time.Now().Add(100 * time.Microsecond)
	h.spin(moment, true)
	if early := time.Until(moment); early > 0 {
		t.Errorf("spin returned %v before its moment", early)
	}
	before := h.get()
	h.spin(time.Now().Add(-time.Second), false)
	if got := h.get(); got != before {
		t.Errorf("headway moved from %v to %v by a hit in a crowd", before, got)
	}
	// A moment that is far away is a mistake of some clock: spinning for an hour would hide it.
	h.spin(time.Now().Add(time.Hour), false)
}

func TestNoHeadway(t *testing.T) {
	var h *headway
	if got := h.get(); got != 0 {
		t.Errorf("headway of none = %v, want 0", got)
	}
	h.spin(time.Now().Add(time.Hour), true)
}
