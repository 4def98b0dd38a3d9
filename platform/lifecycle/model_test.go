package lifecycle_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// model is the pool's rules written down a second time, as plainly as they can
// be: it walks through every nanosecond and looks at everything. Its instances
// are numbered in the order of their starts.
type model struct {
	policy    lifecycle.Policy
	limit     int  // that holds now
	next      int  // that holds from the next step on
	level     int  // of instances to be kept ready
	asked     *int // that holds from the next step on
	retry     time.Duration
	retired   bool
	now       time.Duration
	instances []*modelInstance // that are not gone, in the order in which they entered their states
	requests  []*modelRequest  // that wait or are bound, in the order of their arrivals
	tokens    int
	refill    time.Duration // when the next token comes, while the bucket is not full
	stamp     int
	random    *rand.Rand
	habit     []time.Duration // hybrid: the idle times so far
	quiet     bool
	quieted   time.Duration
	prewarm   time.Duration    // hybrid: when; below 0 never
	crowd     []*modelInstance // that rest; who leaves gives its place to the last
	counts    lifecycle.Counts
	out       []lifecycle.Action
}

type modelInstance struct {
	name    lifecycle.Instance
	state   lifecycle.State
	since   time.Duration       // idle or paused: since when it rests
	keep    time.Duration       // idle or paused: for how long; below 0 for ever
	serves  []lifecycle.Request // busy
	starter lifecycle.Request   // starting: who had it started
	slotted int                 // starting: a stamp of when it came to have a slot left
	leaves  lifecycle.Why
	kept    bool
	ahead   bool
}

type modelRequest struct {
	name    lifecycle.Request
	since   time.Duration
	started *modelInstance // early binding: it is bound to this one
}

func newModel(policy lifecycle.Policy) *model {
	m := &model{policy: policy, tokens: policy.StartBurst, limit: policy.Concurrency, now: -1, prewarm: -1}
	if m.limit == 0 {
		m.limit = math.MaxInt
	}
	m.next = m.limit
	m.random = rand.New(rand.NewPCG(policy.Seed, 0))
	return m
}

// Limit sets the limit: what passes until the next step happens under the lower of both.
func (m *model) Limit(n int) { m.limit, m.next = min(m.limit, n), n }

// Provision sets the level, once the next step has passed the time until then.
func (m *model) Provision(n int) { m.asked = &n }

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
	if asked := m.asked; asked != nil && *asked != m.level {
		m.setLevel(*asked)
	}
	m.asked = nil
	m.providing()
	if !m.happen(ev) {
		m.counts.Ignored++
	}
	m.providing()
	m.hush()
	return m.out
}

// pass does what one nanosecond brings.
func (m *model) pass() {
	m.refillTokens()
	for _, i := range slices.Concat(m.in(lifecycle.Paused), m.in(lifecycle.Idle)) {
		if !i.kept && i.keep >= 0 && m.now-i.since >= i.keep {
			m.reap(i, lifecycle.KeepAliveOver)
		}
	}
	for _, i := range m.in(lifecycle.Idle) {
		if !i.kept && m.policy.Pause && m.now-i.since >= m.policy.PauseAfter {
			m.pause(i)
		}
	}
	for _, r := range slices.Clone(m.requests) {
		if r.started == nil && m.policy.QueueTimeout > 0 && m.now-r.since >= m.policy.QueueTimeout {
			m.forget(r)
			m.throttle(r.name, lifecycle.QueueTimeout)
		}
	}
	if every := m.policy.Ping.Every; every > 0 && m.now > 0 && m.now%every == 0 && !m.retired {
		for range m.policy.Ping.Count {
			m.counts.Pings++
			m.act(lifecycle.Action{Kind: lifecycle.Ping})
		}
	}
	m.hush()
	m.warm()
	if n, ok := m.scheduled(); ok {
		m.setLevel(n)
	}
	m.providing()
}

func (m *model) refillTokens() {
	if m.tokens < m.policy.StartBurst && m.now == m.refill {
		m.tokens++
		m.refill += m.policy.StartEvery
	}
}

