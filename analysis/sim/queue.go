package sim

import (
	"math"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// never is later than everything that happens.
const never time.Duration = math.MaxInt64

// due is something that will happen to an instance: it answers a request, or is
// ready.
type due struct {
	at       time.Duration
	instance lifecycle.Instance
	// request is the one that is answered. Above readyMark it says that the
	// instance is ready instead, after a start delay of the rest in nanoseconds.
	request lifecycle.Request
}

// readyMark is above every request's name.
const readyMark lifecycle.Request = 1 << 63

// before orders what is due; at one instant by request, so that the order does
// not depend on how the queue came to be.
func (d *due) before(o *due) bool {
	return d.at < o.at || d.at == o.at && d.request < o.request
}

// dues hold what is due, the first of it at hand. There are three places. What
// comes soon is in a wheel: the future up to a horizon, cut into buckets of even
// width, each a short chain in order. What comes later is in a heap. (Where it
// is popped from does not matter, so nothing moves from one to the other.) And
// where all service takes the same time, answers come in the order of their
// requests, and a ring holds them.
//
// A heap alone takes a third of the whole simulation's time at 100 instances
// busy, for it guesses wrong at each of its levels.
type dues struct {
	next  time.Duration // when the first of all is due; never if there is none
	place place         // and where it is

	wheel wheel
	heap  heap
	ring  ring
}

type place uint8

const (
	inWheel place = iota
	inHeap
	inRing
)

// newDues makes an empty queue for what is typically due after so long.
func newDues(typical time.Duration) dues {
	return dues{next: never, wheel: newWheel(typical), ring: ring{dues: make([]due, 64)}}
}

// push adds what is due, given the present instant.
func (q *dues) push(now time.Duration, d due) {
	in := inWheel
	if !q.wheel.push(now, d) {
		in = inHeap
		q.heap.push(d)
	}
	if d.at <= q.next {
		q.find(in, d.at)
	}
}

// follow adds behind all others that were added so.
func (q *dues) follow(d due) {
	q.ring.push(d)
	if d.at < q.next {
		q.next, q.place = d.at, inRing
	}
}

// find notes that one of a place is due at an instant that nothing is before.
func (q *dues) find(in place, at time.Duration) {
	if at < q.next {
		q.next, q.place = at, in
		return
	}
	q.first() // several at one instant: they have an order
}

// pop takes the first of all, of which there is one.
func (q *dues) pop() due {
	var d due
	switch q.place {
	case inWheel:
		d = q.wheel.pop()
	case inHeap:
		d = q.heap.pop()
	case inRing:
		d = q.ring.pop()
	}
	if f := q.wheel.first(); f != nil && q.ring.head == q.ring.tail && (len(q.heap) == 0 || f.at < q.heap[0].at) { // as it is most of the time
		q.next, q.place = f.at, inWheel
		return d
	}
	q.first()
	return d
}

// first finds the first of all.
func (q *dues) first() {
	q.next = never
	var least *due
	if d := q.wheel.first(); d != nil {
		least, q.next, q.place = d, d.at, inWheel
	}
	if len(q.heap) > 0 && (least == nil || q.heap[0].before(least)) {
		least, q.next, q.place = &q.heap[0], q.heap[0].at, inHeap
	}
	if q.ring.head < q.ring.tail && (least == nil || q.ring.first().before(least)) {
		q.next, q.place = q.ring.first().at, inRing
	}
}

// ring is a queue, first in first out, in a slice of a power of two.
type ring struct {
	dues       []due
	head, tail uint64
}

func (r *ring) first() *due { return &r.dues[r.head&uint64(len(r.dues)-1)] }

func (r *ring) push(d due) {
	if r.tail-r.head == uint64(len(r.dues)) {
		wider := make([]due, 2*len(r.dues))
		n := copy(wider, r.dues[r.head&uint64(len(r.dues)-1):])
		copy(wider[n:], r.dues)
		r.head, r.tail = 0, uint64(len(r.dues))
		r.dues = wider
	}
	r.dues[r.tail&uint64(len(r.dues)-1)] = d
	r.tail++
}

func (r *ring) pop() due {
	d := *r.first()
	r.head++
	return d
}

// heap has its least element first, and four children a node, which is half the
// levels of a binary one.
type heap []due

func (q *heap) push(d due) {
	*q = append(*q, d)
	h, k := *q, len(*q)-1
	for k > 0 {
		parent := (k - 1) / 4
		if !d.before(&h[parent]) {
			break
		}
		h[k] = h[parent]
		k = parent
	}
	h[k] = d
}

func (q *heap) pop() due {
	first, n := (*q)[0], len(*q)-1
	d := (*q)[n]
	h := (*q)[:n]
	*q = h
	if n == 0 {
		return first
	}
	k := 0
	for child := 1; child < n; child = 4*k + 1 {
		least := child
		for c := child + 1; c < min(child+4, n); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&d) {
			break
		}
		h[k] = h[least]
		k = least
	}
	h[k] = d
	return first
}
