package lifecycle

import "time"

// unasked is the level asked for where none is.
const unasked = -1

// Provision sets how many instances are kept ready ahead of requests, until
// Policy.Provisioned next says otherwise; 0 or less is none. Like [Pool.Limit]
// it does nothing by itself and holds from the next Step on, at that Step's
// instant: what became due before is settled under the level of before.
func (p *Pool) Provision(n int) {
	p.asked = max(0, n)
	p.due = 0
}

// setLevel has so many instances kept ready from now on. Where more are, those
// that start go first, the one started last before the others; then those that
// are idle, the one used longest ago first; then those that finish a request.
func (p *Pool) setLevel(n int, out []Action) []Action {
	if p.retired {
		n = 0
	}
	p.level = n
	for p.kept > p.level && p.booting.n > 0 && !p.needed(p.booting.tail) {
		out = p.reap(p.booting.tail, Shrunk, out)
	}
	for p.kept > p.level && p.standby.n > 0 {
		out = p.reap(p.standby.tail, Shrunk, out)
	}
	return p.pump(out)
}

// replenish starts what is missing of the instances to be kept ready. Requests
// that wait for a start come first.
func (p *Pool) replenish(out []Action) []Action {
	for p.retry <= p.now && p.keepable(p.limit) && !p.deferred() {
		var why Why
		if out, why = p.admit(out); why != NoReason {
			break
		}
		out = p.startKept(out)
	}
	return out
}

func (p *Pool) startKept(out []Action) []Action {
	i := p.start(true)
	p.kept++
	slot := &p.instances.slots[i]
	slot.ahead = true
	return append(out, Action{Kind: Start, Ahead: true, Kept: true, Instance: slot.name})
}

// schedule walks through the provisioned levels.
type schedule struct {
	levels []Level
	period time.Duration
	began  time.Duration // the period that k is about
	k      int           // the next level; all of them: there is none any more
}

// next is when the next level begins.
func (s *schedule) next() time.Duration {
	if s.k == len(s.levels) {
		return never
	}
	return after(s.began, s.levels[s.k].From)
}

// advance gives the next level.
func (s *schedule) advance() int {
	count := s.levels[s.k].Count
	s.k++
	if s.k == len(s.levels) && s.period > 0 {
		s.k, s.began = 0, after(s.began, s.period)
	}
	return count
}
