package lifecycle

import (
	"math"
	"testing"
)

// TestSlotRunsOut: a slot whose names are all used is left alone for good.
func TestSlotRunsOut(t *testing.T) {
	s := instances{free: none}
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
