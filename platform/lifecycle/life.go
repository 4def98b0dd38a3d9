package lifecycle

// advance moves an instance on in its life where the event fits its state.
func (p *Pool) advance(i int32, to State) {
	state := p.instances.slots[i].state
	switch {
	case to == Gone && state == Reaping:
		p.instances.remove(i)
	case to != Gone && state < to:
		p.instances.move(i, to)
	default:
		p.counts.Ignored++
	}
}

// ready has an instance serve the request bound to it, or whoever waits.
func (p *Pool) ready(i int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	if slot.state > Initialising {
		p.counts.Ignored++
		return out
	}
	if r := slot.request; r != 0 {
		p.requests.unbind(r)
		return p.serve(i, r, ByStart, out)
	}
	// A late binding start is needed where more requests that started an
	// instance wait than other starts are under way.
	if slot.evicted && p.requests.starters.n < p.instances.starting() {
		return p.pump(p.reap(i, WasEvicted, out))
	}
	return p.release(i, out)
}

// finish takes a request off an instance and finds the instance its next.
func (p *Pool) finish(i int32, r Request, out []Action) []Action {
	slot := &p.instances.slots[i]
	if slot.state != Busy || slot.request != r {
		p.counts.Ignored++
		return out
	}
	slot.request = 0
	p.counts.Finished++
	if slot.evicted {
		return p.pump(p.reap(i, WasEvicted, out))
	}
	return p.release(i, out)
}

// release gives an instance that has come free to the head of the queue, or
// lets it stand idle.
func (p *Pool) release(i int32, out []Action) []Action {
	if w := p.requests.head(); w != none && p.mayGoOn(i) {
		return p.lend(i, w, out)
	}
	if p.policy.KeepAlive == 0 {
		return p.reap(i, KeepAliveOver, out)
	}
	p.instances.move(i, Idle)
	p.instances.slots[i].since = p.now
	p.idle.pushFront(p.instances.links, i)
	if p.policy.KeepAlive > 0 {
		p.due = min(p.due, after(p.now, p.policy.KeepAlive))
	}
	return out
}

// mayGoOn says whether an instance that has come free may serve somebody who
// waits: if there is room beside the others, or if it is the start of somebody
// who waits (late binding), which is within the limit of its own instant.
func (p *Pool) mayGoOn(i int32) bool {
	return p.held() <= p.limit ||
		p.instances.slots[i].state != Busy && p.requests.starters.n == p.instances.starting()
}

// lend has an instance serve somebody who waits.
func (p *Pool) lend(i, w int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	waited := p.requests.leave(w)
	how := ByQueue
	if waited.started == slot.name && slot.state != Busy {
		how = ByStart
	}
	return p.serve(i, waited.request, how, out)
}

// pump lends and starts instances for those who wait, as far as that is
// allowed. It is called when an instance goes that was starting or busy, and
// when the limit has been raised: else none is idle while there is room.
func (p *Pool) pump(out []Action) []Action {
	for p.idle.n > 0 && p.requests.waiting() > 0 && p.room() {
		i := p.idle.head
		p.idle.remove(p.instances.links, i)
		out = p.lend(i, p.requests.head(), out)
	}
	for p.requests.queue.n > 0 && p.room() && p.starts.take(p.now) {
		out = p.startWaiting(out)
	}
	p.due, _ = p.next()
	return out
}

// failed ends an instance that did not become ready.
func (p *Pool) failed(i int32, out []Action) []Action {
	switch state := p.instances.slots[i].state; {
	case state <= Initialising:
		out = p.fail(i, out)
		p.instances.remove(i)
		return p.pump(out)
	case state == Reaping: // lost while it started, and failed for that
		p.instances.remove(i)
	default:
		p.counts.Ignored++
	}
	return out
}

// lost ends an instance in whatever state it is.
func (p *Pool) lost(i int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	switch {
	case slot.state == Reaping:
		p.counts.Ignored++
		return out
	case slot.state == Busy:
		slot.request = 0
		p.counts.Lost++
	case slot.state == Idle:
		p.idle.remove(p.instances.links, i)
	default:
		out = p.fail(i, out)
	}
	return p.pump(p.reap(i, WasLost, out))
}

// fail ends the request that a starting instance leaves without a start.
func (p *Pool) fail(i int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	r := slot.request
	switch {
	case r != 0:
		slot.request = 0
		p.requests.unbind(r)
	case p.requests.starters.n == p.instances.starting():
		r = p.requests.leave(p.requests.starters.head).request
	default:
		return out
	}
	p.counts.Failed++
	return append(out, Action{Kind: Fail, Instance: slot.name, Request: r})
}

func (p *Pool) reap(i int32, why Why, out []Action) []Action {
	p.instances.move(i, Reaping)
	p.counts.Reaped++
	return append(out, Action{Kind: Reap, Why: why, Instance: p.instances.slots[i].name})
}