// hush notes that no request is there any more, and what that means.
func (m *model) hush() {
	serving := m.population().Serving
	if m.policy.Hybrid == nil || m.quiet || m.counts.Arrived == 0 || len(m.requests) > 0 || serving > 0 || m.retired {
		return
	}
	m.quiet, m.quieted = true, m.now
	if ahead, _ := hybridWindows(*m.policy.Hybrid, m.habit); ahead > 0 {
		m.prewarm = m.now + ahead
		for _, i := range slices.Concat(m.in(lifecycle.Paused), m.in(lifecycle.Idle)) {
			if !i.kept {
				m.reap(i, lifecycle.KeepAliveOver)
			}
		}
	}
}

// warm starts an instance ahead of the next request.
func (m *model) warm() {
	if m.now != m.prewarm {
		return
	}
	m.prewarm = -1
	if len(m.in(lifecycle.Idle))+len(m.in(lifecycle.Paused))+len(m.starting()) > 0 {
		return
	}
	if allowed, _ := m.startAllowed(); allowed {
		i := m.startOne()
		i.ahead = true
		m.act(lifecycle.Action{Kind: lifecycle.Start, Ahead: true, Instance: i.name})
	}
}

// hybridWindows is the hybrid policy's decision after idle times, made anew each time.
func hybridWindows(h lifecycle.Hybrid, idle []time.Duration) (ahead, keep time.Duration) {
	bins := make([]float64, h.Range/h.Bin)
	var within []time.Duration
	for _, t := range idle {
		if t/h.Bin < time.Duration(len(bins)) {
			bins[t/h.Bin]++
			within = append(within, t)
		}
	}
	if len(idle) == 0 {
		return 0, h.Standard
	}
	window := func(from, to time.Duration, margin float64) (time.Duration, time.Duration) {
		from, to = time.Duration(float64(from)*(1-margin)), time.Duration(float64(to)*(1+margin))
		return from, max(1, to-from)
	}
	if float64(len(idle)-len(within)) >= h.MaxOut*float64(len(idle)) {
		recent, sum := idle[max(0, len(idle)-h.Recent):], time.Duration(0)
		for _, t := range recent {
			sum += t
		}
		mean := time.Duration(float64(sum) / float64(len(recent)))
		return window(mean, mean, h.Slack)
	}
	n, sum := float64(len(bins)), float64(len(within))
	deviations := 0. // of n times the counts from n times their mean, squared
	for _, count := range bins {
		deviations += (n*count - sum) * (n*count - sum)
	}
	if deviations < n*h.MinCV*h.MinCV*sum*sum {
		return 0, h.Standard
	}
	slices.Sort(within)
	rank := func(q float64) time.Duration { return within[max(0, int(math.Ceil(q*float64(len(within))))-1)] / h.Bin }
	return window(rank(h.Head)*h.Bin, (rank(h.Tail)+1)*h.Bin, h.Margin)
}

// scheduled gives the level that begins at this instant, if one does.
func (m *model) scheduled() (n int, ok bool) {
	t := m.now
	if m.policy.Period > 0 {
		t %= m.policy.Period
	}
	for _, level := range m.policy.Provisioned {
		if level.From == t {
			return level.Count, true
		}
	}
	return 0, false
}

// setLevel reaps those that are too many: starting ones, the last started
// first, then idle ones, the one used longest ago first.
func (m *model) setLevel(n int) {
	if m.retired {
		n = 0
	}
	m.level = n
	young := m.starting()
	slices.SortFunc(young, func(a, b *modelInstance) int { return int(b.name) - int(a.name) })
	for _, i := range slices.Concat(young, m.in(lifecycle.Idle)) {
		late := i.state <= lifecycle.Initialising && m.policy.LateBinding && m.starters() >= len(m.starting())
		if i.kept && m.kept() > m.level && !late {
			m.reap(i, lifecycle.Shrunk)
		}
	}
}

