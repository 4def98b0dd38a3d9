package lifecycle

import (
	"fmt"
	"time"
)

// Memory is a budget of bytes that the pools which [Pool.Share] it draw on. A
// start takes an instance's size and a Reap gives it back, though it takes the
// owner a moment to make it true. Where too little is left for a start,
// instances on demand that are idle or paused go, in whatever pool, the one
// used longest ago first; where even all of them would not be enough, none
// goes, and the request waits or is throttled. Memory that comes free goes to
// the request that came first of those that it is enough for, and after all
// requests to instances that are to be kept ready.
//
// A Step of one pool thus may mean something for others: see [Memory.Orders].
// Steps of pools that share a Memory must not be concurrent, and their times
// are measured from one origin and do not run backwards from pool to pool. At
// one instant the deadlines of all pools are settled in the order in which one
// pool settles its own, and among equals in the order in which they came to share.
type Memory struct {
	limit, used, idle int64 // idle: of used, what instances have that can go
	pools             []*Pool
	now, due          time.Duration // nothing is due in any pool before due
	refused           bool          // a start found no memory, and may again

	rested []rested // the instances that can go
	links  []link
	free   int32
	lru    chain // of rested, used last first

	orders           []order
	given            int      // of orders, so many have been handed over
	decided, evicted []Action // for use within a step
}

type rested struct {
	pool     *Pool
	instance int32
}

type order struct {
	pool   *Pool
	action Action
}

// NewMemory makes a budget of limit bytes.
func NewMemory(limit int64) *Memory {
	return &Memory{limit: limit, due: never, free: none, lru: newChain()}
}

// Used is how much of the budget is taken, and how much of that by instances
// that are idle or paused and would go for others.
func (m *Memory) Used() (used, idle int64) { return m.used, m.idle }

// Share has the pool draw on a budget with size bytes, at least 0, for each
// instance. It is called before the first Step, if at all. A request for an
// instance larger than the whole budget finds no memory.
func (p *Pool) Share(m *Memory, size int64) {
	if size < 0 || p.memory != nil {
		panic(fmt.Sprintf("lifecycle: share of %d bytes: size must be at least 0 and a pool shares once", size))
	}
	p.memory, p.size, p.simple = m, size, false
	m.pools = append(m.pools, p)
	m.due = min(m.due, p.due)
}

// Leave takes a pool that has no instance and no request any more off the
// budget. It must not be stepped again.
func (m *Memory) Leave(p *Pool) {
	for k, other := range m.pools {
		if other == p {
			m.pools = append(m.pools[:k], m.pools[k+1:]...)
			return
		}
	}
}

// Orders hands over, in order, what the Steps since it was called last mean for
// pools other than those that were stepped. It is to be called after each Step
// of a pool that shares the budget, before the next; do may call Step, and
// Orders after it.
func (m *Memory) Orders(do func(p *Pool, a Action)) {
	for m.given < len(m.orders) {
		o := m.orders[m.given]
		m.given++
		do(o.pool, o.action)
	}
	m.orders, m.given = m.orders[:0], 0
}

// step is a Step of one pool, among the others.
func (m *Memory) step(p *Pool, now time.Duration, ev Event, out []Action) []Action {
	if now < m.now {
		p.counts.Clamped++
		now = m.now
	}
	from := len(m.orders)
	if now >= m.due {
		m.settle(now)
	}
	m.now = now
	m.have(p, p.reset)
	m.offer()
	m.have(p, func(out []Action) []Action { return p.hush(p.happen(ev, out)) })
	m.offer()
	m.due = min(m.due, p.due)
	return m.own(p, from, out)
}

// own takes a pool's orders since some point from those of the others.
func (m *Memory) own(p *Pool, from int, out []Action) []Action {
	others := m.orders[:from]
	for _, o := range m.orders[from:] {
		if o.pool == p {
			out = append(out, o.action)
		} else {
			others = append(others, o)
		}
	}
	m.orders = others
	return out
}

// settle does what is due in all pools up to now. What an instant leaves is
// offered when everything that is due at it is done.
func (m *Memory) settle(now time.Duration) {
	for {
		q, at, what := m.next(now)
		if at > m.now {
			if m.offer() {
				continue
			}
			if q == nil {
				return
			}
			m.now = at
		}
		if what == token { // the last of its instant: whoever waits longest goes first
			q.now = max(q.now, m.now)
			m.refused = true
			m.offer()
			continue
		}
		m.have(q, func(out []Action) []Action { return q.fall(what, out) })
	}
}

