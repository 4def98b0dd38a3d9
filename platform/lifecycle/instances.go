package lifecycle

import (
	"math"
	"slices"
	"time"
)

// instance is what the pool knows of one instance that is not gone.
type instance struct {
	name    Instance      // 0: the place is free
	since   time.Duration // idle or paused: since when it rests
	uses    uint32        // how often the place has been used before
	n       int32         // requests on it: bound to it while it starts, served once it is ready
	state   State
	leaves  Why  // goes for this reason once nobody on it needs it; NoReason: it stays
	kept    bool // of the provisioned ones
	ahead   bool // started ahead, and nobody has been served yet
	starter bool // starting: the first request on it is the one that had it started
}

func (s *instance) starting() bool { return s.state <= Initialising }

func (s *instance) resting() bool { return s.state == Idle || s.state == Paused }

// instances are the instances that are not gone, each in a place that is used
// again when it goes, so that memory follows the largest population and not
// the history. An instance's name is its place and how often that was used:
//
//	name = uses<<32 | place+1
type instances struct {
	slots []instance
	links []link    // of the chain that the instance is in, or of the free places
	seats []Request // wide of them an instance, the first n taken
	wide  int
	free  int32 // the last freed place, tied to the others by next
	count [Gone + 1]int
}

func newInstances(wide int) instances { return instances{wide: wide, free: none} }

func (s *instances) add() int32 {
	i := s.free
	if i == none {
		i = int32(len(s.slots))
		s.slots = append(s.slots, instance{})
		s.links = append(s.links, link{})
		s.seats = slices.Grow(s.seats, s.wide)[:len(s.seats)+s.wide]
	} else {
		s.free = s.links[i].next
	}
	slot := &s.slots[i]
	*slot = instance{name: Instance(slot.uses)<<32 | Instance(i+1), uses: slot.uses, state: Provisioning}
	s.count[Provisioning]++
	return i
}

// find gives the place of an instance that is not gone.
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
	slot.name = 0
	if slot.uses == math.MaxUint32 {
		return // one more use would repeat a name: leave the place unused
	}
	slot.uses++
	s.links[i].next = s.free
	s.free = i
}

func (s *instances) starting() int {
	return s.count[Provisioning] + s.count[Booting] + s.count[Initialising]
}

// on gives the requests on an instance, in the order in which they came to it.
func (s *instances) on(i int32) []Request {
	first := int(i) * s.wide
	return s.seats[first : first+int(s.slots[i].n)]
}

// sit puts a request on an instance that has a slot left.
func (s *instances) sit(i int32, r Request) {
	slot := &s.slots[i]
	s.seats[int(i)*s.wide+int(slot.n)] = r
	slot.n++
}

// seat is where a request sits among those on an instance; below 0 if it does not.
func (s *instances) seat(i int32, r Request) int {
	for k, sits := range s.on(i) {
		if sits == r {
			return k
		}
	}
	return -1
}

// rise takes the request at a seat off an instance.
func (s *instances) rise(i int32, seat int) {
	on := s.on(i)
	copy(on[seat:], on[seat+1:])
	slot := &s.slots[i]
	slot.n--
	slot.starter = slot.starter && seat > 0
}
