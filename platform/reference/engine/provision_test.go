package engine_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// TestWhyInstancesStart: what a function is told of its start is Lambda's name
// for what its instance is to the pool.
func TestWhyInstancesStart(t *testing.T) {
	hybrid := lifecycle.Policy{Hybrid: &lifecycle.Hybrid{Bin: 100 * ms, Range: 10 * time.Second}}
	for name, tt := range map[string]struct {
		start  string
		policy lifecycle.Policy
		usual  sandbox.Initialization // of an instance that serves a request, or is warmed for one
	}{
		"plain":  {engine.StartPlain, lifecycle.Policy{KeepAlive: time.Minute}, sandbox.OnDemand},
		"pool":   {engine.StartPool, lifecycle.Policy{KeepAlive: time.Minute}, sandbox.OnDemand},
		"zygote": {engine.StartZygote, lifecycle.Policy{KeepAlive: time.Minute}, sandbox.SnapStart},
		"hybrid": {engine.StartPlain, hybrid, sandbox.OnDemand},
	} {
		t.Run(name, func(t *testing.T) {
			box := tiered()
			able := map[string]sandbox.Sandbox{
				engine.StartPlain: box, engine.StartPool: memory.Stocked{Sandbox: box}, engine.StartZygote: memory.Brooding{Sandbox: box},
			}[tt.start]
			tier(t, box, able, tt.start, tt.policy, func(t *testing.T, rt *host) {
				want := func(when string, all ...sandbox.Initialization) {
					t.Helper()
					slices.Sort(all)
					if got := box.Whys(); !slices.Equal(got, all) {
						t.Errorf("%s there are %q, want %q", when, got, all)
					}
				}
				look(t, rt)
				if tt.policy.Hybrid == nil {
					want("after a request", tt.usual)
				} else {
					for range 20 { // it learns that 5 s pass between requests, and does not wait for the next
						time.Sleep(5 * time.Second)
						if got := look(t, rt); got.Start == sample.Provisioned {
							break
						}
					}
					time.Sleep(4900 * ms)
					want("before a request that is foreseen", tt.usual)
				}
				if err := rt.version("hello").Provision(1); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second / 20)
				want("with one provisioned", tt.usual, sandbox.Provisioned)
			})
		})
	}
}

func TestProvisioned(t *testing.T) {
	provisioned := served{sample.Provisioned, sample.Breakdown{Handler: 8 * ms}, 8 * ms}
	box := tiered()
	var meter ledger
	o := engine.Options{Meter: &meter, Policy: lifecycle.Policy{KeepAlive: time.Minute}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		hello := rt.create(platform.Function{Name: "hello", Timeout: time.Minute})
		wantReady := func(wantAsked, wantReady int, when string) {
			t.Helper()
			if asked, ready := hello.Provisioned(); asked != wantAsked || ready != wantReady {
				t.Errorf("%s: %d asked and %d ready, want %d and %d", when, asked, ready, wantAsked, wantReady)
			}
		}
		if err := hello.Provision(2); err != nil {
			t.Fatal(err)
		}
		wantReady(2, 0, "at once")
		time.Sleep(10 * ms)
		wantReady(2, 2, "after the starts")
		for range 3 {
			wantServed(t, provisioned, look(t, rt), "a request")
		}
		outs, _ := spike(t.Context(), rt, 3)
		if got := starts(outs); got[sample.Provisioned] != 2 || got[sample.Cold] != 1 {
			t.Errorf("3 at once with 2 provisioned were served %v", got)
		}
		time.Sleep(time.Hour) // no keep-alive ends them
		wantReady(2, 2, "after an hour")

		box.Kill("hello-1")
		synctest.Wait()
		wantReady(2, 1, "after the death of one")
		time.Sleep(2 * time.Second)
		wantReady(2, 2, "after it was replaced")
		wantServed(t, provisioned, look(t, rt), "a request after that")

		if err := hello.Provision(0); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		wantReady(0, 0, "without")
		if box.Len() != 0 {
			t.Errorf("%d instances are left", box.Len())
		}
		records, _ := rt.Instances()
		if n := len(records); records[n-1].Reason != "shrunk" {
			t.Errorf("the last one to go is %+v", records[n-1])
		}
		if err := hello.Provision(1); err != nil {
			t.Error(err)
		}
		if err := hello.Retire(t.Context()); err != nil || box.Len() != 0 {
			t.Errorf("Retire: %v, %d instances left", err, box.Len())
		}
		if err := hello.Provision(1); err == nil {
			t.Error("a retired version was provisioned")
		}
	})
	got := meter.usage[usage.Key{Function: "hello", Version: engine.Latest}]
	if got.Requests != 7 || got.Provisioned != 6 || got.Cold != 1 || got.MemoryTimeProvisioned != 6*8*128 || got.MemoryTime != got.MemoryTimeProvisioned+14*128 {
		t.Errorf("charged %+v", got)
	}
}

// TestProvisionedIsTakenOffTheRest: it counts whether it is used or not.
func TestProvisionedIsTakenOffTheRest(t *testing.T) {
	box := tiered()
	limits := engine.LambdaLimits()
	limits.Unreserved = 1
	o := engine.Options{Limits: limits, Policy: lifecycle.Policy{Concurrency: 4, KeepAlive: time.Minute}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		a := rt.create(platform.Function{Name: "a", Timeout: time.Minute})
		rt.create(platform.Function{Name: "hello", Timeout: time.Minute})
		for n, want := range map[int]bool{-1: false, 4: false, 3: true} {
			err := a.Provision(n)
			if e, ok := errors.AsType[*engine.Error](err); ok == want || ok && e.Code != engine.Invalid {
				t.Errorf("provision %d of 4, of which 1 stays: %v", n, err)
			}
		}
		outs, errs := spike(t.Context(), rt, 3)
		if len(outs) != 1 || len(errs) != 2 {
			t.Errorf("beside 3 of 4 that are provisioned, %d of 3 were served: %v", len(outs), errs)
		}
		two := 2
		if err := rt.reserve("a", &two); err != nil {
			t.Fatal(err)
		}
		if err := a.Provision(3); err == nil {
			t.Error("3 were provisioned of 2 that are reserved")
		}
		if err := a.Provision(2); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if outs, _ := spike(t.Context(), rt, 3); len(outs) != 2 {
			t.Errorf("beside 2 of 4 that are reserved, %d of 3 were served", len(outs))
		}
		if asked, ready := a.Provisioned(); asked != 2 || ready != 2 {
			t.Errorf("%d of %d are ready", ready, asked)
		}
	})
}
