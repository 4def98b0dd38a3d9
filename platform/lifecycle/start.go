package lifecycle

// admit takes a token and memory for a start that there is room for. It says
// what is missing, if anything is: then it takes neither.
func (p *Pool) admit(out []Action) ([]Action, Why) {
	if p.starts.next() > p.now {
		return out, StartRateFull
	}
	out, ok := p.claim(out)
	if !ok {
		return out, MemoryFull
	}
	p.starts.take(p.now)
	return out, NoReason
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
	i := p.start(false)
	name := p.instances.slots[i].name
	p.requests.started(w, name)
	return append(out, Action{Kind: Start, Instance: name})
}

func (p *Pool) startBound(r Request, out []Action) []Action {
	i := p.start(false)
	p.bind(i, r)
	slot := &p.instances.slots[i]
	slot.starter = true
	return append(out, Action{Kind: Start, Instance: slot.name, Request: r})
}

// joinable is the starting instance that a request may be bound to besides
// those that are; none if there is none.
func (p *Pool) joinable() int32 {
	if p.filling.n == 0 || p.held() > p.limit {
		return none
	}
	return p.filling.head
}

// join binds a request to an instance that another had started.
func (p *Pool) join(i int32, r Request, out []Action) []Action {
	p.bind(i, r)
	return append(out, Action{Kind: Enqueue, Instance: p.instances.slots[i].name, Request: r})
}

func (p *Pool) bind(i int32, r Request) {
	if wide := p.instances.wide; wide > 1 && int(p.instances.slots[i].n)+1 == wide {
		p.untie(i)
	}
	p.instances.sit(i, r)
	p.requests.bind(r, i)
}

func (p *Pool) start(kept bool) int32 {
	p.counts.Started++
	if p.memory != nil {
		p.memory.used += p.size
	}
	i := p.instances.add()
	slot := &p.instances.slots[i]
	slot.kept = kept
	if p.retired {
		slot.leaves = WasEvicted
	}
	if kept || p.instances.wide > 1 {
		p.tie(i)
	}
	return i
}