// providing gives those who wait what they may have, and then keeps ready what
// is to be kept ready.
func (m *model) providing() {
	for m.lend() || m.join() || m.start() || m.replenish() {
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
		return m.cancel(ev.Request)
	case lifecycle.Retire:
		m.retired, m.level, m.asked, m.prewarm = true, 0, nil, -1
		m.evict()
		return true
	case lifecycle.Evict:
		m.evict()
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
			m.ready(i)
		}
		return starting
	case lifecycle.Finish:
		return m.finish(i, ev.Request)
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
		m.counts.Lost += uint64(len(i.serves))
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

func (m *model) cancel(name lifecycle.Request) bool {
	r := m.request(name)
	if r == nil {
		return false
	}
	i := r.started
	if i != nil && len(m.bound(i)) == m.slots() {
		m.stamp++
		i.slotted = m.stamp
	}
	m.forget(r)
	m.counts.Dropped++
	m.act(lifecycle.Action{Kind: lifecycle.Drop, Request: r.name})
	if i != nil && !m.policy.LateBinding && i.leaves != 0 && len(m.bound(i)) == 0 {
		m.reap(i, i.leaves)
	}
	return true
}

func (m *model) evict() {
	for _, i := range m.instances {
		if i.state != lifecycle.Reaping {
			i.leaves, i.kept = lifecycle.WasEvicted, false
		}
	}
	for _, i := range slices.Concat(m.in(lifecycle.Idle), m.in(lifecycle.Paused)) {
		m.reap(i, lifecycle.WasEvicted)
	}
	for _, i := range m.starting() {
		if m.policy.LateBinding && m.starters() == 0 || !m.policy.LateBinding && len(m.bound(i)) == 0 {
			m.reap(i, lifecycle.WasEvicted)
		}
	}
}

func (m *model) arrive(name lifecycle.Request) bool {
	if name == 0 || m.request(name) != nil {
		return false
	}
	m.counts.Arrived++
	if m.quiet {
		m.quiet, m.prewarm = false, -1
		m.habit = append(m.habit, m.now-m.quieted)
	}
	if i := m.pick(); i != nil {
		m.serve(i, name, lifecycle.ByReuse)
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
	case m.joinable() != nil: // join says so
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

func (m *model) slots() int { return max(1, m.policy.Slots) }

// onDemand is how many instances serve or start that are not provisioned.
func (m *model) onDemand() (n int) {
	for _, i := range m.instances {
		if !i.kept && (i.state == lifecycle.Busy || i.state <= lifecycle.Initialising) {
			n++
		}
	}
	return n
}

func (m *model) kept() (n int) {
	for _, i := range m.instances {
		if i.kept {
			n++
		}
	}
	return n
}

// held is how much of the limit is taken.
func (m *model) held() int { return m.onDemand() + max(m.level, m.kept()) }

// used is how many serve or start for a request.
func (m *model) used() int {
	n := m.onDemand()
	for _, i := range m.in(lifecycle.Busy) {
		if i.kept {
			n++
		}
	}
	return n
}

// pick chooses among the instances that are ready: provisioned before others,
// busy ones with a slot left before idle ones, used last before used earlier.
func (m *model) pick() *modelInstance {
	for _, kept := range []bool{true, false} {
		held := m.held()
		if kept {
			held = m.used()
		}
		var open, rests []*modelInstance
		for _, i := range m.in(lifecycle.Busy) {
			if i.kept == kept && len(i.serves) < m.slots() && i.leaves == 0 {
				open = append(open, i)
			}
		}
		for _, i := range slices.Concat(m.in(lifecycle.Paused), m.in(lifecycle.Idle)) {
			if i.kept == kept {
				rests = append(rests, i)
			}
		}
		switch {
		case len(open) > 0:
			if held <= m.limit {
				return open[len(open)-1]
			}
		case len(rests) > 0 && held < m.limit:
			if !kept && len(rests) > 1 && m.policy.Noise > 0 && m.random.Float64() < m.policy.Noise {
				return m.crowd[m.random.IntN(len(m.crowd))]
			}
			return rests[len(rests)-1]
		}
	}
	return nil
}

// waiter is whose turn it is; nil if nobody waits.
func (m *model) waiter() *modelRequest {
	for _, r := range m.requests {
		if r.started == nil || m.policy.LateBinding {
			return r
		}
	}
	return nil
}

// lend has an instance that is ready serve the oldest request that waits, if it may.
func (m *model) lend() bool {
	r := m.waiter()
	if r == nil {
		return false
	}
	i := m.pick()
	if i == nil {
		return false
	}
	how := lifecycle.ByQueue
	if r.started == i {
		how = lifecycle.ByStart
	}
	m.forget(r)
	m.serve(i, r.name, how)
	return true
}

// joinable is the starting instance that has had a slot left for longest.
func (m *model) joinable() (found *modelInstance) {
	if m.slots() == 1 || m.held() > m.limit {
		return nil
	}
	for _, i := range m.starting() {
		if !i.kept && i.leaves == 0 && len(m.bound(i)) < m.slots() && (found == nil || i.slotted < found.slotted) {
			found = i
		}
	}
	return found
}

// join binds the oldest request that waits to an instance that starts, if it may.
func (m *model) join() bool {
	i := m.joinable()
	for _, r := range m.requests {
		if r.started == nil && i != nil {
			r.started = i
			m.act(lifecycle.Action{Kind: lifecycle.Enqueue, Instance: i.name, Request: r.name})
			return true
		}
	}
	return false
}

// bound are the requests bound to a starting instance.
func (m *model) bound(i *modelInstance) (bound []*modelRequest) {
	for _, r := range m.requests {
		if r.started == i && !m.policy.LateBinding {
			bound = append(bound, r)
		}
	}
	return bound
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
		r.started = m.startOne()
		r.started.starter = r.name
		action := lifecycle.Action{Kind: lifecycle.Start, Instance: r.started.name, Request: r.name}
		if m.policy.LateBinding {
			action.Request = 0
		}
		m.act(action)
		return true
	}
	return false
}

// startOne takes a token and starts.
func (m *model) startOne() *modelInstance {
	if m.policy.StartBurst > 0 {
		if m.tokens == m.policy.StartBurst {
			m.refill = m.now + m.policy.StartEvery
		}
		m.tokens--
	}
	m.counts.Started++
	m.stamp++
	i := &modelInstance{name: lifecycle.Instance(m.counts.Started), slotted: m.stamp}
	if m.retired {
		i.leaves = lifecycle.WasEvicted
	}
	m.instances = append(m.instances, i)
	return i
}

// replenish starts an instance that is to be kept ready, if one is missing.
func (m *model) replenish() bool {
	token := m.policy.StartBurst == 0 || m.tokens > 0
	if m.kept() >= m.level || m.onDemand()+m.kept() >= m.limit || !token || m.now < m.retry {
		return false
	}
	i := m.startOne()
	i.kept, i.ahead = true, true
	m.act(lifecycle.Action{Kind: lifecycle.Start, Ahead: true, Kept: true, Instance: i.name})
	return true
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

// leaving is why an instance is to go when it has nothing to do.
func (m *model) leaving(i *modelInstance) lifecycle.Why {
	if i.kept && m.kept() > m.level {
		return lifecycle.Shrunk
	}
	return i.leaves
}

func (m *model) ready(i *modelInstance) {
	needed := m.policy.LateBinding && m.starters() > 0 && m.starters() >= len(m.starting())
	if bound := m.bound(i); len(bound) > 0 {
		for _, r := range bound {
			how := lifecycle.ByQueue
			if r.name == i.starter {
				how = lifecycle.ByStart
			}
			m.forget(r)
			i.ahead = false
			m.serve(i, r.name, how)
		}
	} else if why := m.leaving(i); why != 0 && !needed {
		m.reap(i, why)
		return
	}
	m.free(i)
}

func (m *model) finish(i *modelInstance, r lifecycle.Request) bool {
	at := slices.Index(i.serves, r)
	if i.state != lifecycle.Busy || at < 0 {
		return false
	}
	m.counts.Finished++
	i.serves = slices.Delete(i.serves, at, at+1)
	m.become(i, lifecycle.Busy)
	switch why := m.leaving(i); {
	case why == 0:
		m.free(i)
	case len(i.serves) == 0:
		m.reap(i, why)
	default:
		i.leaves, i.kept = why, false
	}
	return true
}

// free finds work for an instance that is ready or has answered.
func (m *model) free(i *modelInstance) {
	for len(i.serves) < m.slots() && (i.leaves == 0 || len(i.serves) == 0) {
		r := m.waiter()
		if r == nil || !m.mayGoOn(i) {
			break
		}
		how := lifecycle.ByQueue
		if r.started == i && i.state != lifecycle.Busy {
			how = lifecycle.ByStart
		}
		m.forget(r)
		m.serve(i, r.name, how)
	}
	switch {
	case len(i.serves) > 0:
	case i.leaves != 0:
		m.reap(i, i.leaves)
	case i.kept:
		m.become(i, lifecycle.Idle)
	default:
		if i.keep = m.keep(i); i.keep == 0 {
			m.reap(i, lifecycle.KeepAliveOver)
			return
		}
		m.become(i, lifecycle.Idle)
		i.since = m.now
		m.crowd = append(m.crowd, i)
		if m.policy.Pause && m.policy.PauseAfter == 0 {
			m.pause(i)
		}
	}
}

// keep draws how long an instance may rest.
func (m *model) keep(i *modelInstance) time.Duration {
	if m.policy.Hybrid != nil {
		ahead, keep := hybridWindows(*m.policy.Hybrid, m.habit)
		if i.ahead {
			return keep
		}
		if m.quiet && ahead > 0 {
			return 0
		}
		return ahead + keep
	}
	if len(m.policy.Survival) == 0 {
		return m.policy.KeepAlive
	}
	u := m.random.Float64()
	left, a := time.Duration(0), 1.
	for _, s := range m.policy.Survival {
		if u >= s.Alive {
			return left + time.Duration((a-u)/(a-s.Alive)*float64(s.Idle-left))
		}
		left, a = s.Idle, s.Alive
	}
	panic("the curve does not end at 0")
}

func (m *model) mayGoOn(i *modelInstance) bool {
	starting := i.state <= lifecycle.Initialising
	switch {
	case starting && m.policy.LateBinding && m.starters() > 0 && m.starters() >= len(m.starting()):
		return true
	case i.kept && starting:
		return m.used() < m.limit
	case i.kept:
		return m.used() <= m.limit
	}
	return m.held() <= m.limit
}

// failStart fails the requests that are left without a start if i does not become ready.
func (m *model) failStart(i *modelInstance) {
	if i.kept && i.ahead {
		m.retry = m.now + m.policy.AheadRetry
	}
	if i.state > lifecycle.Initialising {
		return
	}
	fail := m.bound(i)
	if m.policy.LateBinding && m.starters() > 0 && m.starters() >= len(m.starting()) {
		fail = m.requests[:1]
	}
	for _, r := range slices.Clone(fail) {
		m.forget(r)
		m.counts.Failed++
		m.act(lifecycle.Action{Kind: lifecycle.Fail, Instance: i.name, Request: r.name})
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
	i.state = state
	if at := slices.Index(m.crowd, i); at >= 0 && !rests(state) {
		last := len(m.crowd) - 1
		m.crowd[at] = m.crowd[last]
		m.crowd = m.crowd[:last]
	}
	m.instances = slices.DeleteFunc(m.instances, func(x *modelInstance) bool { return x == i })
	m.instances = append(m.instances, i)
}

func (m *model) pause(i *modelInstance) {
	m.become(i, lifecycle.Paused)
	m.act(lifecycle.Action{Kind: lifecycle.Pause, Instance: i.name})
}

func (m *model) serve(i *modelInstance, r lifecycle.Request, how lifecycle.How) {
	switch {
	case i.state == lifecycle.Paused:
		how = lifecycle.ByResume
	case i.kept, i.ahead && how == lifecycle.ByReuse:
		how = lifecycle.ByProvision
	}
	i.ahead = false
	m.become(i, lifecycle.Busy)
	i.serves = append(i.serves, r)
	m.counts.Served++
	m.act(lifecycle.Action{Kind: lifecycle.Serve, How: how, Instance: i.name, Request: r})
}

func (m *model) reap(i *modelInstance, why lifecycle.Why) {
	m.become(i, lifecycle.Reaping)
	i.kept, i.serves = false, nil
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
	c.Idle, c.Paused = len(m.in(lifecycle.Idle)), len(m.in(lifecycle.Paused))
	c.Busy, c.Reaping = len(m.in(lifecycle.Busy)), len(m.in(lifecycle.Reaping))
	c.Held = m.held()
	for _, i := range m.instances {
		c.Serving += len(i.serves)
	}
	if m.policy.LateBinding {
		c.Waiting = len(m.requests)
	} else {
		c.Bound = m.starters()
		c.Waiting = len(m.requests) - c.Bound
	}
	return c
}
