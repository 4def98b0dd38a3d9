package lifecycle

import (
	"math"
	"testing"
	"time"
)

// TestSlotRunsOut: a slot whose names are all used is left alone for good.
func TestSlotRunsOut(t *testing.T) {
	s := newInstances(1)
	first := s.add()
	s.slots[first].uses = math.MaxUint32
	s.remove(first)
	if second := s.add(); second == first {
		t.Errorf("slot %d is used again after its last name", first)
	}
	if _, ok := s.find(0); ok {
		t.Error("the name 0 finds a free slot")
	}
}

// TestMemoryFollowsThePopulation: a thousand rounds of starts, waits, cancels
// and reaps leave no more behind than the first one needed.
func TestMemoryFollowsThePopulation(t *testing.T) {
	for _, late := range []bool{false, true} {
		p := New(Policy{Concurrency: 3, QueueLimit: 4, LateBinding: late})
		var request Request
		for round := range 1000 {
			now := time.Duration(round) * time.Second
			first := request + 1
			var starting []Instance
			for range 8 { // 3 start, 4 wait, 1 is throttled
				request++
				for _, a := range p.Step(now, Event{Kind: Arrive, Request: request}, nil) {
					if a.Kind == Start {
						starting = append(starting, a.Instance)
					}
				}
			}
			for r := first; r <= request; r++ {
				p.Step(now, Event{Kind: Cancel, Request: r}, nil)
			}
			for _, i := range starting {
				p.Step(now, Event{Kind: Ready, Instance: i}, nil) // reaped at once: no keep-alive
				p.Step(now, Event{Kind: Cleared, Instance: i}, nil)
			}
		}
		if c := p.Counts(); c.Started != 3000 || c.Dropped != 7000 || c.Throttled != 1000 || c.Gone != 3000 {
			t.Errorf("late binding %v: the rounds went otherwise than meant: %+v", late, c)
		}
		if n := len(p.instances.slots); n != 3 {
			t.Errorf("late binding %v: %d slots for at most 3 instances", late, n)
		}
		if n := len(p.requests.waiters); n > 7 {
			t.Errorf("late binding %v: %d places for at most 7 who wait", late, n)
		}
		if n := len(p.requests.where); n != 0 {
			t.Errorf("late binding %v: %d requests are remembered that are over", late, n)
		}
	}
}
