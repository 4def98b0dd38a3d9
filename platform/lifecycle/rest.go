package lifecycle

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
	keep := p.policy.KeepAlive
	switch {
	case slot.leaves != NoReason:
		return p.pump(p.reap(i, slot.leaves, out))
	case slot.kept:
		p.become(i, Idle)
		return out
	case keep == 0:
		return p.reap(i, KeepAliveOver, out)
	}
	slot.since = p.now
	p.become(i, Idle)
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
