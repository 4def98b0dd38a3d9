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

// dues hold what is due: in a heap of four children a node, which needs half
// the levels of a binary one. Where all service takes the same time answers come
// in the order of their requests, and a ring holds them.
type dues struct {
	heap       []due
	ring       []due // of a power of two
	head, tail uint64
	next       time.Duration // of the first of all; never if there is none
}

func newDues() dues { return dues{ring: make([]due, 64), next: never} }

// push adds to the heap.
func (q *dues) push(d due) {
	q.heap = append(q.heap, d)
	h, k := q.heap, len(q.heap)-1
	for k > 0 {
		parent := (k - 1) / 4
		if !d.before(&h[parent]) {
			break
		}
		h[k] = h[parent]
		k = parent
	}
	h[k] = d
	q.next = min(q.next, d.at)
}

// follow adds behind all others to the ring.
func (q *dues) follow(d due) {
	if q.tail-q.head == uint64(len(q.ring)) {
		q.grow()
	}
	q.ring[q.tail&uint64(len(q.ring)-1)] = d
	q.tail++
	q.next = min(q.next, d.at)
}

func (q *dues) grow() {
	ring := make([]due, 2*len(q.ring))
	n := copy(ring, q.ring[q.head&uint64(len(q.ring)-1):])
	copy(ring[n:], q.ring)
	q.head, q.tail = 0, uint64(len(q.ring))
	q.ring = ring
}

// pop takes the first of all, of which there is one.
func (q *dues) pop() due {
	var d due
	if q.head < q.tail && (len(q.heap) == 0 || q.ring[q.head&uint64(len(q.ring)-1)].before(&q.heap[0])) {
		d = q.ring[q.head&uint64(len(q.ring)-1)]
		q.head++
	} else {
		d = q.heap[0]
		q.sink()
	}
	q.next = never
	if len(q.heap) > 0 {
		q.next = q.heap[0].at
	}
	if q.head < q.tail {
		q.next = min(q.next, q.ring[q.head&uint64(len(q.ring)-1)].at)
	}
	return d
}

// sink takes the first out of the heap.
func (q *dues) sink() {
	n := len(q.heap) - 1
	d := q.heap[n]
	h := q.heap[:n]
	q.heap = h
	if n == 0 {
		return
	}
	k := 0
	for {
		child := 4*k + 1
		if child >= n {
			break
		}
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
}
