package lifecycle_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// ledger follows events and actions as the owner of the instances sees them,
// and checks what must hold whatever the pool decides.
type ledger struct {
	t      *testing.T
	policy lifecycle.Policy
	now    time.Duration // the latest seen
	limit  int           // of concurrency, now
	most   int           // the highest limit so far

	names   []lifecycle.Instance // in the order of their starts
	number  map[lifecycle.Instance]lifecycle.Instance
	state   map[lifecycle.Instance]lifecycle.State
	serves  map[lifecycle.Instance][]lifecycle.Request
	idle    map[lifecycle.Instance]time.Duration // idle or paused, since when
	ahead   map[lifecycle.Instance]bool          // started ahead
	present []lifecycle.Instance                 // neither gone nor never started

	requests []lifecycle.Request // every one that ever arrived
	open     map[lifecycle.Request]bool
	waiting  map[lifecycle.Request]bool // enqueued, and nothing has come of it yet
	bound    map[lifecycle.Request]lifecycle.Instance
	serving  map[lifecycle.Request]bool
}

func newLedger(t *testing.T, policy lifecycle.Policy) *ledger {
	b := &ledger{
		t: t, policy: policy,
		number:  map[lifecycle.Instance]lifecycle.Instance{},
		state:   map[lifecycle.Instance]lifecycle.State{},
		serves:  map[lifecycle.Instance][]lifecycle.Request{},
		idle:    map[lifecycle.Instance]time.Duration{},
		ahead:   map[lifecycle.Instance]bool{},
		open:    map[lifecycle.Request]bool{},
		waiting: map[lifecycle.Request]bool{},
		bound:   map[lifecycle.Request]lifecycle.Instance{},
		serving: map[lifecycle.Request]bool{},
	}
	b.Limit(policy.Concurrency)
	if policy.Concurrency == 0 {
		b.Limit(math.MaxInt)
	}
	return b
}

func (b *ledger) Limit(n int) { b.limit, b.most = n, max(b.most, n) }

func (b *ledger) Provision(int) {}

// take enters what happened at now and what the pool made of it.
func (b *ledger) take(now time.Duration, ev lifecycle.Event, actions []lifecycle.Action, pool *lifecycle.Pool) {
	b.t.Helper()
	b.now = max(b.now, now)
	b.happened(ev)
	for _, a := range actions {
		b.acted(a)
	}
	b.settled(pool)
	b.limited(actions, pool)
	b.look(pool)
}

func (b *ledger) happened(ev lifecycle.Event) {
	switch ev.Kind {
	case lifecycle.Arrive:
		if ev.Request != 0 && !b.open[ev.Request] {
			b.open[ev.Request] = true
		}
	case lifecycle.Finish:
		if at := slices.Index(b.serves[ev.Instance], ev.Request); at >= 0 {
			b.over(ev.Request)
			b.serves[ev.Instance] = slices.Delete(b.serves[ev.Instance], at, at+1)
		}
	case lifecycle.Lost:
		for _, r := range b.serves[ev.Instance] {
			b.over(r)
		}
		delete(b.serves, ev.Instance)
	}
}

