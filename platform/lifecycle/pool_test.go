package lifecycle_test

import (
	"math"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// owner carries out a pool's actions at once and counts what it was told.
type owner struct {
	pool    *lifecycle.Pool
	out     []lifecycle.Action
	seen    [lifecycle.Ping + 1]int
	serving []completion
	request lifecycle.Request
}

func (o *owner) step(now time.Duration, ev lifecycle.Event) {
	o.out = o.pool.Step(now, ev, o.out[:0])
	for k := 0; k < len(o.out); k++ {
		a := o.out[k]
		o.seen[a.Kind]++
		switch a.Kind {
		case lifecycle.Start:
			o.out = o.pool.Step(now, lifecycle.Event{Kind: lifecycle.Ready, Instance: a.Instance}, o.out)
		case lifecycle.Reap:
			o.out = o.pool.Step(now, lifecycle.Event{Kind: lifecycle.Cleared, Instance: a.Instance}, o.out)
		case lifecycle.Serve:
			o.serving = append(o.serving, completion{now, a.Instance, a.Request})
		}
	}
}

func (o *owner) arrive(now time.Duration) {
	o.request++
	o.step(now, lifecycle.Event{Kind: lifecycle.Arrive, Request: o.request})
}

func (o *owner) finish(now time.Duration) {
	e := o.serving[len(o.serving)-1]
	o.serving = o.serving[:len(o.serving)-1]
	o.step(now, lifecycle.Event{Kind: lifecycle.Finish, Instance: e.instance, Request: e.request})
}

// TestStepDoesNotAllocate: memory follows the population and not the history,
// whichever way requests take.
func TestStepDoesNotAllocate(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy lifecycle.Policy
		gap    time.Duration // between rounds
		must   []lifecycle.ActionKind
		moving bool // the limit
	}{
		{"warm", lifecycle.Policy{KeepAlive: time.Hour}, time.Second,
			[]lifecycle.ActionKind{lifecycle.Serve}, false},
		{"cold", lifecycle.Policy{KeepAlive: time.Second}, time.Minute,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Serve, lifecycle.Reap}, false},
		{"queue", lifecycle.Policy{KeepAlive: time.Second, Concurrency: 4, QueueLimit: 8, QueueTimeout: time.Millisecond}, time.Minute,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Enqueue, lifecycle.Drop, lifecycle.Throttle, lifecycle.Reap}, false},
		{"start rate", lifecycle.Policy{KeepAlive: time.Second, StartBurst: 3, StartEvery: time.Second, QueueLimit: 8}, time.Minute,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Enqueue, lifecycle.Drop, lifecycle.Throttle, lifecycle.Reap}, false},
		{"late binding", lifecycle.Policy{KeepAlive: time.Second, Concurrency: 4, QueueLimit: 8, LateBinding: true}, time.Minute,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Enqueue, lifecycle.Drop, lifecycle.Throttle, lifecycle.Reap}, false},
		{"moving limit", lifecycle.Policy{KeepAlive: time.Second, Concurrency: 4, QueueLimit: 8}, time.Minute,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Serve, lifecycle.Enqueue, lifecycle.Drop, lifecycle.Throttle, lifecycle.Reap}, true},
		{"pause", lifecycle.Policy{KeepAlive: time.Second, Pause: true}, time.Minute,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Serve, lifecycle.Pause, lifecycle.Reap}, false},
		{"slots", lifecycle.Policy{KeepAlive: time.Second, Slots: 3, Concurrency: 3, QueueLimit: 8}, time.Minute,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Serve, lifecycle.Enqueue, lifecycle.Drop, lifecycle.Reap}, false},
		{"survival and noise", lifecycle.Policy{
			Survival: []lifecycle.Survivor{{Idle: time.Second, Alive: .5}, {Idle: time.Hour}}, Noise: .5,
		}, time.Minute, []lifecycle.ActionKind{lifecycle.Start, lifecycle.Serve, lifecycle.Reap}, false},
		{"hybrid", lifecycle.Policy{Hybrid: &lifecycle.Hybrid{}}, time.Hour,
			[]lifecycle.ActionKind{lifecycle.Start, lifecycle.Serve, lifecycle.Reap}, false},
		{"provisioned and pings", lifecycle.Policy{
			KeepAlive: time.Second, Period: 2 * time.Minute,
			Provisioned: []lifecycle.Level{{Count: 2}, {From: time.Minute, Count: 1}}, Ping: lifecycle.Pings{Every: time.Minute, Count: 2},
		}, time.Minute, []lifecycle.ActionKind{lifecycle.Start, lifecycle.Serve, lifecycle.Ping, lifecycle.Reap}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := owner{pool: lifecycle.New(test.policy)}
			now := time.Duration(0)
			round := func() {
				now += test.gap
				for range 16 {
					o.arrive(now)
				}
				for k := range lifecycle.Request(16) { // those that wait leave, the others are not affected
					if k%2 == 0 {
						o.step(now, lifecycle.Event{Kind: lifecycle.Cancel, Request: o.request - k})
					}
				}
				for now += time.Second; len(o.serving) > 0; {
					if test.moving { // the lower one leaves some idle beside those that wait
						o.pool.Limit(len(o.serving) % 3)
					}
					o.finish(now)
				}
				if test.moving {
					o.pool.Limit(4)
				}
				o.step(now, lifecycle.Event{})
			}
			if got := testing.AllocsPerRun(5000, round); got != 0 {
				t.Errorf("a round allocates %v times, want 0", got)
			}
			for _, kind := range test.must {
				if o.seen[kind] < 5000 {
					t.Errorf("%v happened %d times in 5000 rounds: the test did not reach it", kind, o.seen[kind])
				}
			}
		})
	}
}

