package study

import "sync"

// turns share processors among points of a sweep: whoever is first in line of
// those that wait has the next one that comes free.
type turns struct {
	mu      sync.Mutex
	given   sync.Cond
	free    int
	waiting []int // by place in the line
}

func newTurns(processors, places int) *turns {
	t := &turns{free: processors, waiting: make([]int, places)}
	t.given.L = &t.mu
	return t
}

// take waits for a processor, and gives what gives it back.
func (t *turns) take(place int) (give func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting[place]++
	for t.free == 0 || t.preceded(place) {
		t.given.Wait()
	}
	t.waiting[place]--
	t.free--
	t.given.Broadcast() // there may be another processor, for those that had to let this one by
	return t.give
}

func (t *turns) preceded(place int) bool {
	for _, n := range t.waiting[:place] {
		if n > 0 {
			return true
		}
	}
	return false
}

func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free++
	t.given.Broadcast()
}
