package lifecycle

// chains tie the instances of each kind together. An instance's state and what
// it has to do with say in which one it is, if in any: see [Pool.chain].
type chains struct {
	idle, paused chain // on demand, last used first; each paused one has rested longer than each idle one
	standby      chain // provisioned and idle, last used first
	booting      chain // provisioned and starting, in the order of their starts

	// Where an instance has several slots, those with one left:
	open, openKept chain // busy (provisioned: openKept), last used first
	filling        chain // starting and not provisioned, in the order in which they came to have one left
}

func newChains() chains {
	e := newChain()
	return chains{idle: e, paused: e, standby: e, booting: e, open: e, openKept: e, filling: e}
}

// chain is the one that an instance is in; nil for none.
func (p *Pool) chain(slot *instance) *chain {
	seat := p.instances.wide > 1 && int(slot.n) < p.instances.wide && slot.leaves == NoReason
	switch state := slot.state; {
	case state == Idle && slot.kept:
		return &p.standby
	case state == Idle:
		return &p.idle
	case state == Paused:
		return &p.paused
	case state == Busy && seat && slot.kept:
		return &p.openKept
	case state == Busy && seat:
		return &p.open
	case state <= Initialising && slot.kept:
		return &p.booting
	case state <= Initialising && seat:
		return &p.filling
	}
	return nil
}

// untie and tie stand around whatever changes what [Pool.chain] looks at.
func (p *Pool) untie(i int32) {
	if c := p.chain(&p.instances.slots[i]); c != nil {
		c.remove(p.instances.links, i)
	}
}

func (p *Pool) tie(i int32) {
	slot := &p.instances.slots[i]
	switch c := p.chain(slot); {
	case c == nil:
	case slot.starting():
		c.pushBack(p.instances.links, i)
	default:
		c.pushFront(p.instances.links, i)
	}
}

// become moves an instance to a state, and to the chain that it is in then.
func (p *Pool) become(i int32, state State) {
	p.untie(i)
	p.instances.move(i, state)
	p.tie(i)
}
