package lifecycle

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Pool decides about the instances of one function version. Its memory follows
// the most instances and waiting requests that it has held at once. It is not
// safe for concurrent use.
type Pool struct {
	policy Policy
	simple bool // see Policy.simple
	limit  int  // most starting and busy instances at once
	raised int  // what limit is once the next Step has settled; above it only while somebody waits
	now    time.Duration
	due    time.Duration // nothing is due before; possibly earlier than what is due next

	instances instances
	chains
	requests requests
	starts   bucket
	spells   spells     // where idle spells have lengths of their own
	crowd    crowd      // those that rest, where one of them is to be chosen at random
	random   *rand.Rand // nil where nothing is drawn
	memory   *Memory    // nil without a budget
	size     int64      // of an instance
	entry    []int32    // of a resting instance, among memory's
	counts   Counts     // the history; Counts adds the population

	schedule schedule
	level    int           // of instances to be kept ready
	asked    int           // what level is once the next Step has settled; unasked: as it is
	kept     int           // instances that are, or start to be: starting, idle or busy
	retry    time.Duration // none is started before
	retired  bool

	ping    time.Duration // when pings are due next
	habit   *habit        // nil without Policy.Hybrid
	quiet   bool          // hybrid: no request is anywhere
	quieted time.Duration // hybrid: since when
	prewarm time.Duration // hybrid: when an instance is started ahead
}

// New makes an empty pool. It panics if the policy is not valid: whoever takes
// a policy from a user calls Validate first.
func New(policy Policy) *Pool {
	if err := policy.Validate(); err != nil {
		panic(err)
	}
	p := &Pool{
		simple:    policy.simple(),
		policy:    policy,
		ping:      policy.Ping.first(),
		prewarm:   never,
		asked:     unasked,
		instances: newInstances(policy.slots()),
		chains:    newChains(),
		requests:  newRequests(),
		starts:    newBucket(policy.StartBurst, policy.StartEvery),
		schedule:  schedule{levels: slices.Clone(policy.Provisioned), period: policy.Period},
	}
	if policy.drawn() || policy.Noise > 0 {
		p.random = rand.New(rand.NewPCG(policy.Seed, 0))
	}
	if policy.Hybrid != nil {
		p.habit = newHabit(*policy.Hybrid)
	}
	if p.limit = policy.Concurrency; p.limit == 0 {
		p.limit = math.MaxInt
	}
	p.raised = p.limit
	p.due, _ = p.next()
	return p
}

// Limit sets the most requests that are served or have a start under way at
// once; 0 admits none, math.MaxInt is no limit. New sets it to
// Policy.Concurrency.
//
// It does nothing by itself and holds from the next Step on, for all that this
// Step decides: those who wait get what a higher limit allows before the event,
// at that Step's instant. (What became due since the Step before is settled
// under the lower of both limits.) Where more requests than a lower limit are
// served or have their start under way, they keep what they have, and no
// instance is lent or started until they have become fewer.
func (p *Pool) Limit(n int) {
	p.limit, p.raised = min(p.limit, n), n
	switch {
	case p.requests.waiting() == 0 && p.kept >= p.level && p.schedule.next() == never && p.prewarm == never:
		p.limit = n // nothing but an event can call for an instance
	case n > p.limit:
		p.due = 0
	}
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
	if p.memory != nil {
		return p.memory.step(p, now, ev, out)
	}
	if now >= p.due {
		out = p.settle(now, out)
	}
	p.now = now
	out = p.happen(ev, out)
	if p.habit != nil {
		out = p.hush(out)
	}
	return out
}

// happen does what an event calls for.
func (p *Pool) happen(ev Event, out []Action) []Action {
	switch ev.Kind {
	case Tick:
		return out
	case Arrive:
		return p.arrive(ev.Request, out)
	case Cancel:
		return p.cancel(ev.Request, out)
	case Evict:
		return p.evict(out)
	case Retire:
		return p.retire(out)
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
// Tick before does nothing. It is false if nothing will. After [Pool.Limit] or
// [Pool.Provision] it is the latest Step's instant where they call for a Tick.
func (p *Pool) NextDeadline() (time.Duration, bool) {
	if p.asked != unasked && p.asked != p.level {
		return p.now, true
	}
	at, what := p.next()
	if p.raised > p.limit {
		if t := p.relief(); t < at {
			return t, true
		}
	}
	return at, what != nothing
}

// relief is when the limit that holds from the next Step on lets something
// happen that the present one does not.
func (p *Pool) relief() time.Duration {
	before := p.limit
	p.limit = p.raised
	defer func() { p.limit = before }()
	if p.requests.waiting() > 0 && p.lendable() {
		return p.now
	}
	at := never
	if p.requests.queue.n > 0 && p.room() {
		at = p.startable(p.now)
	}
	if p.keepable(p.limit) {
		at = min(at, p.startable(max(p.retry, p.now)))
	}
	return at
}

// lendable says whether the limit lets a request have an instance that is
// there, in whatever way.
func (p *Pool) lendable() bool {
	used, held := p.used(), p.held()
	return p.openKept.n > 0 && used <= p.limit || p.standby.n > 0 && used < p.limit ||
		p.open.n > 0 && held <= p.limit || p.resting() > 0 && held < p.limit ||
		p.filling.n > 0 && p.requests.queue.n > 0 && held <= p.limit
}

// Oldest is when the request came whose turn is next; false if none waits.
func (p *Pool) Oldest() (came time.Duration, ok bool) {
	w := p.requests.head()
	if w == none {
		return 0, false
	}
	return p.requests.waiters[w].since, true
}

// Blocked is when the request came that would have an instance lent or started
// at now if the limit allowed one more than are held; false if there is none.
// (One that waits for a start token or for memory is not helped by a higher limit.)
func (p *Pool) Blocked(now time.Duration) (came time.Duration, ok bool) {
	if p.resting()+p.standby.n+p.open.n+p.openKept.n > 0 {
		return p.Oldest()
	}
	w := p.requests.queue.head
	if w == none || p.filling.n == 0 && (p.starts.next() > now || !p.affordable()) {
		return 0, false
	}
	return p.requests.waiters[w].since, true
}

// Counts gives the pool's counts.
func (p *Pool) Counts() Counts {
	c, population := p.counts, &p.instances.count
	c.Starting = p.instances.starting()
	c.Idle, c.Paused, c.Busy, c.Reaping = population[Idle], population[Paused], population[Busy], population[Reaping]
	c.Held, c.Serving = p.held(), int(c.Served-c.Finished-c.Lost)
	c.Gone = uint64(population[Gone])
	c.Waiting = p.requests.waiting()
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
