package lifecycle

// cancel lets a request go whose caller has given up.
func (p *Pool) cancel(r Request, out []Action) []Action {
	at, ok := p.requests.where[r]
	switch {
	case !ok:
		p.counts.Ignored++
		return out
	case at < 0:
		return p.cancelBound(^at, r, out)
	default:
		p.requests.leave(at)
		return p.drop(r, out)
	}
}

// cancelBound takes a request off the starting instance that it is bound to.
func (p *Pool) cancelBound(i int32, r Request, out []Action) []Action {
	slot := &p.instances.slots[i]
	full := int(slot.n) == p.instances.wide
	p.requests.unbind(r)
	p.instances.rise(i, p.instances.seat(i, r))
	if full {
		p.tie(i)
	}
	out = p.drop(r, out)
	if slot.leaves != NoReason && slot.n == 0 {
		return p.pump(p.reap(i, slot.leaves, out))
	}
	if p.requests.queue.n > 0 && p.instances.wide > 1 { // whoever waits for a slot
		return p.pump(out)
	}
	return out
}

func (p *Pool) drop(r Request, out []Action) []Action {
	p.counts.Dropped++
	return append(out, Action{Kind: Drop, Request: r})
}

// evict reaps what nobody holds or waits for and marks the rest.
func (p *Pool) evict(out []Action) []Action {
	for _, c := range []*chain{&p.paused, &p.idle, &p.standby} {
		for c.n > 0 {
			out = p.reap(c.tail, WasEvicted, out)
		}
	}
	needed := p.requests.starters.n > 0 // by requests that take whichever start is ready first
	for i := range p.instances.slots {
		slot := &p.instances.slots[i]
		if slot.name == 0 || slot.state == Reaping {
			continue
		}
		p.leave(int32(i), WasEvicted)
		if slot.starting() && slot.n == 0 && !needed {
			out = p.reap(int32(i), WasEvicted, out)
		}
	}
	return p.pump(out)
}

// retire is evict for good.
func (p *Pool) retire(out []Action) []Action {
	p.retired = true
	p.schedule.k, p.schedule.period = len(p.schedule.levels), 0
	p.level, p.asked = 0, unasked
	p.ping, p.prewarm = never, never
	return p.evict(out)
}
