package fleet

import (
	"math/rand/v2"
	"slices"
)

// slot is an instance, or the place of one that is gone.
type slot struct {
	state   state
	life    uint32 // counts the instances that had this place
	busy    int32  // workers
	load    int32  // requests that it has: in service, and in its own queue
	place   int32  // in the roster, while it serves
	started int64
	line    line // its own queue
}

type state uint8

const (
	gone state = iota
	booting
	serving
	draining
)

// roster is the instances that take requests, by their load, ascending. A
// change of load by one moves an instance to the border of its load's range and
// moves the border, so that it takes the same time whatever their number.
type roster struct {
	order []int32
	first []int32 // by load: where those begin that have at least so much
}

func (r *roster) empty() bool { return len(r.order) == 0 }

// least is one of the instances with the least load.
func (r *roster) least() int32 { return r.order[0] }

func (r *roster) pick(rng *rand.Rand) int32 { return r.order[rng.IntN(len(r.order))] }

// pickLeast is one of the instances with the least load, by chance.
func (r *roster) pickLeast(rng *rand.Rand) int32 {
	low := 0
	for low+1 < len(r.first) && r.first[low+1] == 0 {
		low++
	}
	end := len(r.order)
	if low+1 < len(r.first) {
		end = int(r.first[low+1])
	}
	if end == 1 {
		return r.order[0]
	}
	return r.order[rng.IntN(end)]
}

func (r *roster) swap(slots []slot, a, b int32) {
	r.order[a], r.order[b] = r.order[b], r.order[a]
	slots[r.order[a]].place = a
	slots[r.order[b]].place = b
}

func (r *roster) raise(slots []slot, instance int32) {
	s := &slots[instance]
	for len(r.first) <= int(s.load)+1 {
		r.first = append(r.first, int32(len(r.order)))
	}
	border := r.first[s.load+1] - 1
	r.swap(slots, s.place, border)
	r.first[s.load+1] = border
	s.load++
}

func (r *roster) lower(slots []slot, instance int32) {
	s := &slots[instance]
	border := r.first[s.load]
	r.swap(slots, s.place, border)
	r.first[s.load] = border + 1
	s.load--
}

// join adds an instance without load.
func (r *roster) join(slots []slot, instance int32) {
	s := &slots[instance]
	s.place, s.load = int32(len(r.order)), 0
	r.order = append(r.order, instance)
	for load := len(r.first) - 1; load > 0; load-- {
		r.swap(slots, s.place, r.first[load])
		r.first[load]++
	}
	if len(r.first) == 0 {
		r.first = append(r.first, 0)
	}
}

// leave takes an instance away; its load stays known.
func (r *roster) leave(slots []slot, instance int32) {
	s := &slots[instance]
	for load := int(s.load) + 1; load < len(r.first); load++ {
		r.first[load]--
		r.swap(slots, s.place, r.first[load])
	}
	last := int32(len(r.order) - 1)
	r.swap(slots, s.place, last)
	r.order = r.order[:last]
}

// turns is the instances that take requests, in the order in which they joined.
type turns struct {
	ring []int32
	next int
}

func (t *turns) join(instance int32) { t.ring = append(t.ring, instance) }

func (t *turns) leave(instance int32) {
	i := slices.Index(t.ring, instance)
	t.ring = slices.Delete(t.ring, i, i+1)
	if i < t.next {
		t.next--
	}
}

func (t *turns) take() int32 {
	if t.next >= len(t.ring) {
		t.next = 0
	}
	t.next++
	return t.ring[t.next-1]
}
