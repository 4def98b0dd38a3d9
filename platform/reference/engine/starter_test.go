package engine_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

const ms = time.Millisecond

// tier opens a Runtime in a bubble with the function hello of a start tier.
func tier(t *testing.T, box *memory.Sandbox, able sandbox.Sandbox, start string, policy lifecycle.Policy, test func(*testing.T, *host)) {
	t.Helper()
	o := engine.Options{Policy: policy, Sandboxes: map[string]sandbox.Sandbox{"memory": able}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Runtime: platform.Python, Start: start, Timeout: 30 * time.Second})
		test(t, rt)
	})
}

// served is what the caller is told of a start.
type served struct {
	Start     sample.Start
	Breakdown sample.Breakdown
	Billed    time.Duration
}

func look(t *testing.T, rt *host) served {
	t.Helper()
	out := invoke(t, rt)
	if out.Kind != sample.NoError {
		t.Errorf("the request ended as %v: %s", out.Kind, out.Body)
	}
	return served{out.Start, out.Truth.Breakdown(), out.Billed}
}

var fromNothing = served{sample.Cold, sample.Breakdown{Provision: 1 * ms, Boot: 2 * ms, Init: 4 * ms, Handler: 8 * ms}, 14 * ms}

func wantServed(t *testing.T, want, got served, what string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func tiered() *memory.Sandbox {
	box := slowStart()
	box.Handler = takes(8 * ms)
	box.Fork, box.Assign, box.Resume = ms/2, ms/4, ms/8
	return box
}

// failing gives an error while on.
func failing(on *atomic.Bool) func(string) error {
	return func(string) error {
		if on.Load() {
			return errors.New("no more processes")
		}
		return nil
	}
}

func TestZygote(t *testing.T) {
	forked := served{sample.Restored, sample.Breakdown{Provision: ms / 2, Handler: 8 * ms}, 8 * ms}
	box := tiered()
	var noFork, noZygote atomic.Bool
	box.ForkErr = failing(&noFork)
	box.KeepErr = failing(&noZygote)
	tier(t, box, memory.Brooding{Sandbox: box}, engine.StartZygote, lifecycle.Policy{}, func(t *testing.T, rt *host) {
		if box.Kept() != 1 || box.Len() != 0 {
			t.Errorf("after Add there are %d zygotes and %d instances", box.Kept(), box.Len())
		}
		wantServed(t, forked, look(t, rt), "a start")

		box.Kill("hello-zygote-1")
		wantServed(t, fromNothing, look(t, rt), "a start after the zygote's death")
		time.Sleep(2 * time.Second)
		wantServed(t, forked, look(t, rt), "a start after it was made anew")

		noFork.Store(true)
		wantServed(t, fromNothing, look(t, rt), "a start whose fork failed")
		noFork.Store(false)

		noZygote.Store(true)
		for id := range box.Ids() {
			box.Kill(id)
		}
		time.Sleep(10 * time.Second)
		wantServed(t, fromNothing, look(t, rt), "a start while no zygote can be made")
		noZygote.Store(false)
		time.Sleep(2 * time.Second)
		wantServed(t, forked, look(t, rt), "a start when one could be made again")

		if err := rt.version("hello").Retire(t.Context()); err != nil {
			t.Error(err)
		}
		if box.Kept() != 0 {
			t.Errorf("%d zygotes are left of a retired version", box.Kept())
		}
	})
}

// TestZygoteDiesInTheMiddle kills zygotes under load: every request is served.
func TestZygoteDiesInTheMiddle(t *testing.T) {
	box := tiered()
	tier(t, box, memory.Brooding{Sandbox: box}, engine.StartZygote, lifecycle.Policy{}, func(t *testing.T, rt *host) {
		counts := make(map[sample.Start]int)
		for range 100 {
			outs, errs := spike(t.Context(), rt, 5)
			for start, n := range starts(outs) {
				counts[start] += n
			}
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			for id := range box.Ids() {
				box.Kill(id)
			}
			time.Sleep(100 * ms)
		}
		if counts[sample.Cold]+counts[sample.Restored] != 500 || counts[sample.Restored] < 20 || counts[sample.Cold] < 100 {
			t.Errorf("500 requests were served %v", counts)
		}
	})
}

func TestTiersThatCannotBe(t *testing.T) {
	box := slowStart()
	broken := func(string) error {
		return &sandbox.Failure{Kind: sample.Init, Cause: errors.New("exit status 1"), Type: "Runtime.ExitError"}
	}
	tests := []struct {
		name    string
		able    sandbox.Sandbox
		start   string
		runtime platform.Runtime
		fails   func(string) error
		want    string
	}{
		{"an unknown tier", box, "magic", platform.Python, nil, `no start tier "magic"; there are: plain, pool, zygote, pause`},
		{"no zygote in this sandbox", box, engine.StartZygote, platform.Python, nil, "the memory sandbox cannot fork instances from a zygote"},
		{"no stem in this sandbox", box, engine.StartPool, platform.Python, nil, "the memory sandbox cannot boot a runtime before its function is known"},
		{"a function that cannot be loaded", memory.Brooding{Sandbox: box}, engine.StartZygote, platform.Python, broken, "The function cannot be loaded into a zygote: exit status 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			box.KeepErr = tt.fails
			bubble(t, box, engine.Options{Sandboxes: map[string]sandbox.Sandbox{"memory": tt.able}}, func(t *testing.T, rt *host) {
				fam, err := rt.Family("hello")
				if err != nil {
					t.Fatal(err)
				}
				fn := platform.Function{Name: "hello", Runtime: tt.runtime, Code: rt.code, Start: tt.start}
				_, err = fam.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{})
				if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Invalid || !strings.Contains(e.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				synctest.Wait()
			})
		})
	}
}