func (b *ledger) acted(a lifecycle.Action) {
	b.t.Helper()
	if a.Request != 0 && !b.open[a.Request] {
		b.t.Fatalf("at %v: %v for r%d, which has had its outcome or never came", b.now, a.Kind, a.Request)
	}
	if a.Instance != 0 && a.Kind != lifecycle.Start && b.number[a.Instance] == 0 {
		b.t.Fatalf("at %v: %v of instance %d, which was never started", b.now, a.Kind, a.Instance)
	}
	switch a.Kind {
	case lifecycle.Start:
		if b.number[a.Instance] != 0 {
			b.t.Fatalf("at %v: instance name %d is used again", b.now, a.Instance)
		}
		b.names = append(b.names, a.Instance)
		b.number[a.Instance] = lifecycle.Instance(len(b.names))
		b.present = append(b.present, a.Instance)
		b.ahead[a.Instance] = a.Ahead
		if a.Ahead && a.Request != 0 {
			b.t.Fatalf("at %v: i%d is started ahead of requests, and for r%d", b.now, b.number[a.Instance], a.Request)
		}
		b.bind(a)
	case lifecycle.Serve:
		if others := b.serves[a.Instance]; len(others) >= max(1, b.policy.Slots) {
			b.t.Fatalf("at %v: i%d is to serve r%d beside %v", b.now, b.number[a.Instance], a.Request, others)
		}
		if paused := b.state[a.Instance] == lifecycle.Paused && len(b.serves[a.Instance]) == 0; paused != (a.How == lifecycle.ByResume) {
			b.t.Fatalf("at %v: i%d is %v and serves r%d %v", b.now, b.number[a.Instance], b.state[a.Instance], a.Request, a.How)
		}
		if i, ok := b.bound[a.Request]; ok && i != a.Instance {
			b.t.Fatalf("at %v: r%d is bound to i%d and served by i%d", b.now, a.Request, b.number[i], b.number[a.Instance])
		}
		b.serves[a.Instance] = append(b.serves[a.Instance], a.Request)
		b.serving[a.Request] = true
		delete(b.waiting, a.Request)
		delete(b.bound, a.Request)
	case lifecycle.Pause:
		b.state[a.Instance] = lifecycle.Paused
	case lifecycle.Enqueue:
		if a.Instance == 0 {
			b.waiting[a.Request] = true
		}
		b.bind(a)
	case lifecycle.Throttle, lifecycle.Fail, lifecycle.Drop:
		if b.serving[a.Request] {
			b.t.Fatalf("at %v: %v of r%d, which is being served", b.now, a.Kind, a.Request)
		}
		b.over(a.Request)
	case lifecycle.Reap:
		if r := b.serves[a.Instance]; len(r) > 0 {
			b.t.Fatalf("at %v: i%d is reaped while it serves %v", b.now, b.number[a.Instance], r)
		}
	}
}

// bind notes the instance that an action binds a request to, if it does.
func (b *ledger) bind(a lifecycle.Action) {
	b.t.Helper()
	if a.Request == 0 || a.Instance == 0 {
		return
	}
	if i, ok := b.bound[a.Request]; ok {
		b.t.Fatalf("at %v: r%d is bound to i%d and to i%d", b.now, a.Request, b.number[i], b.number[a.Instance])
	}
	b.bound[a.Request] = a.Instance
	delete(b.waiting, a.Request)
}

func (b *ledger) over(r lifecycle.Request) {
	delete(b.open, r)
	delete(b.waiting, r)
	delete(b.bound, r)
	delete(b.serving, r)
}

// settled checks what must hold between steps.
func (b *ledger) settled(pool *lifecycle.Pool) {
	b.t.Helper()
	c := pool.Counts()
	for _, law := range []struct {
		name      string
		got, want uint64
	}{
		{"arrived", c.Arrived, c.Served + c.Throttled + c.Failed + c.Dropped + uint64(c.Waiting+c.Bound)},
		{"served", c.Served, c.Finished + c.Lost + uint64(c.Serving)},
		{"started", c.Started, uint64(c.Starting+c.Idle+c.Paused+c.Busy+c.Reaping) + c.Gone},
		{"waiting", uint64(c.Waiting), uint64(len(b.waiting))},
		{"bound", uint64(c.Bound), uint64(len(b.bound))},
		{"requests served", uint64(c.Serving), uint64(len(b.serving))},
		{"open requests", uint64(c.Waiting + c.Bound + c.Serving), uint64(len(b.open))},
	} {
		if law.got != law.want {
			b.t.Fatalf("at %v: %s %d, but its parts make %d: %+v", b.now, law.name, law.got, law.want, c)
		}
	}
	if len(b.ahead) == 0 && c.Starting+c.Idle+c.Paused+c.Busy > b.most {
		b.t.Fatalf("at %v: more instances than any limit allowed, at most %d: %+v", b.now, b.most, c)
	}
	if slots := max(1, b.policy.Slots); c.Bound > slots*c.Starting || c.Serving < c.Busy || c.Serving > slots*c.Busy {
		b.t.Fatalf("at %v: more or fewer requests than the instances' slots are for: %+v", b.now, c)
	}
	if c.Waiting > 0 && c.Idle+c.Paused > 0 && c.Held < b.limit {
		b.t.Fatalf("at %v: a request waits beside an idle instance that the limit %d would let it have: %+v", b.now, b.limit, c)
	}
	if !b.policy.LateBinding && c.Waiting > b.policy.QueueLimit {
		b.t.Fatalf("at %v: %d wait, queue limit %d", b.now, c.Waiting, b.policy.QueueLimit)
	}
	oldest, waits := pool.Oldest()
	if waits != (c.Waiting > 0) || oldest > b.now {
		b.t.Fatalf("at %v: the oldest that waits, if %v, came at %v: %+v", b.now, waits, oldest, c)
	}
	if came, blocked := pool.Blocked(b.now); blocked && (came < oldest || c.Held < b.limit) {
		b.t.Fatalf("at %v: the limit %d alone keeps one that came at %v, the oldest at %v: %+v", b.now, b.limit, came, oldest, c)
	}
	if at, ok := pool.NextDeadline(); ok && at <= b.now {
		b.t.Fatalf("at %v: the deadline %v is still ahead", b.now, at)
	}
}

