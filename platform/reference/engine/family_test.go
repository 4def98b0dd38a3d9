package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

func TestReservedVariablesAreRefused(t *testing.T) {
	run(t, slowStart(), lifecycle.Policy{}, func(t *testing.T, rt *host) {
		fn := platform.Function{Name: "mars", Code: t.TempDir(), Env: map[string]string{
			"AWS_REGION": "mars", "_HANDLER": "x", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper", "SHOP": "open",
		}}
		fam, err := rt.Family(fn.Name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fam.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{})
		e, ok := errors.AsType[*engine.Error](err)
		if !ok || e.Code != engine.Invalid || !strings.Contains(e.Message, "Reserved keys used in this request: AWS_REGION, _HANDLER") {
			t.Errorf("got %v, want a refusal that names AWS_REGION and _HANDLER", err)
		}
		delete(fn.Env, "AWS_REGION")
		delete(fn.Env, "_HANDLER")
		if _, err := fam.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{}); err != nil {
			t.Errorf("without them: %v", err)
		}
	})
}

// TestRetireLosesNothing replaces a function's version again and again under
// load: each request is served once, by a version that was the present one
// when it came.
func TestRetireLosesNothing(t *testing.T) {
	policies := map[string]lifecycle.Policy{
		"a start each": {KeepAlive: time.Second},
		"a queue":      {Concurrency: 3, QueueLimit: 1000, KeepAlive: time.Second},
		"late binding": {Concurrency: 3, QueueLimit: 1000, LateBinding: true},
	}
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			box := slowStart()
			box.Handler = takes(3 * time.Millisecond)
			run(t, box, policy, func(t *testing.T, rt *host) {
				const n, turns = 1000, 20
				fn := rt.version("hello").Spec().Function
				var served, anew atomic.Int64
				var all sync.WaitGroup
				for i := range n {
					all.Go(func() {
						for {
							out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{Payload: []byte("{}")})
							if e, ok := errors.AsType[*engine.Error](err); ok && e.Code == engine.Retired {
								anew.Add(1)
								continue
							}
							if err != nil || out.Kind != sample.NoError {
								t.Errorf("request %d: %+v, %v", i, out, err)
							}
							served.Add(1)
							return
						}
					})
					time.Sleep(time.Millisecond)
					if i%(n/turns) == n/turns-1 {
						old := rt.version("hello")
						rt.update(fn)
						all.Go(func() {
							if err := old.Retire(t.Context()); err != nil {
								t.Error(err)
							}
						})
					}
				}
				all.Wait()
				if served.Load() != n {
					t.Errorf("%d of %d requests were served", served.Load(), n)
				}
				if err := rt.version("hello").Evict(t.Context()); err != nil {
					t.Error(err)
				}
				if box.Len() != 0 {
					t.Errorf("%d instances are left of retired versions", box.Len())
				}
				t.Logf("%d requests had to ask anew", anew.Load())
			})
		})
	}
}

// TestRetiredVersionServesWhoWaits: with instances of its own, though others
// of the function's versions are there.
func TestRetiredVersionServesWhoWaits(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	run(t, box, lifecycle.Policy{Concurrency: 1, QueueLimit: 9, KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		var outs []engine.Outcome
		var sent sync.WaitGroup
		sent.Go(func() { outs, _ = spike(t.Context(), rt, 3) })
		synctest.Wait()
		began := time.Now()
		if err := rt.version("hello").Retire(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 3*time.Second || box.Len() != 0 {
			t.Errorf("it took %v and left %d instances, want 3s and 0", took, box.Len())
		}
		sent.Wait()
		if len(outs) != 3 || box.Peak() != 1 {
			t.Errorf("%d of 3 were served, by %d instances at once", len(outs), box.Peak())
		}
		_, err := rt.Invoke(t.Context(), "hello", engine.Invocation{})
		if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Retired {
			t.Errorf("a retired version's Invoke gives %v", err)
		}
	})
}

func TestRetireCutShort(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(20 * time.Second)}
	run(t, box, lifecycle.Policy{Concurrency: 1, QueueLimit: 9, KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		var outs []engine.Outcome
		var errs []error
		var sent sync.WaitGroup
		sent.Go(func() { outs, errs = spike(t.Context(), rt, 3) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := rt.version("hello").Retire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Retire that was cut short gives %v", err)
		}
		sent.Wait()
		if len(outs) != 1 || outs[0].Kind != sample.Crash || len(errs) != 2 || box.Len() != 0 {
			t.Errorf("outcomes %+v, errors %v, %d instances left", outs, errs, box.Len())
		}
	})
}

// TestReservationIsTheVersionsTogether holds two versions to one reservation,
// and gives what comes free to whose request has waited longest.
func TestReservationIsTheVersionsTogether(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	run(t, box, lifecycle.Policy{Concurrency: 200, QueueLimit: 4, KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		three := 3
		if err := rt.reserve("hello", &three); err != nil {
			t.Fatal(err)
		}
		old := rt.version("hello")
		now := rt.update(old.Spec().Function)
		var mu sync.Mutex
		var order []string
		refused := make(map[string]int)
		var all sync.WaitGroup
		for i := range 20 {
			v, name := old, "old"
			if i%2 == 1 {
				v, name = now, "new"
			}
			all.Go(func() {
				_, err := v.Invoke(t.Context(), engine.Invocation{})
				mu.Lock()
				defer mu.Unlock()
				if e, ok := errors.AsType[*engine.Error](err); ok {
					refused[e.Reason]++
					return
				}
				order = append(order, name)
			})
			time.Sleep(time.Millisecond)
		}
		all.Wait()
		if box.Peak() > 4 { // one that is reaped to make room for the other version's may still be going
			t.Errorf("%d instances at once with a reservation of 3", box.Peak())
		}
		if diff := cmp.Diff(map[string]int{ownFull: 20 - 3 - 8}, refused); diff != "" {
			t.Errorf("refused (-want +got):\n%s", diff)
		}
		want := []string{"old", "new", "old", "new", "old", "new", "old", "new", "old", "new", "old"}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("served in this order (-want +got):\n%s", diff)
		}
	})
}

func TestSandboxByName(t *testing.T) {
	code := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		boxes := map[string]sandbox.Sandbox{}
		for _, name := range []string{"process", "wasm"} {
			boxes[name] = &memory.Sandbox{Clock: clk}
		}
		rt := open(t, nil, engine.Options{Clock: clk, Sandboxes: boxes, Default: "process", Policy: lifecycle.Policy{KeepAlive: time.Hour}})
		defer rt.Close(t.Context())
		for name, fn := range map[string]platform.Function{
			"process": {Name: "a", Code: code},
			"wasm":    {Name: "b", Code: code, Sandbox: "wasm"},
		} {
			before := boxes[name].(*memory.Sandbox).Len()
			rt.create(fn)
			if _, err := rt.Invoke(t.Context(), fn.Name, engine.Invocation{}); err != nil {
				t.Error(err)
			}
			if n := boxes[name].(*memory.Sandbox).Len(); n != before+1 {
				t.Errorf("%s has %d instances", name, n)
			}
		}
		fam, err := rt.Family("c")
		if err != nil {
			t.Fatal(err)
		}
		_, err = fam.Add(t.Context(), sandbox.Spec{Function: platform.Function{Name: "c", Code: code, Sandbox: "jail"}}, engine.Settings{})
		if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Invalid || e.Message != `no sandbox "jail" here; there are: process, wasm` {
			t.Errorf("an unknown sandbox: %v", err)
		}
	})
}
