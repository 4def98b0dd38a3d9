package lifecycle

// arrive serves a request, starts an instance for it, lets it wait or refuses it.
func (p *Pool) arrive(r Request, out []Action) []Action {
	if r == 0 || p.alive(r) {
		p.counts.Ignored++
		return out
	}
	p.counts.Arrived++
	p.disturb()
	if p.idle.n > 0 && p.plain() && p.room() {
		i := p.reuse(r)
		return append(out, Action{Kind: Serve, How: ByReuse, Instance: p.instances.slots[i].name, Request: r})
	}
	if i := p.pick(); i != none {
		return p.serve(i, r, ByReuse, out)
	}
	if i := p.joinable(); i != none {
		return p.join(i, r, out)
	}
	// Whatever allows a start goes to the queue first, so if one is allowed
	// now, nobody is waiting for it.
	why := ConcurrencyFull
	if p.room() {
		if out, why = p.admit(out); why == NoReason {
			return p.startArrived(r, out)
		}
	}
	if p.requests.queue.n < p.policy.QueueLimit {
		p.requests.wait(r, p.now)
		p.due, _ = p.next()
		return append(out, Action{Kind: Enqueue, Request: r})
	}
	return p.throttle(r, why, out)
}

// alive says whether a request waits or is bound. It costs nothing while none does.
func (p *Pool) alive(r Request) bool {
	if len(p.requests.where) == 0 {
		return false
	}
	_, ok := p.requests.where[r]
	return ok
}

// pick gives the ready instance that a request is to be served by: a
// provisioned one first, and in each case one with a slot left before one that
// is idle. It is called only where its choice is used, for it may draw.
func (p *Pool) pick() int32 {
	if p.provisioned() {
		switch used := p.used(); {
		case p.openKept.n > 0 && used <= p.limit:
			return p.openKept.head
		case p.standby.n > 0 && used < p.limit:
			return p.standby.head
		}
	}
	if p.open.n > 0 {
		if p.held() <= p.limit {
			return p.open.head
		}
		return none
	}
	if p.resting() == 0 || !p.room() {
		return none
	}
	return p.wake()
}

// resting is how many instances on demand rest.
func (p *Pool) resting() int { return p.idle.n + p.paused.n }

// wake chooses among them.
func (p *Pool) wake() int32 {
	if p.policy.Noise > 0 && p.resting() > 1 && p.random.Float64() < p.policy.Noise {
		return p.crowd.members[p.random.IntN(len(p.crowd.members))]
	}
	if p.idle.n > 0 {
		return p.idle.head
	}
	return p.paused.head
}

func (p *Pool) throttle(r Request, why Why, out []Action) []Action {
	p.counts.Throttled++
	return append(out, Action{Kind: Throttle, Why: why, Request: r})
}

// serve hands a request to an instance that is ready and has a slot left. how
// is what it would be on an instance that is neither paused nor started ahead.
func (p *Pool) serve(i int32, r Request, how How, out []Action) []Action {
	slot := &p.instances.slots[i]
	switch {
	case slot.state == Paused:
		how = ByResume
	case slot.kept, slot.ahead && how == ByReuse:
		how = ByProvision
	}
	p.stir(i)
	p.untie(i)
	slot.ahead = false
	p.instances.move(i, Busy)
	p.instances.sit(i, r)
	p.tie(i)
	p.counts.Served++
	return append(out, Action{Kind: Serve, How: how, Instance: slot.name, Request: r})
}