// limited checks that nothing is admitted beyond the limit: while more are
// there than it allows, only a start of before may end in a Serve.
func (b *ledger) limited(actions []lifecycle.Action, pool *lifecycle.Pool) {
	b.t.Helper()
	c := pool.Counts()
	ahead := 0 // starting now, for nobody
	for _, i := range b.present {
		if b.ahead[i] && pool.State(i) <= lifecycle.Initialising {
			ahead++
		}
	}
	if c.Starting-ahead+c.Busy <= b.limit {
		return
	}
	for _, a := range actions {
		if a.Kind == lifecycle.Start || a.Kind == lifecycle.Serve && b.state[a.Instance] > lifecycle.Initialising {
			b.t.Fatalf("at %v: %v of i%d above the limit %d: %+v", b.now, a.Kind, b.number[a.Instance], b.limit, c)
		}
	}
}

// look reads every present instance's state.
func (b *ledger) look(pool *lifecycle.Pool) {
	b.t.Helper()
	present := b.present[:0]
	for _, i := range b.present {
		was, is := b.state[i], pool.State(i)
		_, rested := b.idle[i]
		b.state[i] = is
		if is < was && !(rests(is) && was == lifecycle.Busy) {
			b.t.Fatalf("at %v: i%d went from %v to %v", b.now, b.number[i], was, is)
		}
		switch {
		case !rests(is):
			delete(b.idle, i)
		case !rested:
			b.idle[i] = b.now
		case b.ahead[i], b.policy.Hybrid != nil:
		case is == lifecycle.Idle && b.policy.Pause && b.now-b.idle[i] >= b.policy.PauseAfter:
			b.t.Fatalf("at %v: i%d is idle since %v, to be paused after %v", b.now, b.number[i], b.idle[i], b.policy.PauseAfter)
		case len(b.policy.Survival) > 0:
			if last := b.policy.Survival[len(b.policy.Survival)-1].Idle; b.now-b.idle[i] >= last {
				b.t.Fatalf("at %v: i%d is idle since %v, and the last survivor for %v", b.now, b.number[i], b.idle[i], last)
			}
		case b.policy.KeepAlive >= 0 && b.now-b.idle[i] >= b.policy.KeepAlive:
			b.t.Fatalf("at %v: i%d is idle since %v, keep-alive %v", b.now, b.number[i], b.idle[i], b.policy.KeepAlive)
		}
		if (is == lifecycle.Busy) != (len(b.serves[i]) > 0) {
			b.t.Fatalf("at %v: i%d is %v and serves %v", b.now, b.number[i], is, b.serves[i])
		}
		if is != lifecycle.Gone {
			present = append(present, i)
		}
	}
	b.present = present
}

func rests(s lifecycle.State) bool { return s == lifecycle.Idle || s == lifecycle.Paused }

// numbered gives the actions with instances by number, as the model names them.
func (b *ledger) numbered(actions []lifecycle.Action) []lifecycle.Action {
	var numbered []lifecycle.Action
	for _, a := range actions {
		a.Instance = b.number[a.Instance]
		numbered = append(numbered, a)
	}
	return numbered
}

func (b *ledger) newRequest() lifecycle.Request {
	r := lifecycle.Request(len(b.requests) + 1)
	b.requests = append(b.requests, r)
	return r
}

func (b *ledger) anyRequest(n int) lifecycle.Request {
	if len(b.requests) == 0 {
		return 0
	}
	return b.requests[max(0, len(b.requests)-1-n%16)]
}

func (b *ledger) anyInstance(n int) lifecycle.Instance {
	if n == 0 || len(b.names) == 0 {
		return 0
	}
	return b.names[n%len(b.names)]
}

func (b *ledger) presentInstance(n int) lifecycle.Instance {
	if len(b.present) == 0 {
		return 0
	}
	return b.present[n%len(b.present)]
}
