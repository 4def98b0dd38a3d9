package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

func sharing(t *testing.T, box *memory.Sandbox, slots int, test func(*testing.T, *host)) {
	t.Helper()
	o := engine.Options{
		Policy:    lifecycle.Policy{KeepAlive: time.Minute, Slots: slots},
		Sandboxes: map[string]sandbox.Sandbox{"memory": memory.Sharing{Sandbox: box}},
	}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Timeout: time.Minute})
		test(t, rt)
	})
}

func TestSlots(t *testing.T) {
	box := tiered()
	sharing(t, box, 4, func(t *testing.T, rt *host) {
		outs, errs := spike(t.Context(), rt, 8)
		if got := starts(outs); got[sample.Cold] != 2 || got[sample.Queued] != 6 || len(errs) > 0 || box.Peak() != 2 {
			t.Errorf("8 requests, 4 an instance: %v by %d instances, %v", got, box.Peak(), errs)
		}
		outs, _ = spike(t.Context(), rt, 8)
		if got := starts(outs); got[sample.Warm] != 8 || box.Peak() != 2 {
			t.Errorf("8 more: %v by %d instances", got, box.Peak())
		}
		used := make(map[string]int)
		for _, out := range outs {
			used[out.Instance]++
			if out.Truth.Duration() != 8*ms {
				t.Errorf("a request that shared its instance took %v", out.Truth.Duration())
			}
		}
		if used["hello-1"] != 4 || used["hello-2"] != 4 {
			t.Errorf("served by %v", used)
		}
	})
}

// TestSharedInstanceDies: with all requests on it, and with no other.
func TestSharedInstanceDies(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	sharing(t, box, 3, func(t *testing.T, rt *host) {
		time.AfterFunc(ms, func() { box.Kill("hello-1") })
		outs, errs := spike(t.Context(), rt, 6)
		ends := make(map[string]int)
		for _, out := range outs {
			ends[out.Instance+" "+out.Kind.String()]++
		}
		if len(errs) > 0 || ends["hello-1 crash"] != 3 || ends["hello-2 "] != 3 {
			t.Errorf("ends %v, errors %v", ends, errs)
		}
		if out := invoke(t, rt); out.Instance != "hello-2" || out.Start != sample.Warm {
			t.Errorf("the next request was served %v by %s", out.Start, out.Instance)
		}
	})
}

func TestSlotsThatCannotBe(t *testing.T) {
	box := slowStart()
	for want, able := range map[string]sandbox.Sandbox{
		"the memory sandbox cannot serve several requests on one instance":                                              box,
		"An instance cannot serve 2 requests at once: the client of runtime python fetches one request after the other": memory.Sharing{Sandbox: box},
	} {
		bubble(t, box, engine.Options{Sandboxes: map[string]sandbox.Sandbox{"memory": able}}, func(t *testing.T, rt *host) {
			fam, err := rt.Family("hello")
			if err != nil {
				t.Fatal(err)
			}
			fn := platform.Function{Name: "hello", Runtime: platform.Python, Code: rt.code}
			_, err = fam.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{Policy: &lifecycle.Policy{Slots: 2}})
			if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Invalid || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}
