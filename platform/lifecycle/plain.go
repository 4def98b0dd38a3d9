package lifecycle

import "time"

// Most steps of most pools are an arrival that an idle instance serves, or an
// answer after which the instance stands idle or serves whoever waits, or the
// end of a keep-alive. For
// policies that know neither slots nor pauses nor chance these ways are written
// out here: they decide what [Pool.arrive] and [Pool.finish] decide, in half the
// time.

// plain says whether the short ways may be taken.
func (p *Pool) plain() bool { return p.simple && p.level|p.kept == 0 }

// simple says whether a policy's instances serve one request at a time and
// their idle spells all end in the same way.
func (p Policy) simple() bool { return p.slots() == 1 && !p.Pause && !p.drawn() && p.Noise == 0 }

// reuse has the instance that was used last serve a request.
func (p *Pool) reuse(r Request, out []Action) []Action {
	i := p.idle.head
	p.idle.remove(p.instances.links, i)
	p.instances.move(i, Busy)
	slot := &p.instances.slots[i]
	slot.n = 1
	p.instances.seats[i] = r
	p.counts.Served++
	return append(out, Action{Kind: Serve, How: ByReuse, Instance: slot.name, Request: r})
}

// answered lets an instance that has served its request stand idle.
func (p *Pool) answered(i int32) {
	p.counts.Finished++
	slot := &p.instances.slots[i]
	slot.n = 0
	slot.since = p.now
	p.instances.move(i, Idle)
	p.idle.pushFront(p.instances.links, i)
	if keep := p.policy.KeepAlive; keep > 0 {
		p.due = min(p.due, after(p.now, keep))
	}
}

// handOver has an instance that has served its request serve one that waits.
func (p *Pool) handOver(i, w int32, out []Action) []Action {
	p.counts.Finished++
	p.counts.Served++
	r := p.requests.leave(w).request
	p.instances.seats[i] = r
	return append(out, Action{Kind: Serve, How: ByQueue, Instance: p.instances.slots[i].name, Request: r})
}

// nextPlain is next where keep-alives are all that can become due.
func (p *Pool) nextPlain() (at time.Duration, what deadline) {
	i, keep := p.idle.tail, p.policy.KeepAlive
	if i == none || keep <= 0 {
		return never, nothing
	}
	if at = after(p.instances.slots[i].since, keep); at == never {
		return never, nothing
	}
	return at, expiry
}
