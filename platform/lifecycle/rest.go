package lifecycle

import "time"

// rest lets an instance that is ready and has nothing to do stand idle. That
// may make room for one that is to be kept ready, or for one that is and that
// a lowered limit kept from serving.
func (p *Pool) rest(i int32, out []Action) []Action {
	out = p.settleDown(i, out)
	if p.kept < p.level || p.requests.waiting() > 0 {
		return p.pump(out)
	}
	return out
}

func (p *Pool) settleDown(i int32, out []Action) []Action {
	slot := &p.instances.slots[i]
	switch {
	case slot.leaves != NoReason:
		return p.pump(p.reap(i, slot.leaves, out))
	case slot.kept:
		p.become(i, Idle)
		return out
	}
	keep := p.keep(i)
	if keep == 0 {
		return p.reap(i, KeepAliveOver, out)
	}
	slot.since = p.now
	p.become(i, Idle)
	if p.policy.drawn() {
		p.spells.begin(i, after(p.now, keep))
	}
	if p.policy.Noise > 0 {
		p.crowd.add(i)
	}
	if p.memory != nil {
		p.memory.rests(p, i)
	}
	if keep > 0 {
		p.due = min(p.due, after(p.now, keep))
	}
	if p.policy.Pause {
		if p.policy.PauseAfter == 0 {
			return p.pause(i, out)
		}
		p.due = min(p.due, after(p.now, p.policy.PauseAfter))
	}
	return out
}

// keep is how long an instance that begins to rest now does so at most; below 0 for ever.
func (p *Pool) keep(i int32) time.Duration {
	if h := p.habit; h != nil {
		switch {
		case p.instances.slots[i].ahead: // the pre-warm
			return h.keep
		case p.quiet && h.ahead > 0:
			return 0
		}
		return after(h.ahead, h.keep)
	}
	if len(p.policy.Survival) > 0 {
		return lifetime(p.policy.Survival, p.random)
	}
	return p.policy.KeepAlive
}

// stir ends an instance's idle spell, if it has one.
func (p *Pool) stir(i int32) {
	slot := &p.instances.slots[i]
	if !slot.resting() || slot.kept {
		return
	}
	if p.policy.drawn() {
		p.spells.over(i)
	}
	if p.policy.Noise > 0 {
		p.crowd.remove(i)
	}
	if p.memory != nil {
		p.memory.stirs(p, i)
	}
}

// drawn says whether idle spells have lengths of their own.
func (p Policy) drawn() bool { return len(p.Survival) > 0 || p.Hybrid != nil }

// expires gives the instance on demand whose keep-alive is over first, and
// when that is; none if that never comes.
func (p *Pool) expires() (i int32, at time.Duration) {
	switch i = p.eldest(); {
	case len(p.spells.heap) > 0:
		first := p.spells.heap[0]
		return first.instance, first.end
	case i == none || p.policy.KeepAlive <= 0:
		return none, never
	}
	return i, after(p.instances.slots[i].since, p.policy.KeepAlive)
}

// eldest is the instance on demand that has rested longest; none if none rests.
func (p *Pool) eldest() int32 {
	if p.paused.n > 0 {
		return p.paused.tail
	}
	return p.idle.tail
}

func (p *Pool) pause(i int32, out []Action) []Action {
	p.become(i, Paused)
	return append(out, Action{Kind: Pause, Instance: p.instances.slots[i].name})
}
