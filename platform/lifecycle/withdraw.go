package lifecycle

// cancel lets a request go whose caller has given up.
func (p *Pool) cancel(r Request, out []Action) []Action {
	at, ok := p.requests.where[r]
	switch {
	case !ok:
		p.counts.Ignored++
		return out
	case at < 0:
		p.requests.unbind(r)
		slot := &p.instances.slots[^at]
		slot.request = 0
		out = p.drop(r, out)
		if slot.evicted {
			return p.pump(p.reap(^at, WasEvicted, out))
		}
		return out
	default:
		p.requests.leave(at)
		return p.drop(r, out)
	}
}

func (p *Pool) drop(r Request, out []Action) []Action {
	p.counts.Dropped++
	return append(out, Action{Kind: Drop, Request: r})
}

// evict reaps what nobody holds or waits for and marks the rest.
func (p *Pool) evict(out []Action) []Action {
	for p.idle.n > 0 {
		i := p.idle.tail
		p.idle.remove(p.instances.links, i)
		out = p.reap(i, WasEvicted, out)
	}
	needed := p.requests.starters.n > 0 // by requests that take whichever start is ready first
	for i := range p.instances.slots {
		slot := &p.instances.slots[i]
		slot.evicted = true
		if slot.state <= Initialising && slot.request == 0 && !needed {
			out = p.reap(int32(i), WasEvicted, out)
		}
	}
	return p.pump(out)
}
