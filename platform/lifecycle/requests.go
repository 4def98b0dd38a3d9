package lifecycle

import "time"

// waiter is a request in a queue.
type waiter struct {
	request Request
	since   time.Duration
	started Instance // late binding: the instance that it had started; 0 for none
}

// requests are the requests that are alive and not being served: those that
// wait and those that are bound to a starting instance. Requests that find an
// idle instance never come here.
type requests struct {
	where   map[Request]int32 // place among the waiters, or ^slot of the instance that it is bound to
	waiters []waiter
	links   []link
	free    int32

	queue    chain // have started nothing, in order of arrival
	starters chain // late binding: have started an instance; all came before those in queue
	bound    int
}

func newRequests() requests {
	return requests{where: make(map[Request]int32), free: none, queue: newChain(), starters: newChain()}
}

// wait puts a request at the end of the queue.
func (q *requests) wait(r Request, now time.Duration) int32 {
	w := q.free
	if w == none {
		w = int32(len(q.waiters))
		q.waiters = append(q.waiters, waiter{})
		q.links = append(q.links, link{})
	} else {
		q.free = q.links[w].next
	}
	q.waiters[w] = waiter{request: r, since: now}
	q.where[r] = w
	q.queue.pushBack(q.links, w)
	return w
}

// started moves a request from the queue to those that started an instance.
func (q *requests) started(w int32, by Instance) {
	q.queue.remove(q.links, w)
	q.waiters[w].started = by
	q.starters.pushBack(q.links, w)
}

// head is the one whose turn it is.
func (q *requests) head() int32 {
	if q.starters.head != none {
		return q.starters.head
	}
	return q.queue.head
}

func (q *requests) waiting() int { return q.queue.n + q.starters.n }

// leave takes a waiter out of its queue and forgets it.
func (q *requests) leave(w int32) waiter {
	gone := q.waiters[w]
	if gone.started != 0 {
		q.starters.remove(q.links, w)
	} else {
		q.queue.remove(q.links, w)
	}
	q.links[w].next = q.free
	q.free = w
	delete(q.where, gone.request)
	return gone
}

func (q *requests) bind(r Request, slot int32) {
	q.where[r] = ^slot
	q.bound++
}

func (q *requests) unbind(r Request) {
	delete(q.where, r)
	q.bound--
}
