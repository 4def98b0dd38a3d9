package reference_test

import (
	"context"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// TestStartTiers has real processes started in every way and looks at the
// evidence: the start kind, and that the faster ways are faster.
func TestStartTiers(t *testing.T) {
	python := build(t, "hello", platform.Python)
	clients, err := fixtures.RuntimeClients(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	box, err := process.New(process.Options{RuntimeClients: clients, Adopt: true})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := engine.New(engine.Options{
		Sandboxes: map[string]sandbox.Sandbox{"process": box},
		Policy:    lifecycle.Policy{KeepAlive: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	invoke := func(v *engine.Version) engine.Outcome {
		out, err := v.Invoke(t.Context(), engine.Invocation{Payload: []byte(payload)})
		if err != nil || out.Kind != sample.NoError {
			t.Fatalf("%s: %+v, %v", v.Spec().Function.Start, out, err)
		}
		return out
	}
	began := make(map[string]time.Duration) // the best of some
	note := func(tier string, out engine.Outcome) {
		b := out.Truth.Breakdown()
		began[tier] = min(began[tier], b.Provision+b.Boot+b.Init)
	}
	versions := make(map[string]*engine.Version)
	for tier, want := range map[string]sample.Start{
		engine.StartPlain: sample.Cold, engine.StartPool: sample.Prewarmed,
		engine.StartZygote: sample.Restored, engine.StartPause: sample.Cold,
	} {
		fn := python
		fn.Name, fn.Start = "hello-"+tier, tier
		family, err := rt.Family(fn.Name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := family.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		began[tier], versions[tier] = time.Hour, v
		for range 3 {
			out := invoke(v)
			for deadline := time.Now().Add(time.Minute); out.Start == sample.Cold && want == sample.Prewarmed && time.Now().Before(deadline); {
				// The next stem was not booted yet: a busy machine takes its time.
				if err := v.Evict(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(200 * time.Millisecond)
				out = invoke(v)
			}
			if out.Start != want {
				t.Errorf("%s: a %v start, want %v", tier, out.Start, want)
			}
			note(tier, out)
			if tier == engine.StartPause {
				out := invoke(v)
				for deadline := time.Now().Add(time.Minute); out.Start == sample.Warm && time.Now().Before(deadline); {
					time.Sleep(50 * time.Millisecond) // what is not paused yet is warm
					out = invoke(v)
				}
				if out.Start != sample.Restored || out.Truth.Breakdown().Init != 0 {
					t.Errorf("after a pause: %+v", out)
				}
			}
			if err := v.Evict(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	t.Log(began)
	for _, fast := range []string{engine.StartPool, engine.StartZygote} {
		slow := func() bool { return began[fast] > began[engine.StartPlain]/2 }
		for tries := 0; tries < 20 && slow(); tries++ { // each of them while the machine was busy
			for _, tier := range []string{engine.StartPlain, fast} {
				if out := invoke(versions[tier]); tier == engine.StartPlain || out.Start != sample.Cold {
					note(tier, out)
				}
				if err := versions[tier].Evict(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
		if slow() {
			t.Errorf("a start of tier %s takes %v, a plain one %v", fast, began[fast], began[engine.StartPlain])
		}
	}
}
