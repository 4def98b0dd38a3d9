package lifecycle

import "time"

// Begin has a pool that was not stepped yet begin its life at now: the pings
// are counted from then on, and of the provisioned levels the one that holds
// then is the first. Without it what would have been due since the origin is
// made up for at the first Step.
func (p *Pool) Begin(now time.Duration) {
	p.now = now
	if p.ping != never {
		p.ping = after(now, p.policy.Ping.Every)
	}
	for p.schedule.next() <= now {
		p.asked = p.schedule.advance()
	}
	p.due = 0
}
