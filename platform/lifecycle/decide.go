package lifecycle

// arrive serves a request, starts an instance for it, lets it wait or refuses it.
func (p *Pool) arrive(r Request, out []Action) []Action {
	if r == 0 || p.alive(r) {
		p.counts.Ignored++
		return out
	}
	p.counts.Arrived++
	if i := p.idle.head; i != none {
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

// room says whether concurrency allows one more instance. Idle ones need not
// be counted: nothing is started beside one.
func (p *Pool) room() bool {
	return p.instances.count[Busy]+p.instances.starting() < p.limit
}

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
	if w := p.requests.head(); w != none {
		waited := p.requests.leave(w)
		how := ByQueue
		if waited.started == p.instances.slots[i].name && p.instances.slots[i].state != Busy {
			how = ByStart
		}
		return p.serve(i, waited.request, how, out)
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

func (p *Pool) reap(i int32, why Why, out []Action) []Action {
	p.instances.move(i, Reaping)
	p.counts.Reaped++
	return append(out, Action{Kind: Reap, Why: why, Instance: p.instances.slots[i].name})
}

// pump starts instances for those who wait, as far as that is allowed. It is
// called when an instance goes that was starting or busy.
func (p *Pool) pump(out []Action) []Action {
	for p.requests.queue.n > 0 && p.room() && p.starts.take(p.now) {
		out = p.startWaiting(out)
	}
	p.due, _ = p.next()
	return out
}

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

func (p *Pool) cancel(r Request, out []Action) []Action {
	at, ok := p.requests.where[r]
	switch {
	case !ok:
		p.counts.Ignored++
		return out
	case at < 0:
		p.instances.slots[^at].request = 0
		p.requests.unbind(r)
	default:
		p.requests.leave(at)
	}
	p.counts.Dropped++
	return append(out, Action{Kind: Drop, Request: r})
}

func (p *Pool) evict(out []Action) []Action {
	for p.idle.n > 0 {
		i := p.idle.tail
		p.idle.remove(p.instances.links, i)
		out = p.reap(i, WasEvicted, out)
	}
	for i := range p.instances.slots {
		p.instances.slots[i].evicted = true
	}
	return out
}