// TestStartRateDoesNotDrift: a hundred million odd periods later the tokens
// still come on the nanosecond.
func TestStartRateDoesNotDrift(t *testing.T) {
	const every = 333333333 * time.Nanosecond
	pool := lifecycle.New(lifecycle.Policy{StartBurst: 1, StartEvery: every})
	start := func(at time.Duration, r lifecycle.Request) lifecycle.ActionKind {
		return pool.Step(at, lifecycle.Event{Kind: lifecycle.Arrive, Request: r}, nil)[0].Kind
	}
	for k := range lifecycle.Request(100000) {
		at := time.Duration(k) * every
		if k > 0 && start(at-1, 2*k+1) != lifecycle.Throttle {
			t.Fatalf("start %d: allowed 1ns before its token", k)
		}
		if start(at, 2*k+2) != lifecycle.Start {
			t.Fatalf("start %d: refused when its token is there", k)
		}
	}
}

// TestEndOfTime: settings and instants near the largest duration neither wrap
// around nor become due.
func TestEndOfTime(t *testing.T) {
	pool := lifecycle.New(lifecycle.Policy{
		KeepAlive: math.MaxInt64, Concurrency: 1, StartBurst: 1, StartEvery: math.MaxInt64, QueueLimit: 1, QueueTimeout: math.MaxInt64,
	})
	o := owner{pool: pool}
	o.arrive(1)
	o.arrive(2)
	if at, ok := pool.NextDeadline(); ok {
		t.Errorf("a request that may wait until after the end of time has a deadline at %v", at)
	}
	o.finish(3)
	o.finish(4)
	if at, ok := pool.NextDeadline(); ok {
		t.Errorf("an instance that is kept until after the end of time has a deadline at %v", at)
	}
	o.arrive(math.MaxInt64)
	o.finish(math.MaxInt64)
	want := lifecycle.Counts{Idle: 1, Arrived: 3, Served: 3, Finished: 3, Started: 1}
	if got := pool.Counts(); got != want {
		t.Errorf("counts: got %+v, want %+v", got, want)
	}
}

// TestNamesAreNotUsedAgain, though there is never more than one instance.
func TestNamesAreNotUsedAgain(t *testing.T) {
	pool := lifecycle.New(lifecycle.Policy{})
	seen := map[lifecycle.Instance]bool{}
	for r := range lifecycle.Request(10000) {
		start := pool.Step(0, lifecycle.Event{Kind: lifecycle.Arrive, Request: r + 1}, nil)[0]
		if start.Kind != lifecycle.Start || seen[start.Instance] {
			t.Fatalf("arrival %d: %v of instance %d, started before: %v", r, start.Kind, start.Instance, seen[start.Instance])
		}
		seen[start.Instance] = true
		pool.Step(0, lifecycle.Event{Kind: lifecycle.Failed, Instance: start.Instance}, nil)
		if got := pool.State(start.Instance); got != lifecycle.Gone {
			t.Fatalf("state after Failed: %v", got)
		}
	}
}

// TestWhoWaits tells who is next, and whether it is the limit that keeps it.
func TestWhoWaits(t *testing.T) {
	type who struct {
		came time.Duration
		ok   bool
	}
	o := owner{pool: lifecycle.New(lifecycle.Policy{
		KeepAlive: time.Hour, Concurrency: 1, QueueLimit: 2, StartBurst: 1, StartEvery: 10,
	})}
	check := func(what string, now time.Duration, oldest, blocked who) {
		t.Helper()
		var got [2]who
		got[0].came, got[0].ok = o.pool.Oldest()
		got[1].came, got[1].ok = o.pool.Blocked(now)
		if want := [2]who{oldest, blocked}; got != want {
			t.Errorf("%s: the oldest and the blocked are %v, want %v", what, got, want)
		}
	}
	check("nobody", 1, who{}, who{})
	o.arrive(1)
	check("served at once", 1, who{}, who{})
	o.arrive(3)
	o.arrive(4)
	check("before the token", 10, who{3, true}, who{})
	check("after the token", 11, who{3, true}, who{3, true})
	o.pool.Limit(0)
	o.finish(5)
	check("before the token, beside an idle instance", 5, who{3, true}, who{3, true})
	o.pool.Limit(1)
	o.step(6, lifecycle.Event{})
	check("the next", 6, who{4, true}, who{})
}
