package lifecycle_test

import (
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// model is the pool's rules written down a second time, as plainly as they can
// be: it walks through every nanosecond and looks at everything. Its instances
// are numbered in the order of their starts.
type model struct {
	policy    lifecycle.Policy
	limit     int // that holds now
	next      int // that holds from the next step on
	now       time.Duration
	instances []*modelInstance // that are not gone, in the order in which they entered their states
	requests  []*modelRequest  // that wait or are bound, in the order of their arrivals
	tokens    int
	refill    time.Duration // when the next token comes, while the bucket is not full
	counts    lifecycle.Counts
	out       []lifecycle.Action
}

type modelInstance struct {
	name    lifecycle.Instance
	state   lifecycle.State
	since   time.Duration     // of the state
	serves  lifecycle.Request // busy
	evicted bool
}

type modelRequest struct {
	name    lifecycle.Request
	since   time.Duration
	started *modelInstance // early binding: it is bound to this one
}

func newModel(policy lifecycle.Policy) *model {
	m := &model{policy: policy, tokens: policy.StartBurst, limit: policy.Concurrency}
	if m.limit == 0 {
		m.limit = math.MaxInt
	}
	m.next = m.limit
	return m
}

// setLimit is the pool's Limit: what passes until the next step happens under
// the lower of both limits.
func (m *model) setLimit(n int) { m.limit, m.next = min(m.limit, n), n }

func (m *model) step(now time.Duration, ev lifecycle.Event) []lifecycle.Action {
	m.out = nil
	if now < m.now {
		m.counts.Clamped++
	}
	for m.now < now {
		m.now++
		m.pass()
	}
	m.limit = m.next
	m.providing()
	if !m.happen(ev) {
		m.counts.Ignored++
	}
	m.providing()
	return m.out
}

// pass does what one nanosecond brings.
func (m *model) pass() {
	for _, i := range m.in(lifecycle.Idle) {
		if m.policy.KeepAlive > 0 && m.now-i.since >= m.policy.KeepAlive {
			m.reap(i, lifecycle.KeepAliveOver)
		}
	}
	for _, r := range slices.Clone(m.requests) {
		if r.started == nil && m.policy.QueueTimeout > 0 && m.now-r.since >= m.policy.QueueTimeout {
			m.forget(r)
			m.throttle(r.name, lifecycle.QueueTimeout)
		}
	}
	if m.tokens < m.policy.StartBurst && m.now == m.refill {
		m.tokens++
		m.refill += m.policy.StartEvery
	}
	m.providing()
}

// providing gives those who wait what they may have.
func (m *model) providing() {
	for m.lend() || m.start() {
	}
}

// happen says whether the event fitted anything.
func (m *model) happen(ev lifecycle.Event) bool {
	switch ev.Kind {
	case lifecycle.Tick:
		return true
	case lifecycle.Arrive:
		return m.arrive(ev.Request)
	case lifecycle.Cancel:
		r := m.request(ev.Request)
		if r == nil {
			return false
		}
		m.forget(r)
		m.counts.Dropped++
		m.act(lifecycle.Action{Kind: lifecycle.Drop, Request: r.name})
		if i := r.started; i != nil && i.evicted && !m.policy.LateBinding {
			m.reap(i, lifecycle.WasEvicted)
		}
		return true
	case lifecycle.Evict:
		for _, i := range m.instances {
			i.evicted = true
		}
		for _, i := range m.in(lifecycle.Idle) {
			m.reap(i, lifecycle.WasEvicted)
		}
		for _, i := range m.starting() {
			bound := slices.ContainsFunc(m.requests, func(r *modelRequest) bool { return r.started == i })
			if m.policy.LateBinding && m.starters() == 0 || !m.policy.LateBinding && !bound {
				m.reap(i, lifecycle.WasEvicted)
			}
		}
		return true
	}
	n := slices.IndexFunc(m.instances, func(i *modelInstance) bool { return i.name == ev.Instance })
	if n < 0 {
		return false
	}
	i := m.instances[n]
	starting := i.state <= lifecycle.Initialising
	switch ev.Kind {
	case lifecycle.Provisioned:
		return m.advance(i, lifecycle.Booting)
	case lifecycle.Booted:
		return m.advance(i, lifecycle.Initialising)
	case lifecycle.Ready:
		if starting {
			m.free(i)
		}
		return starting
	case lifecycle.Finish:
		if i.state != lifecycle.Busy || i.serves != ev.Request {
			return false
		}
		m.counts.Finished++
		m.free(i)
		return true
	case lifecycle.Failed:
		if !starting && i.state != lifecycle.Reaping {
			return false
		}
		m.failStart(i)
		m.remove(i)
		return true
	case lifecycle.Lost:
		if i.state == lifecycle.Reaping {
			return false
		}
		if i.state == lifecycle.Busy {
			m.counts.Lost++
		}
		m.failStart(i)
		m.reap(i, lifecycle.WasLost)
		return true
	case lifecycle.Cleared:
		if i.state != lifecycle.Reaping {
			return false
		}
		m.remove(i)
		return true
	}
	return false
}

func (m *model) arrive(name lifecycle.Request) bool {
	if name == 0 || m.request(name) != nil {
		return false
	}
	m.counts.Arrived++
	if idle := m.in(lifecycle.Idle); len(idle) > 0 && m.held() < m.limit {
		m.serve(idle[len(idle)-1], name, lifecycle.ByReuse)
		return true
	}
	m.requests = append(m.requests, &modelRequest{name: name, since: m.now})
	queued := 0
	for _, r := range m.requests {
		if r.started == nil {
			queued++
		}
	}
	switch allowed, why := m.startAllowed(); {
	case allowed:
		if m.policy.LateBinding {
			m.act(lifecycle.Action{Kind: lifecycle.Enqueue, Request: name})
		}
	case queued <= m.policy.QueueLimit:
		m.act(lifecycle.Action{Kind: lifecycle.Enqueue, Request: name})
	default:
		m.forget(m.request(name))
		m.throttle(name, why)
	}
	return true
}

// held is how many are served or have a start under way.
func (m *model) held() int { return len(m.starting()) + len(m.in(lifecycle.Busy)) }

// lend has an idle instance serve the oldest request that waits, if it may.
func (m *model) lend() bool {
	idle := m.in(lifecycle.Idle)
	if len(idle) == 0 || m.held() >= m.limit {
		return false
	}
	for _, r := range m.requests {
		if r.started != nil && !m.policy.LateBinding {
			continue // it is bound
		}
		i, how := idle[len(idle)-1], lifecycle.ByQueue
		if r.started == i {
			how = lifecycle.ByStart
		}
		m.forget(r)
		m.serve(i, r.name, how)
		return true
	}
	return false
}

// start starts an instance for the oldest request that has none, if it may.
func (m *model) start() bool {
	for _, r := range m.requests {
		if r.started != nil {
			continue
		}
		if allowed, _ := m.startAllowed(); !allowed {
			return false
		}
		if m.policy.StartBurst > 0 {
			if m.tokens == m.policy.StartBurst {
				m.refill = m.now + m.policy.StartEvery
			}
			m.tokens--
		}
		m.counts.Started++
		r.started = &modelInstance{name: lifecycle.Instance(m.counts.Started), since: m.now}
		m.instances = append(m.instances, r.started)
		action := lifecycle.Action{Kind: lifecycle.Start, Instance: r.started.name, Request: r.name}
		if m.policy.LateBinding {
			action.Request = 0
		}
		m.act(action)
		return true
	}
	return false
}

func (m *model) startAllowed() (bool, lifecycle.Why) {
	if m.held() >= m.limit {
		return false, lifecycle.ConcurrencyFull
	}
	if m.policy.StartBurst > 0 && m.tokens == 0 {
		return false, lifecycle.StartRateFull
	}
	return true, lifecycle.NoReason
}

// free finds work for an instance that is ready or has answered.
func (m *model) free(i *modelInstance) {
	ready := i.state != lifecycle.Busy
	var next *modelRequest // whom i may serve
	waits := false         // somebody needs i, and not only wants it
	for _, r := range m.requests {
		bound := r.started != nil && !m.policy.LateBinding
		if bound && r.started == i {
			next, waits = r, true
			break
		}
		if !bound && next == nil {
			next = r
		}
	}
	if m.policy.LateBinding && ready {
		waits = m.starters() == len(m.starting())
	}
	if i.evicted && !waits {
		m.reap(i, lifecycle.WasEvicted)
		return
	}
	if beside := m.held() - 1; !waits && beside >= m.limit {
		next = nil
	}
	switch {
	case next == nil && m.policy.KeepAlive == 0:
		m.reap(i, lifecycle.KeepAliveOver)
	case next == nil:
		m.become(i, lifecycle.Idle)
	case ready && next.started == i:
		m.forget(next)
		m.serve(i, next.name, lifecycle.ByStart)
	default:
		m.forget(next)
		m.serve(i, next.name, lifecycle.ByQueue)
	}
}

// failStart fails the request that is left without a start if i does not become ready.
func (m *model) failStart(i *modelInstance) {
	if i.state > lifecycle.Initialising {
		return
	}
	for _, r := range m.requests {
		if r.started == nil {
			continue
		}
		if r.started == i || m.policy.LateBinding {
			if m.policy.LateBinding && m.starters() < len(m.starting()) {
				return
			}
			m.forget(r)
			m.counts.Failed++
			m.act(lifecycle.Action{Kind: lifecycle.Fail, Instance: i.name, Request: r.name})
			return
		}
	}
}

func (m *model) starters() (n int) {
	for _, r := range m.requests {
		if r.started != nil {
			n++
		}
	}
	return n
}

func (m *model) in(state lifecycle.State) (in []*modelInstance) {
	for _, i := range m.instances {
		if i.state == state {
			in = append(in, i)
		}
	}
	return in
}

func (m *model) starting() (in []*modelInstance) {
	return slices.Concat(m.in(lifecycle.Provisioning), m.in(lifecycle.Booting), m.in(lifecycle.Initialising))
}

func (m *model) request(name lifecycle.Request) *modelRequest {
	for _, r := range m.requests {
		if r.name == name {
			return r
		}
	}
	return nil
}

func (m *model) advance(i *modelInstance, to lifecycle.State) bool {
	if i.state >= to {
		return false
	}
	m.become(i, to)
	return true
}

// become also moves the instance to the end.
func (m *model) become(i *modelInstance, state lifecycle.State) {
	i.state, i.since, i.serves = state, m.now, 0
	m.instances = slices.DeleteFunc(m.instances, func(x *modelInstance) bool { return x == i })
	m.instances = append(m.instances, i)
}

func (m *model) serve(i *modelInstance, r lifecycle.Request, how lifecycle.How) {
	m.become(i, lifecycle.Busy)
	i.serves = r
	m.counts.Served++
	m.act(lifecycle.Action{Kind: lifecycle.Serve, How: how, Instance: i.name, Request: r})
}

func (m *model) reap(i *modelInstance, why lifecycle.Why) {
	m.become(i, lifecycle.Reaping)
	m.counts.Reaped++
	m.act(lifecycle.Action{Kind: lifecycle.Reap, Why: why, Instance: i.name})
}

func (m *model) remove(i *modelInstance) {
	m.instances = slices.DeleteFunc(m.instances, func(x *modelInstance) bool { return x == i })
	m.counts.Gone++
}

func (m *model) forget(r *modelRequest) {
	m.requests = slices.DeleteFunc(m.requests, func(x *modelRequest) bool { return x == r })
}

func (m *model) throttle(r lifecycle.Request, why lifecycle.Why) {
	m.counts.Throttled++
	m.act(lifecycle.Action{Kind: lifecycle.Throttle, Why: why, Request: r})
}

func (m *model) act(a lifecycle.Action) { m.out = append(m.out, a) }

// population gives the model's counts in the pool's shape.
func (m *model) population() lifecycle.Counts {
	c := m.counts
	c.Starting = len(m.starting())
	c.Idle, c.Busy, c.Reaping = len(m.in(lifecycle.Idle)), len(m.in(lifecycle.Busy)), len(m.in(lifecycle.Reaping))
	c.Held, c.Serving = m.held(), c.Busy
	if m.policy.LateBinding {
		c.Waiting = len(m.requests)
	} else {
		c.Bound = m.starters()
		c.Waiting = len(m.requests) - c.Bound
	}
	return c
}
