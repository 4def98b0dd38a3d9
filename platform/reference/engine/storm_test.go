package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// stormy is a sandbox where much goes wrong. Its choices are the seed's.
func stormy(seed uint64) *memory.Sandbox {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 1))
	roll := func(sides int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(sides)
	}
	box := &memory.Sandbox{Provision: time.Millisecond, Boot: time.Millisecond, Init: 3 * time.Millisecond}
	box.InitErr = func(string) error {
		if roll(10) == 0 {
			return &sandbox.Failure{Kind: sample.Init, Cause: errors.New("init"), Type: "Runtime.ExitError"}
		}
		return nil
	}
	box.Handler = func(id string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
		select {
		case <-time.After(time.Duration(roll(20)) * time.Millisecond):
		case <-kill:
		}
		switch roll(20) {
		case 0:
			return nil, &sandbox.Failure{Kind: sample.Crash, Cause: errors.New("crash"), Type: "Runtime.ExitError"}
		case 1:
			box.Kill(id)
		}
		return inv.Payload, nil
	}
	return box
}

// TestStorm sends requests of which many fail, are refused or given up, and
// wants every one to end in one way and every instance to be put away.
func TestStorm(t *testing.T) {
	plain := func(box *memory.Sandbox) sandbox.Sandbox { return box }
	tests := map[string]struct {
		policy    lifecycle.Policy
		able      func(*memory.Sandbox) sandbox.Sandbox
		start     string
		provision int
		memory    units.Bytes
	}{
		"none":        {able: plain},
		"limits":      {able: plain, policy: lifecycle.Policy{Concurrency: 8, StartBurst: 3, StartEvery: 2 * ms, QueueLimit: 10, QueueTimeout: 15 * ms, KeepAlive: 10 * ms}},
		"crowded":     {able: plain, policy: lifecycle.Policy{Concurrency: 2, StartBurst: 3, StartEvery: 2 * ms, QueueLimit: 10, QueueTimeout: 5 * ms, KeepAlive: 10 * ms}},
		"late":        {able: plain, policy: lifecycle.Policy{Concurrency: 8, QueueLimit: 10, KeepAlive: 10 * ms, LateBinding: true}},
		"provisioned": {able: plain, policy: lifecycle.Policy{Concurrency: 8, QueueLimit: 10, KeepAlive: 10 * ms, AheadRetry: ms}, provision: 3},
		"pausing":     {able: func(box *memory.Sandbox) sandbox.Sandbox { return memory.Pausing{Sandbox: box} }, start: engine.StartPause, policy: lifecycle.Policy{KeepAlive: 10 * ms}},
		"zygotes":     {able: func(box *memory.Sandbox) sandbox.Sandbox { return memory.Brooding{Sandbox: box} }, start: engine.StartZygote},
		"slots":       {able: func(box *memory.Sandbox) sandbox.Sandbox { return memory.Sharing{Sandbox: box} }, policy: lifecycle.Policy{Concurrency: 4, Slots: 3, QueueLimit: 10, KeepAlive: 10 * ms}},
		"memory":      {able: plain, memory: 5 * 128 << 20, policy: lifecycle.Policy{Concurrency: 8, QueueLimit: 10, KeepAlive: 10 * ms}},
		"pool":        {able: func(box *memory.Sandbox) sandbox.Sandbox { return memory.Stocked{Sandbox: box} }, start: engine.StartPool},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var meter, told ledger
			box := stormy(7)
			limits := engine.LambdaLimits()
			limits.Unreserved = 0
			o := engine.Options{
				Policy: tt.policy, Limits: limits, Meter: &meter, Memory: tt.memory,
				Sandboxes: map[string]sandbox.Sandbox{"memory": tt.able(box)},
			}
			bubble(t, box, o, func(t *testing.T, rt *host) {
				names := [2]string{"hello", "other"} // share the account
				for _, name := range names {
					rt.create(platform.Function{Name: name, Runtime: platform.NodeJS, Timeout: time.Second, Start: tt.start})
				}
				if err := rt.version("hello").Provision(tt.provision); err != nil {
					t.Fatal(err)
				}
				const n = 3000
				consumers := [3]string{"", "shop", "mail"}
				rng := rand.New(rand.NewPCG(7, 2))
				var all sync.WaitGroup
				var mu sync.Mutex
				ends := make(map[string]int)
				for i := range n {
					patience := time.Duration(rng.IntN(30)) * time.Millisecond
					all.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), patience)
						defer cancel()
						out, err := rt.Invoke(ctx, names[i%2], engine.Invocation{Payload: []byte("{}"), Consumer: consumers[i%3]})
						told.note(usage.Key{Function: names[i%2], Version: engine.Latest, Consumer: consumers[i%3]}, 128, out, err)
						end := out.Kind.String()
						if e, ok := errors.AsType[*engine.Error](err); ok {
							end = e.Message
						}
						if out.Kind == sample.Platform {
							t.Errorf("request %d: %s", i, out.Body)
						}
						mu.Lock()
						defer mu.Unlock()
						ends[end]++
					})
					time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
					if i%500 == 499 {
						if err := rt.version("hello").Evict(t.Context()); err != nil {
							t.Error(err)
						}
						for id := range box.Ids() {
							box.Kill(id)
						}
					}
				}
				all.Wait()
				synctest.Wait()
				t.Log(ends)
				total := 0
				for _, count := range ends {
					total += count
				}
				if total != n {
					t.Errorf("%d ends of %d requests", total, n)
				}
			})
			if diff := cmp.Diff(told.usage, meter.usage); diff != "" {
				t.Errorf("charged, beside what callers were told (-told +charged):\n%s", diff)
			}
		})
	}
}
