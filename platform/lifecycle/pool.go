package lifecycle

import (
	"math"
	"time"
)

// Pool decides about the instances of one function version. Its memory follows
// the most instances and waiting requests that it has held at once. It is not
// safe for concurrent use.
type Pool struct {
	policy Policy
	limit  int // Policy.Concurrency, or more than there can be
	now    time.Duration
	due    time.Duration // nothing is due before; possibly earlier than what is due next

	instances instances
	idle      chain // last used first
	requests  requests
	starts    bucket
	counts    Counts // the history; Counts adds the population
}

// New makes an empty pool. It panics if the policy is not valid: whoever takes
// a policy from a user calls Validate first.
func New(policy Policy) *Pool {
	if err := policy.Validate(); err != nil {
		panic(err)
	}
	p := &Pool{
		policy:    policy,
		limit:     policy.Concurrency,
		due:       never,
		instances: instances{free: none},
		idle:      newChain(),
		requests:  newRequests(),
		starts:    newBucket(policy.StartBurst, policy.StartEvery),
	}
	if p.limit == 0 {
		p.limit = math.MaxInt
	}
	return p
}

// Step takes what happened at now and appends what is to be done to out, in
// order. It first settles what became due up to now, each at the instant at
// which it was due, so that calling it late or with extra Ticks changes no
// decision; what is due at now itself comes before the event.
//
// now is measured from an origin of the caller's choice and is at least 0. It
// does not run backwards: an earlier time is read as the latest one seen. An
// event that fits nothing (an instance or request that is unknown or over) is
// counted and otherwise ignored. A request's name is not remembered while it
// is being served, so the pool cannot notice that one is used again then.
//
// Step allocates only when the population or out outgrows what they were.
func (p *Pool) Step(now time.Duration, ev Event, out []Action) []Action {
	if now < p.now {
		p.counts.Clamped++
		now = p.now
	}
	p.now = now
	if now >= p.due {
		out = p.settle(out)
	}
	switch ev.Kind {
	case Tick:
		return out
	case Arrive:
		return p.arrive(ev.Request, out)
	case Cancel:
		return p.cancel(ev.Request, out)
	case Evict:
		return p.evict(out)
	}
	i, known := p.instances.find(ev.Instance)
	if !known {
		p.counts.Ignored++
		return out
	}
	switch ev.Kind {
	case Finish:
		return p.finish(i, ev.Request, out)
	case Ready:
		return p.ready(i, out)
	case Failed:
		return p.failed(i, out)
	case Lost:
		return p.lost(i, out)
	case Cleared:
		p.advance(i, Gone)
	case Provisioned:
		p.advance(i, Booting)
	case Booted:
		p.advance(i, Initialising)
	default:
		p.counts.Ignored++
	}
	return out
}

// NextDeadline is the next instant at which something becomes due by itself: a
// Tick then does something, one before does not. It is false if nothing will.
func (p *Pool) NextDeadline() (time.Duration, bool) {
	at, what := p.next()
	return at, what != nothing
}

// Counts gives the pool's counts.
func (p *Pool) Counts() Counts {
	c, population := p.counts, &p.instances.count
	c.Starting = p.instances.starting()
	c.Idle, c.Busy, c.Reaping = population[Idle], population[Busy], population[Reaping]
	c.Gone = uint64(population[Gone])
	c.Waiting = p.requests.queue.n + p.requests.starters.n
	c.Bound = p.requests.bound
	return c
}

// State is the state of an instance; one that the pool does not know is gone.
func (p *Pool) State(name Instance) State {
	if i, ok := p.instances.find(name); ok {
		return p.instances.slots[i].state
	}
	return Gone
}
