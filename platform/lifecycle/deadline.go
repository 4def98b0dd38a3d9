package lifecycle

import "time"

// deadline is what becomes due by the passing of time.
type deadline uint8

const (
	nothing deadline = iota
	expiry           // the keep-alive of an instance at rest is over
	pausing          // the instance that has been idle longest is to be paused
	timeout          // the head of the queue has waited for the queue's timeout
	pinging          // the function is to be invoked to keep instances warm
	warming          // an instance is to be started ahead of the next request
	relevel          // the provisioned level changes
	token            // a start is allowed that the head of the queue, or else the provisioned level, waits for
)

// earliest collects deadlines, given in the order above: of several at one
// instant the first given counts.
type earliest struct {
	at   time.Duration
	what deadline
}

func (e *earliest) add(at time.Duration, what deadline) {
	if at < e.at {
		e.at, e.what = at, what
	}
}

// next gives the earliest deadline, and of several at one instant the one that
// comes first in the list above.
func (p *Pool) next() (at time.Duration, what deadline) {
	if p.plain() && p.requests.queue.n == 0 && p.ping == never && p.schedule.next() == never {
		return p.nextPlain()
	}
	e := earliest{at: never}
	if i, at := p.expires(); i != none {
		e.add(at, expiry)
	}
	if i := p.idle.tail; i != none && p.policy.Pause {
		e.add(after(p.instances.slots[i].since, p.policy.PauseAfter), pausing)
	}
	w := p.requests.queue.head
	if w != none && p.policy.QueueTimeout > 0 {
		e.add(after(p.requests.waiters[w].since, p.policy.QueueTimeout), timeout)
	}
	e.add(p.ping, pinging)
	e.add(p.prewarm, warming)
	e.add(p.schedule.next(), relevel)
	if w != none && p.room() {
		e.add(p.startable(0), token)
	}
	if p.keepable(p.limit) {
		e.add(p.startable(p.retry), token)
	}
	return e.at, e.what
}

// startable is when a start is allowed by its rate, not before some instant. If
// that has come and only memory is missing it is never: nobody knows when some
// comes free, and then [Memory] sees to it.
func (p *Pool) startable(from time.Duration) time.Duration {
	at := max(p.starts.next(), from)
	if at <= p.now && !p.affordable() {
		p.memory.refused = true
		return never
	}
	return at
}

// settle does what is due up to now, each at the instant at which it became
// due, and then resets what was set since.
func (p *Pool) settle(now time.Duration, out []Action) []Action {
	for {
		at, what := p.next()
		p.due = at
		if what == nothing || at > now {
			break
		}
		p.now = max(p.now, at)
		out = p.fall(what, out)
	}
	p.now = now
	return p.reset(out)
}

// reset has the limit and the level hold that were set since the Step before.
func (p *Pool) reset(out []Action) []Action {
	if p.raised > p.limit {
		p.limit = p.raised
		out = p.pump(out)
	}
	if n := p.asked; n != unasked {
		p.asked = unasked
		if n != p.level {
			out = p.setLevel(n, out)
		}
	}
	return out
}

// fall does what is due.
func (p *Pool) fall(what deadline, out []Action) []Action {
	switch what {
	case expiry:
		i, _ := p.expires()
		out = p.reap(i, KeepAliveOver, out)
	case pausing:
		out = p.pause(p.idle.tail, out)
	case timeout:
		out = p.throttle(p.requests.leave(p.requests.queue.head).request, QueueTimeout, out)
	case pinging:
		out = p.pings(out)
	case warming:
		out = p.warm(out)
	case relevel:
		out = p.setLevel(p.schedule.advance(), out)
	case token:
		out = p.pump(out)
	}
	return p.hush(out)
}
