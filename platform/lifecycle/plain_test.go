package lifecycle_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// quick steps a pool by [lifecycle.Pool.Reuse] and [lifecycle.Pool.Rest] where
// they will, and says whether they did.
func quick(pool *lifecycle.Pool, now time.Duration, ev lifecycle.Event) (out []lifecycle.Action, did bool) {
	switch ev.Kind {
	case lifecycle.Arrive:
		if i, ok := pool.Reuse(now, ev.Request); ok {
			return []lifecycle.Action{{Kind: lifecycle.Serve, How: lifecycle.ByReuse, Instance: i, Request: ev.Request}}, true
		}
	case lifecycle.Finish:
		if pool.Rest(now, ev.Instance, ev.Request) {
			return nil, true
		}
	}
	return pool.Step(now, ev, nil), false
}

// TestShortWaysDecideTheSame drives twins through the same events, one by Step
// alone, one by the short ways first: what they decide and count is the same,
// whatever the policy, with events that fit nothing, limits that move, and
// times that run backwards.
func TestShortWaysDecideTheSame(t *testing.T) {
	policies := map[string]lifecycle.Policy{
		"keep-alive":   {KeepAlive: time.Second},
		"no keeping":   {},
		"for ever":     {KeepAlive: -1},
		"limits":       {KeepAlive: time.Second, Concurrency: 4, QueueLimit: 3, QueueTimeout: 200 * time.Millisecond},
		"start rate":   {KeepAlive: 300 * time.Millisecond, StartBurst: 2, StartEvery: 100 * time.Millisecond, QueueLimit: 9},
		"late binding": {KeepAlive: time.Second, Concurrency: 4, QueueLimit: 5, LateBinding: true},
		"pings":        {KeepAlive: time.Second, Ping: lifecycle.Pings{Every: 700 * time.Millisecond, Count: 2}},
		"provisioned":  {KeepAlive: time.Second, Provisioned: []lifecycle.Level{{Count: 2}, {From: 3 * time.Second, Count: 0}}, Period: 5 * time.Second},
		"survival":     {Survival: []lifecycle.Survivor{{Idle: time.Second, Alive: .5}, {Idle: 2 * time.Second}}, Seed: 1},
		"hybrid":       {Hybrid: &lifecycle.Hybrid{Bin: 100 * time.Millisecond, Range: 10 * time.Second}},
		"slots":        {KeepAlive: time.Second, Slots: 3},
		"noise":        {KeepAlive: time.Second, Noise: .3, Seed: 1},
		"pause":        {KeepAlive: time.Second, Pause: true, PauseAfter: 200 * time.Millisecond},
	}
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			short := 0
			for seed := range uint64(20) {
				short += twins(t, policy, rand.New(rand.NewPCG(seed, 0)))
			}
			if plain := map[string]bool{"keep-alive": true, "for ever": true, "limits": true, "start rate": true, "late binding": true, "pings": true, "provisioned": true /* of the times with a level of 0 */}; plain[name] != (short > 1000) {
				t.Errorf("%d steps went the short way", short)
			}
		})
	}
}

func twins(t *testing.T, policy lifecycle.Policy, rng *rand.Rand) (short int) {
	long, brief := lifecycle.New(policy), lifecycle.New(policy)
	type served struct {
		instance lifecycle.Instance
		request  lifecycle.Request
	}
	var starting, reaping []lifecycle.Instance
	var serving []served
	var requests lifecycle.Request
	now := time.Duration(0)
	for range 2000 {
		now += time.Duration(rng.ExpFloat64() * float64(20*time.Millisecond))
		at := now
		ev := lifecycle.Event{}
		switch k := rng.IntN(100); {
		case k < 45:
			requests++
			ev = lifecycle.Event{Kind: lifecycle.Arrive, Request: requests}
		case k < 80 && len(serving) > 0:
			j := rng.IntN(len(serving))
			ev = lifecycle.Event{Kind: lifecycle.Finish, Instance: serving[j].instance, Request: serving[j].request}
			serving = append(serving[:j], serving[j+1:]...)
		case k < 90 && len(starting) > 0:
			ev = lifecycle.Event{Kind: lifecycle.Ready, Instance: starting[0]}
			starting = starting[1:]
		case k < 94 && len(reaping) > 0:
			ev = lifecycle.Event{Kind: lifecycle.Cleared, Instance: reaping[0]}
			reaping = reaping[1:]
		case k < 95:
			ev = lifecycle.Event{Kind: lifecycle.Finish, Instance: lifecycle.Instance(rng.IntN(9)), Request: lifecycle.Request(rng.IntN(99))} // of nobody, mostly
		case k < 96:
			at -= time.Duration(rng.IntN(1e9))
			ev = lifecycle.Event{Kind: lifecycle.Arrive, Request: requests} // once more, and in the past
		case k < 97:
			n := rng.IntN(6)
			long.Limit(n)
			brief.Limit(n)
		case k < 98:
			ev = lifecycle.Event{Kind: lifecycle.Evict}
		case k < 99 && requests > 0:
			ev = lifecycle.Event{Kind: lifecycle.Cancel, Request: requests}
		}
		want := long.Step(max(at, 0), ev, nil)
		got, did := quick(brief, max(at, 0), ev)
		if did {
			short++
		}
		if !slices.Equal(want, got) {
			t.Fatalf("at %v, %v: the short way differs:\n%s", now, ev, cmp.Diff(want, got))
		}
		if a, b := long.Counts(), brief.Counts(); a != b {
			t.Fatalf("at %v, %v: the short way counts differently:\n%s", now, ev, cmp.Diff(a, b))
		}
		a, okA := long.NextDeadline()
		b, okB := brief.NextDeadline()
		if a != b || okA != okB {
			t.Fatalf("at %v, %v: next deadline %v %v, by the short way %v %v", now, ev, a, okA, b, okB)
		}
		for _, a := range want {
			switch a.Kind {
			case lifecycle.Start:
				starting = append(starting, a.Instance)
			case lifecycle.Reap:
				reaping = append(reaping, a.Instance)
			case lifecycle.Serve:
				serving = append(serving, served{a.Instance, a.Request})
			}
		}
	}
	return short
}
