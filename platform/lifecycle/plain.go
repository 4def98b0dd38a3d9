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

// Reuse is a Step with an Arrive event for the way that most arrivals take:
// the instance that was used last serves r, and nothing else is to be done. It
// says which one that is; where it is not that simple, or the policy not plain,
// it is false, nothing has happened, and the caller has to Step. Calling it
// first changes no decision, it saves the detour through events and actions.
func (p *Pool) Reuse(now time.Duration, r Request) (Instance, bool) {
	if now < p.now || now >= p.due || p.idle.n == 0 || r == 0 || len(p.requests.where) > 0 || !p.plain() || !p.room() {
		return 0, false
	}
	p.now = now
	p.counts.Arrived++
	return p.instances.slots[p.reuse(r)].name, true
}

// Rest is a Step with a Finish event for the way that most answers take: nobody
// waits, so the instance stands idle from now on. It is false where it is not
// that simple, as [Pool.Reuse] is.
func (p *Pool) Rest(now time.Duration, name Instance, r Request) bool {
	if now < p.now || now >= p.due || p.requests.waiting() > 0 || !p.plain() {
		return false
	}
	i, known := p.instances.find(name)
	if !known || !p.serves(i, r) || p.policy.KeepAlive == 0 {
		return false
	}
	p.now = now
	p.answered(i)
	return true
}

// serves says whether an instance of a plain pool serves a request and stays.
func (p *Pool) serves(i int32, r Request) bool {
	slot := &p.instances.slots[i]
	return slot.state == Busy && p.instances.seats[i] == r && slot.leaves == NoReason
}

// reuse has the instance that was used last serve a request.
func (p *Pool) reuse(r Request) int32 {
	i := p.idle.popFront(p.instances.links)
	p.instances.move(i, Busy)
	p.instances.slots[i].n = 1
	p.instances.seats[i] = r
	p.counts.Served++
	return i
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
