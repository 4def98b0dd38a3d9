package lifecycle

import "time"

// spells are the idle spells whose lengths differ, the one that ends first on
// top: a heap that also knows each instance's place in it. Of spells that end
// at one instant the one that began first is before the others.
type spells struct {
	heap  []spell
	place []int32 // of an instance's spell in heap
	began uint64  // spells so far
}

type spell struct {
	end      time.Duration
	order    uint64
	instance int32
}

func (s *spells) before(a, b int32) bool {
	x, y := &s.heap[a], &s.heap[b]
	return x.end < y.end || x.end == y.end && x.order < y.order
}

func (s *spells) swap(a, b int32) {
	s.heap[a], s.heap[b] = s.heap[b], s.heap[a]
	s.place[s.heap[a].instance], s.place[s.heap[b].instance] = a, b
}

// begin adds the spell of an instance that has none.
func (s *spells) begin(instance int32, end time.Duration) {
	for int(instance) >= len(s.place) {
		s.place = append(s.place, none)
	}
	s.began++
	at := int32(len(s.heap))
	s.heap = append(s.heap, spell{end, s.began, instance})
	s.place[instance] = at
	s.up(at)
}

// over removes the spell of an instance.
func (s *spells) over(instance int32) {
	at, last := s.place[instance], int32(len(s.heap)-1)
	s.swap(at, last)
	s.heap = s.heap[:last]
	s.place[instance] = none
	if at < last {
		s.down(at)
		s.up(at)
	}
}

func (s *spells) up(at int32) {
	for at > 0 && s.before(at, (at-1)/2) {
		s.swap(at, (at-1)/2)
		at = (at - 1) / 2
	}
}

func (s *spells) down(at int32) {
	for n := int32(len(s.heap)); ; {
		child := 2*at + 1
		if child >= n {
			return
		}
		if child+1 < n && s.before(child+1, child) {
			child++
		}
		if !s.before(child, at) {
			return
		}
		s.swap(at, child)
		at = child
	}
}
