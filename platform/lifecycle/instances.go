package lifecycle

import (
	"math"
	"time"
)

// instance is what the pool knows of one instance that is not gone.
type instance struct {
	name    Instance      // 0: the slot is free
	request Request       // busy: the one it serves; starting: the one bound to it, if any
	since   time.Duration // idle: since when
	uses    uint32        // how often the slot has been used before
	state   State
	evicted bool // goes once it has served what waits for it
}

// instances are the instances that are not gone, each in a slot that is used
// again when it goes, so that memory follows the largest population and not
// the history. An instance's name is its slot and how often that was used:
//
//	name = uses<<32 | slot+1
type instances struct {
	slots []instance
	links []link // of the idle chain, or of the free slots
	free  int32  // the last freed slot, tied to the others by next
	count [Gone + 1]int
}

func (s *instances) add() int32 {
	i := s.free
	if i == none {
		i = int32(len(s.slots))
		s.slots = append(s.slots, instance{})
		s.links = append(s.links, link{})
	} else {
		s.free = s.links[i].next
	}
	slot := &s.slots[i]
	*slot = instance{name: Instance(slot.uses)<<32 | Instance(i+1), uses: slot.uses, state: Provisioning}
	s.count[Provisioning]++
	return i
}

// find gives the slot of an instance that is not gone.
func (s *instances) find(name Instance) (int32, bool) {
	i := uint32(name) - 1
	if name == 0 || uint64(i) >= uint64(len(s.slots)) || s.slots[i].name != name {
		return none, false
	}
	return int32(i), true
}

func (s *instances) move(i int32, to State) {
	slot := &s.slots[i]
	s.count[slot.state]--
	s.count[to]++
	slot.state = to
}

func (s *instances) remove(i int32) {
	s.move(i, Gone)
	slot := &s.slots[i]
	slot.name, slot.request = 0, 0
	if slot.uses == math.MaxUint32 {
		return // one more use would repeat a name: leave the slot unused
	}
	slot.uses++
	s.links[i].next = s.free
	s.free = i
}

func (s *instances) starting() int {
	return s.count[Provisioning] + s.count[Booting] + s.count[Initialising]
}
