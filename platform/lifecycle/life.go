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

// ready has an instance serve the requests bound to it, or whoever waits.
func (p *Pool) ready(i int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	switch {
	case !slot.starting():
		p.counts.Ignored++
		return out
	case slot.n > 0:
		out = p.serveBound(i, out)
	case p.leaving(i) != NoReason && !p.needed(i):
		return p.pump(p.reap(i, p.leaving(i), out))
	}
	return p.release(i, out)
}

// serveBound has an instance that is ready serve the requests bound to it.
func (p *Pool) serveBound(i int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	how := ByQueue
	if slot.starter {
		how = ByStart
	}
	slot.starter, slot.ahead = false, false
	p.become(i, Busy)
	for _, r := range p.instances.on(i) {
		p.requests.unbind(r)
		p.counts.Served++
		out = append(out, Action{Kind: Serve, How: how, Instance: slot.name, Request: r})
		how = ByQueue
	}
	return out
}

// needed says whether somebody waits for a starting instance: those bound to
// it or, with late binding, whoever would be left without a start.
func (p *Pool) needed(i int32) bool {
	return p.instances.slots[i].n > 0 || p.requests.starters.n >= p.instances.starting()
}

// leaving is the reason for which an instance is to go; NoReason if it stays.
func (p *Pool) leaving(i int32) Why {
	slot := &p.instances.slots[i]
	if slot.kept && p.kept > p.level {
		return Shrunk
	}
	return slot.leaves
}

// finish takes a request off an instance and finds the instance its next.
func (p *Pool) finish(i int32, r Request, out []Action) []Action {
	slot := &p.instances.slots[i]
	if p.plain() && p.serves(i, r) {
		if p.requests.waiting() > 0 {
			if p.held() <= p.limit {
				return p.handOver(i, p.requests.head(), out)
			}
		} else if p.policy.KeepAlive != 0 {
			p.answered(i)
			return out
		}
	}
	seat := p.instances.seat(i, r)
	if slot.state != Busy || seat < 0 {
		p.counts.Ignored++
		return out
	}
	p.untie(i)
	p.instances.rise(i, seat)
	p.tie(i)
	p.counts.Finished++
	if why := p.leaving(i); why != NoReason {
		if slot.n == 0 {
			return p.pump(p.reap(i, why, out))
		}
		p.leave(i, why)
		return out
	}
	return p.release(i, out)
}

// leave has an instance go for a reason when the requests on it are done. It
// takes no other from now on, and is not one of the provisioned any more.
func (p *Pool) leave(i int32, why Why) {
	p.untie(i)
	slot := &p.instances.slots[i]
	slot.leaves = why
	if slot.kept {
		slot.kept = false
		p.kept--
	}
	p.tie(i)
}

// release gives the free slots of an instance to the head of the queue, and
// lets the instance rest if none are taken.
func (p *Pool) release(i int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	for int(slot.n) < p.instances.wide && (slot.leaves == NoReason || slot.n == 0) {
		w := p.requests.head()
		if w == none || !p.mayGoOn(i) {
			break
		}
		out = p.lend(i, w, out)
	}
	if slot.n > 0 {
		return out
	}
	return p.rest(i, out)
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

// pump lends and starts instances for those who wait, and then starts those
// that are to be kept ready, as far as that is allowed. It is called whenever
// more may be allowed than before.
func (p *Pool) pump(out []Action) []Action {
	for p.requests.waiting() > 0 {
		i := p.pick()
		if i == none {
			break
		}
		out = p.lend(i, p.requests.head(), out)
	}
	for p.requests.queue.n > 0 {
		if i := p.joinable(); i != none {
			out = p.join(i, p.requests.leave(p.requests.queue.head).request, out)
			continue
		}
		if !p.room() || p.deferred() {
			break
		}
		var why Why
		if out, why = p.admit(out); why != NoReason {
			break
		}
		out = p.startWaiting(out)
	}
	out = p.replenish(out)
	p.due, _ = p.next()
	return out
}

// failed ends an instance that did not become ready.
func (p *Pool) failed(i int32, out []Action) []Action {
	switch slot := &p.instances.slots[i]; {
	case slot.starting():
		out = p.fail(i, out)
		p.wasted(i)
		p.detach(i)
		p.instances.remove(i)
		return p.pump(out)
	case slot.state == Reaping: // lost while it started, and failed for that
		p.instances.remove(i)
	default:
		p.counts.Ignored++
	}
	return out
}

// lost ends an instance in whatever state it is.
func (p *Pool) lost(i int32, out []Action) []Action {
	switch slot := &p.instances.slots[i]; {
	case slot.state == Reaping:
		p.counts.Ignored++
		return out
	case slot.state == Busy:
		p.counts.Lost += uint64(slot.n)
	case slot.starting():
		out = p.fail(i, out)
	}
	p.wasted(i)
	return p.pump(p.reap(i, WasLost, out))
}

// fail ends the requests that a starting instance leaves without a start.
func (p *Pool) fail(i int32, out []Action) []Action {
	name := p.instances.slots[i].name
	for _, r := range p.instances.on(i) {
		p.requests.unbind(r)
		p.counts.Failed++
		out = append(out, Action{Kind: Fail, Instance: name, Request: r})
	}
	if q := &p.requests; q.starters.n > 0 && q.starters.n >= p.instances.starting() {
		p.counts.Failed++
		out = append(out, Action{Kind: Fail, Instance: name, Request: q.leave(q.starters.head).request})
	}
	return out
}

func (p *Pool) reap(i int32, why Why, out []Action) []Action {
	p.detach(i)
	p.instances.move(i, Reaping)
	p.counts.Reaped++
	return append(out, Action{Kind: Reap, Why: why, Instance: p.instances.slots[i].name})
}

// detach takes what the pool knows of an instance that ends off it.
func (p *Pool) detach(i int32) {
	slot := &p.instances.slots[i]
	if p.plain() && slot.state == Idle {
		p.idle.remove(p.instances.links, i)
		return
	}
	p.stir(i)
	p.untie(i)
	slot.n = 0
	if slot.kept {
		slot.kept = false
		p.kept--
	}
	if p.memory != nil {
		p.memory.used -= p.size
	}
}

// wasted notes the end of an instance that nobody ordered. Where it was to be
// kept ready and never served, the next of its kind waits a little: else a
// function that cannot start would be started as fast as it fails.
func (p *Pool) wasted(i int32) {
	if slot := &p.instances.slots[i]; slot.kept && slot.ahead {
		p.retry = after(p.now, p.policy.aheadRetry())
	}
}
