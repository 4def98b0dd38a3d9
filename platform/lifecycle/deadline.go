package lifecycle

import "time"

// deadline is what becomes due by the passing of time.
type deadline uint8

const (
	nothing deadline = iota
	expiry           // the longest idle instance has been idle for the keep-alive
	timeout          // the head of the queue has waited for the queue's timeout
	token            // the start that the head of the queue waits for is allowed
)

// next gives the earliest deadline, and of several at one instant the one that
// comes first in the list above.
func (p *Pool) next() (at time.Duration, what deadline) {
	at = never
	if i := p.idle.tail; i != none && p.policy.KeepAlive > 0 {
		at, what = after(p.instances.slots[i].since, p.policy.KeepAlive), expiry
	}
	if w := p.requests.queue.head; w != none {
		if p.policy.QueueTimeout > 0 {
			if t := after(p.requests.waiters[w].since, p.policy.QueueTimeout); t < at {
				at, what = t, timeout
			}
		}
		if t := p.starts.next(); p.room() && t < at {
			at, what = t, token
		}
	}
	if at == never {
		what = nothing
	}
	return at, what
}

// settle does what is due, in the order in which it became due, and then what
// a limit allows that was raised since.
func (p *Pool) settle(out []Action) []Action {
	out = p.overdue(out)
	if p.raised > p.limit {
		p.limit = p.raised
		out = p.pump(out)
	}
	return out
}

func (p *Pool) overdue(out []Action) []Action {
	for {
		at, what := p.next()
		p.due = at
		if what == nothing || at > p.now {
			return out
		}
		switch what {
		case expiry:
			i := p.idle.tail
			p.idle.remove(p.instances.links, i)
			out = p.reap(i, KeepAliveOver, out)
		case timeout:
			out = p.throttle(p.requests.leave(p.requests.queue.head).request, QueueTimeout, out)
		case token:
			p.starts.take(at)
			out = p.startWaiting(out)
		}
	}
}
