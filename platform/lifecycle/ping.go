package lifecycle

import "time"

// Pings are Count requests at once each Every, the first Every after the pool's
// origin. The zero value is none. Whoever owns the instances sends them, as
// [Ping] actions ask; they are requests like others, and what they cost is what
// requests cost.
type Pings struct {
	Every time.Duration
	Count int
}

func (p Pings) validate(f *faults) {
	notNegative(f, "ping every", p.Every, ", which is never")
	notNegative(f, "ping count", p.Count, ", which is none")
	if (p.Every > 0) != (p.Count > 0) {
		f.add("ping every %v, count %d: both must be positive, or neither", p.Every, p.Count)
	}
}

// first is when the first pings are due.
func (p Pings) first() time.Duration {
	if p.Count == 0 {
		return never
	}
	return p.Every
}

// pings has the function invoked.
func (p *Pool) pings(out []Action) []Action {
	p.ping = after(p.ping, p.policy.Ping.Every)
	for range p.policy.Ping.Count {
		p.counts.Pings++
		out = append(out, Action{Kind: Ping})
	}
	return out
}