// next is the earliest deadline up to now in any pool; nil and never for none.
// It also brings due up to date.
func (m *Memory) next(now time.Duration) (first *Pool, at time.Duration, what deadline) {
	at, m.due = never, never
	for _, q := range m.pools {
		if q.due <= now {
			t, kind := q.next()
			q.due = t
			if kind != nothing && t <= now && (first == nil || t < at || t == at && kind < what) {
				first, at, what = q, t, kind
			}
		}
		m.due = min(m.due, q.due)
	}
	return first, at, what
}

// have has a pool decide at this instant and notes its orders.
func (m *Memory) have(q *Pool, decide func(out []Action) []Action) {
	q.now = max(q.now, m.now)
	m.decided = decide(m.decided[:0])
	for _, a := range m.decided {
		m.orders = append(m.orders, order{q, a})
	}
	m.due = min(m.due, q.due)
}

// offer gives memory to those who were refused it, as far as there is enough
// now, and says whether anybody got some.
func (m *Memory) offer() (any bool) {
	for m.refused {
		q := m.first()
		if q == nil {
			break
		}
		any = true
		m.have(q, q.startNext)
	}
	return any
}

// first is the pool with the request that came first of those that only memory
// is missing for and that there is enough for now.
func (m *Memory) first() (first *Pool) {
	m.refused = false
	longest := never
	for _, q := range m.pools {
		came, calls := q.calls(m.now)
		if calls && !q.affordable() {
			m.refused = true
		} else if calls && (first == nil || came < longest) {
			first, longest = q, came
		}
	}
	m.refused = m.refused || first != nil
	return first
}

// calls says whether at most memory is missing for a start, and since when a
// request has waited for it; never, where it would be to keep one ready.
func (p *Pool) calls(now time.Duration) (came time.Duration, ok bool) {
	if p.starts.next() > now {
		return 0, false
	}
	if w := p.requests.queue.head; w != none && p.room() {
		return p.requests.waiters[w].since, true
	}
	return never, p.keepable(p.limit) && p.retry <= now
}

// startNext starts one instance that there is memory for, and binds to it
// whoever else it has slots for.
func (p *Pool) startNext(out []Action) []Action {
	out, why := p.admit(out)
	switch {
	case why != NoReason:
		return out
	case p.requests.queue.n > 0 && p.room():
		out = p.startWaiting(out)
	default:
		out = p.startKept(out)
	}
	return p.pump(out)
}

// deferred says whether starts are left to [Memory.offer] because somebody
// waits for memory, possibly for longer and in another pool.
func (p *Pool) deferred() bool { return p.memory != nil && p.memory.refused }

// affordable says whether there is memory for one more instance, if need be
// that of those that rest.
func (p *Pool) affordable() bool {
	m := p.memory
	return m == nil || m.used-m.idle+p.size <= m.limit
}

// claim sees to it that there is memory for one more instance; false if that
// cannot be.
func (p *Pool) claim(out []Action) ([]Action, bool) {
	m := p.memory
	if m == nil {
		return out, true
	}
	if !p.affordable() {
		m.refused = true
		return out, false
	}
	for m.used+p.size > m.limit {
		switch r := m.rested[m.lru.tail]; r.pool {
		case p:
			out = p.reap(r.instance, MemoryShort, out)
		default:
			m.evicted = r.pool.reap(r.instance, MemoryShort, m.evicted[:0])
			m.orders = append(m.orders, order{r.pool, m.evicted[0]})
		}
	}
	return out, true
}

// rests notes an instance that can go from now on.
func (m *Memory) rests(p *Pool, instance int32) {
	at := m.free
	if at == none {
		at = int32(len(m.rested))
		m.rested = append(m.rested, rested{})
		m.links = append(m.links, link{})
	} else {
		m.free = m.links[at].next
	}
	m.rested[at] = rested{p, instance}
	m.lru.pushFront(m.links, at)
	m.idle += p.size
	for int(instance) >= len(p.entry) {
		p.entry = append(p.entry, none)
	}
	p.entry[instance] = at
}

// stirs forgets an instance that cannot go any more, or has gone.
func (m *Memory) stirs(p *Pool, instance int32) {
	at := p.entry[instance]
	m.lru.remove(m.links, at)
	m.rested[at] = rested{}
	m.links[at].next = m.free
	m.free = at
	m.idle -= p.size
}
