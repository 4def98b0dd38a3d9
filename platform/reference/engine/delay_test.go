package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

func python() *engine.StartDelay {
	return &engine.StartDelay{
		Quantiles: []engine.Quantile{{Share: .1, Delay: 60 * ms}, {Share: .5, Delay: 100 * ms}, {Share: .99, Delay: 200 * ms}},
		Source:    "a table", AsOf: "2026-08-01",
	}
}

// all is for all functions of these tests.
func all(d *engine.StartDelay) map[platform.Runtime]engine.StartDelay {
	return map[platform.Runtime]engine.StartDelay{platform.Go: *d}
}

func TestStartDelayQuantiles(t *testing.T) {
	d := python()
	for share, want := range map[float64]time.Duration{
		0: 60 * ms, .1: 60 * ms, .3: 80 * ms, .5: 100 * ms, .745: 150 * ms, .99: 200 * ms, 1: 200 * ms,
	} {
		if got := d.At(share); (got - want).Abs() > time.Nanosecond { // of the floats in between
			t.Errorf("at %v: %v, want %v", share, got, want)
		}
	}
	bad := engine.StartDelay{Quantiles: []engine.Quantile{{Share: .5, Delay: 2}, {Share: .5, Delay: 1}, {Share: 1.5, Delay: 3}}}
	if err := bad.Validate(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three faults: %v", err)
	}
	if err := (engine.StartDelay{}).Validate(); err == nil {
		t.Error("no quantiles are no distribution")
	}
}

// TestStartDelay: a start takes what was drawn, or what it really takes where
// that is longer, and the wait is init.
func TestStartDelay(t *testing.T) {
	took := func(delay map[platform.Runtime]engine.StartDelay) (all []time.Duration) {
		box := slowStart()
		bubble(t, box, engine.Options{StartDelay: delay, Seed: 7, Policy: lifecycle.Policy{}}, func(t *testing.T, rt *host) {
			rt.create(platform.Function{Name: "hello"})
			for range 2000 {
				out := invoke(t, rt)
				b := out.Truth.Breakdown()
				if out.Start != sample.Cold || b.Provision != ms || b.Boot != 2*ms || out.Billed < b.Boot+b.Init {
					t.Fatalf("%+v", out)
				}
				all = append(all, b.Provision+b.Boot+b.Init)
			}
			if delay != nil && !slices.Equal(rt.Notes(), []string{"start delays of runtime go are emulated, not measured: a table, as of 2026-08-01"}) {
				t.Errorf("notes %q", rt.Notes())
			}
		})
		return all
	}
	first := took(all(python()))
	if diff := cmp.Diff(first, took(all(python()))); diff != "" {
		t.Error("the same seed does not give the same delays")
	}
	slices.Sort(first)
	for share, want := range map[float64]time.Duration{.05: 60 * ms, .5: 100 * ms, .745: 150 * ms} {
		// At n = 2000 a quantile's standard error is at most 1.2% of the ranks, 3 ms here.
		if got := first[int(share*2000)]; (got - want).Abs() > 10*ms {
			t.Errorf("%v of the starts took at most %v, want %v", share, got, want)
		}
	}
	for _, got := range took(all(&engine.StartDelay{Quantiles: []engine.Quantile{{Share: 0, Delay: 3 * ms}}, Source: "a table", AsOf: "2026-08-01"}))[:10] {
		if got != 7*ms {
			t.Errorf("a start that takes 7ms took %v with an emulated delay of 3ms", got)
		}
	}
}

func TestDyingInTheEmulatedDelay(t *testing.T) {
	box := slowStart()
	bubble(t, box, engine.Options{StartDelay: all(python()), Policy: lifecycle.Policy{KeepAlive: time.Hour}}, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello"})
		time.AfterFunc(20*ms, func() { box.Kill("hello-1") })
		if out := invoke(t, rt); out.Kind != sample.Crash {
			t.Errorf("its request ended as %+v", out)
		}
		if out := invoke(t, rt); out.Kind != sample.NoError || out.Instance != "hello-2" {
			t.Errorf("the next one ended as %+v", out)
		}
	})
}
