package lifecycle

// held is how much of the limit is taken: by the instances on demand that
// start or are busy, and by the provisioned level, in use or not. As Lambda
// has it, what is provisioned is taken off what is left for others; so where
// the level is the limit, nothing starts on demand.
func (p *Pool) held() int {
	held := p.instances.count[Busy] + p.instances.starting()
	if p.provisioned() {
		held += p.standby.n + max(0, p.level-p.kept)
	}
	return held
}

// provisioned says whether there is anything to think of beside what is on demand.
func (p *Pool) provisioned() bool { return p.level|p.kept != 0 }

// used is how many instances serve requests or are started for some.
func (p *Pool) used() int {
	return p.instances.count[Busy] + p.instances.starting() - p.booting.n
}

// room says whether the limit allows one more instance to serve or to start
// on demand. Idle ones need not be counted: nothing is started beside one.
func (p *Pool) room() bool { return p.held() < p.limit }

// keepable says whether a limit allows one more instance to be provisioned.
func (p *Pool) keepable(limit int) bool {
	return p.kept < p.level && p.instances.count[Busy]+p.instances.starting()+p.standby.n < limit
}

// mayGoOn says whether an instance that has come free may serve somebody who
// waits: if there is room beside the others, or if it is the start of somebody
// who waits (late binding), which is within the limit of its own instant.
func (p *Pool) mayGoOn(i int32) bool {
	slot := &p.instances.slots[i]
	switch {
	case slot.starting() && p.requests.starters.n > 0 && p.requests.starters.n >= p.instances.starting():
		return true
	case slot.kept && slot.starting():
		return p.used() < p.limit
	case slot.kept:
		return p.used() <= p.limit
	}
	return p.held() <= p.limit
}
