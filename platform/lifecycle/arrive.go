package lifecycle

// arrive serves a request, starts an instance for it, lets it wait or refuses it.
func (p *Pool) arrive(r Request, out []Action) []Action {
	if r == 0 || p.alive(r) {
		p.counts.Ignored++
		return out
	}
	p.counts.Arrived++
	if i := p.idle.head; i != none && p.room() {
		p.idle.remove(p.instances.links, i)
		return p.serve(i, r, ByReuse, out)
	}
	// Whatever allows a start goes to the queue first, so if one is allowed
	// now, nobody is waiting for it.
	if p.room() && p.starts.take(p.now) {
		return p.startArrived(r, out)
	}
	if p.requests.queue.n < p.policy.QueueLimit {
		p.requests.wait(r, p.now)
		p.due, _ = p.next()
		return append(out, Action{Kind: Enqueue, Request: r})
	}
	if p.room() {
		return p.throttle(r, StartRateFull, out)
	}
	return p.throttle(r, ConcurrencyFull, out)
}

// alive says whether a request waits or is bound. It costs nothing while none does.
func (p *Pool) alive(r Request) bool {
	if len(p.requests.where) == 0 {
		return false
	}
	_, ok := p.requests.where[r]
	return ok
}

// held is how much of the limit is taken.
func (p *Pool) held() int { return p.instances.count[Busy] + p.instances.starting() }

// room says whether the limit allows one more instance to serve or to start.
// Idle ones need not be counted: nothing is started beside one.
func (p *Pool) room() bool { return p.held() < p.limit }

// startArrived starts an instance for a request that has not waited.
func (p *Pool) startArrived(r Request, out []Action) []Action {
	if !p.policy.LateBinding {
		return p.startBound(r, out)
	}
	p.requests.wait(r, p.now)
	return p.startWaiting(append(out, Action{Kind: Enqueue, Request: r}))
}

// startWaiting starts an instance for the head of the queue.
func (p *Pool) startWaiting(out []Action) []Action {
	w := p.requests.queue.head
	if !p.policy.LateBinding {
		return p.startBound(p.requests.leave(w).request, out)
	}
	i := p.start()
	name := p.instances.slots[i].name
	p.requests.started(w, name)
	return append(out, Action{Kind: Start, Instance: name})
}

func (p *Pool) startBound(r Request, out []Action) []Action {
	i := p.start()
	slot := &p.instances.slots[i]
	slot.request = r
	p.requests.bind(r, i)
	return append(out, Action{Kind: Start, Instance: slot.name, Request: r})
}

func (p *Pool) start() int32 {
	p.counts.Started++
	return p.instances.add()
}

func (p *Pool) throttle(r Request, why Why, out []Action) []Action {
	p.counts.Throttled++
	return append(out, Action{Kind: Throttle, Why: why, Request: r})
}

func (p *Pool) serve(i int32, r Request, how How, out []Action) []Action {
	p.instances.move(i, Busy)
	slot := &p.instances.slots[i]
	slot.request = r
	p.counts.Served++
	return append(out, Action{Kind: Serve, How: how, Instance: slot.name, Request: r})
}
