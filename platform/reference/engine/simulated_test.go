package engine_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// visit is a request as it is sent: when it comes, and how long its handler takes.
type visit struct{ at, takes time.Duration }

// fate is what became of it. Instances are numbered in the order of their starts.
type fate struct {
	Start    string // the start's kind, or why it was refused
	Instance int
	Begun    time.Duration // its handler, since the first moment
}

// span is an instance's life.
type span struct{ Started, Gone time.Duration }

// visits are crowds and silences, of services short and long against the start
// and the keep-alive. No two things happen at one instant.
func visits(seed uint64, n int) (all []visit) {
	rng := rand.New(rand.NewPCG(seed, 0))
	at := time.Second
	for range n {
		gap := 3e6
		if rng.IntN(12) == 0 {
			gap = 1.5e9
		}
		at += 1 + time.Duration(rng.ExpFloat64()*gap)
		all = append(all, visit{at, 1 + time.Duration(rng.ExpFloat64()*12e6)})
	}
	return all
}

// script is the visits' service times, one after the other.
type script struct {
	dist.Constant
	visits []visit
	next   *int
}

func (s script) Sample(*rand.Rand) time.Duration {
	*s.next++
	return s.visits[*s.next-1].takes
}

// simulated is what the simulator says.
func simulated(t *testing.T, policy lifecycle.Policy, all []visit) ([]fate, []span) {
	t.Helper()
	fates := make([]fate, len(all))
	var lives []span
	number := map[lifecycle.Instance]int{}
	kinds := map[lifecycle.How]sample.Start{
		lifecycle.ByReuse: sample.Warm, lifecycle.ByStart: sample.Cold, lifecycle.ByQueue: sample.Queued, lifecycle.ByResume: sample.Restored, lifecycle.ByProvision: sample.Provisioned,
	}
	_, err := sim.Events(context.Background(), sim.Load{
		Span: all[len(all)-1].at + time.Hour,
		Arrivals: func(*rand.Rand) iter.Seq[time.Duration] {
			return func(yield func(time.Duration) bool) {
				for _, v := range all {
					if !yield(v.at) {
						return
					}
				}
			}
		},
	}, sim.Options{
		Policy: policy, Service: script{visits: all, next: new(int)}, StartDelay: dist.Constant(7 * time.Millisecond), Warmup: -1,
		Watch: func(at time.Duration, a lifecycle.Action) {
			switch a.Kind {
			case lifecycle.Start:
				lives = append(lives, span{Started: at})
				number[a.Instance] = len(lives)
			case lifecycle.Reap:
				lives[number[a.Instance]-1].Gone = at
			case lifecycle.Serve:
				fates[a.Request-1] = fate{kinds[a.How].String(), number[a.Instance], at}
			case lifecycle.Throttle:
				fates[a.Request-1] = fate{Start: refusals[a.Why]}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return fates, lives
}

// refusals are the reasons that callers are given.
var refusals = map[lifecycle.Why]string{
	lifecycle.ConcurrencyFull: "ConcurrentInvocationLimitExceeded",
	lifecycle.QueueTimeout:    "ConcurrentInvocationLimitExceeded",
	lifecycle.StartRateFull:   "CallerRateLimitExceeded",
}

// lived is what the runtime does, with instances in memory and the clock of a bubble.
func lived(t *testing.T, policy lifecycle.Policy, all []visit) ([]fate, []span) {
	t.Helper()
	fates, done := make([]fate, len(all)), make([]chan struct{}, len(all))
	box := slowStart()
	box.Handler = func(_ string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
		ns, err := strconv.ParseInt(string(inv.Payload), 10, 64)
		if err != nil {
			return nil, err
		}
		time.Sleep(time.Duration(ns))
		return nil, nil
	}
	var room sandbox.Sandbox = box
	switch {
	case policy.Slots > 1:
		room = memory.Sharing{Sandbox: box}
	case policy.Pause:
		room = memory.Pausing{Sandbox: box}
	}
	var lives []span
	code := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		box.Clock = clock.New()
		rt := open(t, box, engine.Options{Policy: policy, Clock: box.Clock, Sandboxes: map[string]sandbox.Sandbox{"memory": room}})
		rt.code = code
		rt.create(platform.Function{Name: "hello", Timeout: time.Minute})
		origin, began := time.Now(), box.Clock.Now()
		since := func(at int64) time.Duration { return time.Duration(at - began) }
		for k, v := range all {
			done[k] = make(chan struct{})
			time.Sleep(v.at - time.Since(origin))
			go func() {
				defer close(done[k])
				out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{Payload: strconv.AppendInt(nil, int64(v.takes), 10)})
				if e, ok := errors.AsType[*engine.Error](err); ok {
					fates[k] = fate{Start: e.Reason}
					return
				}
				f := fate{Start: out.Start.String(), Begun: since(out.Truth.HandlerStart)}
				if _, err := fmt.Sscanf(out.Instance, "hello-%d", &f.Instance); err != nil {
					t.Errorf("instance %q: %v", out.Instance, err)
				}
				fates[k] = f
			}()
			synctest.Wait()
		}
		for _, c := range done {
			<-c
		}
		time.Sleep(time.Hour - time.Minute)
		records, _ := rt.Instances()
		lives = make([]span, len(records))
		for _, r := range records {
			var n int
			if _, err := fmt.Sscanf(r.ID, "hello-%d", &n); err != nil || n < 1 || n > len(lives) {
				t.Errorf("instance %q of %d: %v", r.ID, len(lives), err)
				continue
			}
			lives[n-1] = span{since(r.Started), since(r.Gone)}
		}
		if err := rt.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return fates, lives
}

// TestSimulatorDecidesTheSame holds the simulator to the runtime: the same
// requests, one by virtual time and one by real goroutines, timers and
// instances, meet the same instances at the same nanosecond.
func TestSimulatorDecidesTheSame(t *testing.T) {
	const ms = time.Millisecond
	survival := []lifecycle.Survivor{{Idle: 200 * ms, Alive: 1}, {Idle: 900 * ms, Alive: .5}, {Idle: 2 * time.Second}}
	for name, policy := range map[string]lifecycle.Policy{
		"keep-alive":      {KeepAlive: 800 * ms},
		"none kept":       {},
		"concurrency":     {KeepAlive: 800 * ms, Concurrency: 3},
		"queue":           {KeepAlive: 800 * ms, Concurrency: 3, QueueLimit: 4},
		"queue's timeout": {KeepAlive: 800 * ms, Concurrency: 2, QueueLimit: 20, QueueTimeout: 15 * ms},
		"start rate":      {KeepAlive: 800 * ms, StartBurst: 2, StartEvery: 400 * ms, QueueLimit: 8},
		"late binding":    {KeepAlive: 800 * ms, Concurrency: 6, QueueLimit: 10, LateBinding: true},
		"survival":        {Survival: survival, Seed: 5},
		"noise":           {KeepAlive: 800 * ms, Noise: .4, Seed: 5},
		"pause":           {KeepAlive: 800 * ms, Pause: true, PauseAfter: 100 * ms},
		"slots":           {KeepAlive: 800 * ms, Slots: 3},
		"hybrid":          {Hybrid: &lifecycle.Hybrid{Bin: 100 * ms, Range: 10 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			all := visits(7, 600)
			wantFates, wantLives := simulated(t, policy, all)
			gotFates, gotLives := lived(t, policy, all)
			if diff := cmp.Diff(wantFates, gotFates); diff != "" {
				t.Errorf("requests as simulated (-) and as they were (+):\n%.3000s", diff)
			}
			if diff := cmp.Diff(wantLives, gotLives); diff != "" {
				t.Errorf("instances as simulated (-) and as they were (+):\n%.3000s", diff)
			}
			kinds := map[string]int{}
			for _, f := range wantFates {
				kinds[f.Start]++
			}
			t.Log(kinds, len(wantLives))
		})
	}
}
