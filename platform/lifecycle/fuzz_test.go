package lifecycle_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	gocmp "github.com/google/go-cmp/cmp"
)

// FuzzPool reads a policy and a history of events from bytes and holds the pool
//   - to the model, action for action and count for count;
//   - to the laws of [ledger], which know nothing of how decisions are taken;
//   - to a pool that is given the same events and, between them, a Tick at every
//     deadline (and one just before it, which must do nothing).
func FuzzPool(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(randomBytes(seed, 400))
	}
	f.Fuzz(checkPool)
}

// TestPoolAgainstModel is what FuzzPool does, on more histories than a seed
// corpus should hold.
func TestPoolAgainstModel(t *testing.T) {
	for seed := range uint64(2000) {
		checkPool(t, randomBytes(seed, 300))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func randomBytes(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func checkPool(t *testing.T, data []byte) {
	bytes := reader(data[:min(len(data), 2000)]) // the model takes time quadratic in the history
	policy := bytes.policy()
	pool, lazy, oracle := lifecycle.New(policy), lifecycle.New(policy), newModel(policy)
	book := newLedger(t, policy)
	var now time.Duration
	var ticked, unticked []lifecycle.Action
	for step := 0; len(bytes) > 0; step++ {
		now = max(0, now+bytes.elapsed())
		ev := bytes.event(book)

		var got []lifecycle.Action
		if set, exact := bytes.setting(); set != nil {
			// Without Ticks up to now: the first would be the Step from which the setting holds.
			set(pool)
			set(lazy)
			set(oracle)
			set(book)
			tick := max(now, book.now)
			at, ok := pool.NextDeadline()
			got = pool.Step(tick, lifecycle.Event{}, nil)
			due := ok && at <= tick
			if exact && due != (len(got) > 0) || !due && len(got) > 0 {
				t.Fatalf("step %d: after a setting the deadline is %v, %v, and a Tick at %v gave %v", step, at, ok, tick, got)
			}
			book.take(tick, lifecycle.Event{}, got, pool)
		}
		for {
			at, ok := pool.NextDeadline()
			if !ok || at > now {
				break
			}
			if at > 0 {
				if early := pool.Step(at-1, lifecycle.Event{}, nil); len(early) > 0 {
					t.Fatalf("step %d: Tick at %v, before the deadline, gave %v", step, at-1, early)
				}
			}
			due := pool.Step(at, lifecycle.Event{}, nil)
			if len(due) == 0 && len(policy.Provisioned) == 0 && policy.Hybrid == nil {
				t.Fatalf("step %d: Tick at the deadline %v did nothing", step, at)
			}
			book.take(at, lifecycle.Event{}, due, pool)
			got = append(got, due...)
		}
		if ev.Kind == lifecycle.Arrive && book.serving[ev.Request] { // the pool cannot notice that
			ev.Request = 0
		}
		done := pool.Step(now, ev, nil)
		book.take(now, ev, done, pool)
		got = append(got, done...)

		numbered := ev
		numbered.Instance = book.number[ev.Instance]
		want, acts := oracle.step(now, numbered), book.numbered(got)
		if ev.Kind == lifecycle.Evict || ev.Kind == lifecycle.Retire { // those that are starting go in no particular order
			byInstance := func(a, b lifecycle.Action) int {
				return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Request, b.Request))
			}
			slices.SortFunc(want, byInstance)
			slices.SortFunc(acts, byInstance)
		}
		if !slices.Equal(want, acts) {
			t.Fatalf("policy %+v\nstep %d at %v: %v i%d r%d (-model +pool):\n%s",
				policy, step, now, ev.Kind, numbered.Instance, ev.Request, gocmp.Diff(want, acts))
		}
		if want, got := oracle.population(), pool.Counts(); want != got {
			t.Fatalf("policy %+v\nstep %d: counts (-model +pool):\n%s", policy, step, gocmp.Diff(want, got))
		}
		for _, i := range oracle.instances {
			if got := pool.State(book.names[i.name-1]); got != i.state {
				t.Fatalf("step %d: state of i%d is %v, want %v", step, i.name, got, i.state)
			}
		}
		ticked = append(ticked, got...)
		unticked = lazy.Step(now, ev, unticked)
	}
	if !slices.Equal(ticked, unticked) {
		t.Fatalf("policy %+v: with a Tick at every deadline and without (-with +without):\n%s", policy, gocmp.Diff(ticked, unticked))
	}
}

// reader turns bytes into a policy and events; when it runs out it gives zeros.
type reader []byte

func (r *reader) next() int {
	if len(*r) == 0 {
		return 0
	}
	b := (*r)[0]
	*r = (*r)[1:]
	return int(b)
}

// policy keeps every setting small, so that limits are met and instants coincide.
func (r *reader) policy() lifecycle.Policy {
	p := lifecycle.Policy{
		KeepAlive:    time.Duration(r.next()%12) - 1,
		Concurrency:  r.next() % 5,
		StartBurst:   r.next() % 4,
		QueueLimit:   r.next() % 5,
		QueueTimeout: time.Duration(r.next() % 8),
		LateBinding:  r.next()%2 == 1,
	}
	if p.StartBurst > 0 {
		p.StartEvery = time.Duration(r.next()%7) + 1
	}
	r.resting(&p)
	r.slots(&p)
	r.ahead(&p)
	if r.next()%4 == 0 && p.Hybrid == nil {
		p.Ping = lifecycle.Pings{Every: time.Duration(r.next()%20) + 1, Count: r.next()%3 + 1}
	}
	return p
}

func (r *reader) resting(p *lifecycle.Policy) {
	longest := p.KeepAlive
	if r.next()%4 == 0 {
		p.KeepAlive, longest = 0, -1
		p.Hybrid = r.hybrid()
	} else if r.next()%3 == 0 {
		p.KeepAlive, longest = 0, time.Duration(r.next()%4)
		for alive := 1.; alive > 0; longest += time.Duration(r.next()%5) + 1 {
			if alive -= min(alive, float64(r.next()%5)/4); len(*r) == 0 {
				alive = 0
			}
			p.Survival = append(p.Survival, lifecycle.Survivor{Idle: longest, Alive: alive})
		}
		longest = p.Survival[len(p.Survival)-1].Idle
	}
	if r.next()%3 == 0 {
		p.Noise = float64(r.next()%5) / 4
	}
	p.Seed = uint64(r.next())
	if r.next()%3 == 0 && longest != 0 {
		p.Pause = true
		p.PauseAfter = time.Duration(r.next() % 4)
		if longest > 0 {
			p.PauseAfter %= longest
		}
	}
}

func (r *reader) hybrid() *lifecycle.Hybrid {
	h := &lifecycle.Hybrid{
		Bin: time.Duration(r.next()%3) + 1, Head: float64(r.next()%4+1) / 8, Tail: float64(r.next()%4+5) / 8,
		Margin: float64(r.next()%3+1) / 8, MinCV: float64(r.next()%4+1) / 2, MaxOut: float64(r.next()%4+1) / 4,
		Standard: time.Duration(r.next()%8) + 1, Recent: r.next()%4 + 1, Slack: float64(r.next()%3+1) / 8,
	}
	h.Range = h.Bin * time.Duration(r.next()%12+1)
	return h
}

func (r *reader) slots(p *lifecycle.Policy) {
	if r.next()%3 == 0 && !p.LateBinding {
		p.Slots = r.next() % 5
	}
}

func (r *reader) ahead(p *lifecycle.Policy) {
	p.AheadRetry = time.Duration(r.next()%4) + 1
	if r.next()%3 > 0 {
		return
	}
	var from time.Duration
	for range r.next()%4 + 1 {
		p.Provisioned = append(p.Provisioned, lifecycle.Level{From: from, Count: r.next() % 4})
		from += time.Duration(r.next()%8) + 1
	}
	if r.next()%2 == 0 {
		p.Period = from
	}
}

// elapsed is mostly 0 or little, seldom much, and seldom negative.
func (r *reader) elapsed() time.Duration {
	switch b := r.next(); {
	case b < 100:
		return 0
	case b < 240:
		return time.Duration(b % 4)
	case b < 250:
		return time.Duration(b % 32)
	default:
		return -time.Duration(b % 4)
	}
}

// settable is what can be set from outside between steps.
type settable interface {
	Limit(int)
	Provision(int)
}

// setting seldom gives one, and says whether a Tick after it then does
// something if and only if the deadline says so.
func (r *reader) setting() (set func(settable), exact bool) {
	switch b := r.next(); {
	case b < 35:
		return func(s settable) { s.Limit(b % 5) }, false
	case b < 45:
		return func(s settable) { s.Limit(math.MaxInt) }, false
	case b < 60:
		return func(s settable) { s.Provision(b % 4) }, false
	}
	return nil, false
}

// event mostly gives one that fits the instance that it chooses, and sometimes
// any. It never uses the name of a request that is being served again.
func (r *reader) event(book *ledger) lifecycle.Event {
	kind, which := r.next(), r.next()
	if kind < 90 {
		return lifecycle.Event{Kind: lifecycle.Arrive, Request: book.newRequest()}
	}
	if kind < 100 {
		return lifecycle.Event{Kind: lifecycle.Cancel, Request: book.anyRequest(which)}
	}
	if kind < 105 {
		return lifecycle.Event{Kind: lifecycle.Evict}
	}
	if kind < 125 { // nonsense, and a second arrival under one name
		ev := lifecycle.Event{
			Kind:     lifecycle.EventKind(which % 14),
			Instance: book.anyInstance(r.next()),
			Request:  book.anyRequest(r.next()),
		}
		return ev
	}
	i := book.presentInstance(which)
	ev := lifecycle.Event{Instance: i}
	switch book.state[i] {
	case lifecycle.Busy:
		ev.Kind, ev.Request = lifecycle.Finish, book.serves[i][kind%len(book.serves[i])]
	case lifecycle.Idle, lifecycle.Paused:
		ev.Kind = lifecycle.Lost
	case lifecycle.Reaping:
		ev.Kind = lifecycle.Cleared
	default:
		ev.Kind = lifecycle.Ready
	}
	if kind >= 235 && book.state[i] <= lifecycle.Initialising {
		ev.Kind = []lifecycle.EventKind{lifecycle.Failed, lifecycle.Provisioned, lifecycle.Booted}[kind%3]
	}
	if kind >= 250 {
		ev.Kind = lifecycle.Lost
	}
	return ev
}
