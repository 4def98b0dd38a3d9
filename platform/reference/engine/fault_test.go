package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
)

// always is a fault of every start or request.
func always(kind platform.FaultKind, delay time.Duration) platform.Fault {
	return platform.Fault{Kind: kind, Share: 1, Delay: delay}
}

// TestFaultsAreSeenAsWhatTheyAre makes each fault in every start or request.
func TestFaultsAreSeenAsWhatTheyAre(t *testing.T) {
	tests := []struct {
		name    string
		fault   platform.Fault
		kind    sample.ErrorKind // of the outcome
		refused bool             // in its place
		took    time.Duration    // from arrival to reply; 0: not looked at
		count   engine.FaultCount
	}{
		{"a sandbox that cannot be made", always(platform.StartFailure, 0), 0, true, 0, engine.FaultCount{Made: 1}},
		{"a crash in init", always(platform.CrashInit, 0), sample.Init, false, 0, engine.FaultCount{Made: 1}},
		{"a slow init", always(platform.SlowInit, time.Second), sample.NoError, false, 7*ms + time.Second + 100*ms, engine.FaultCount{Made: 1}},
		{"an init beyond its limit", always(platform.SlowInit, time.Minute), sample.NoError, false, ms + time.Minute + 100*ms, engine.FaultCount{Made: 1}},
		{"a crash", always(platform.Crash, 0), sample.Crash, false, 0, engine.FaultCount{Made: 1}},
		{"a kill", always(platform.Kill, 50*ms), sample.Crash, false, 57 * ms, engine.FaultCount{Made: 1}},
		{"a hang", always(platform.Hang, 0), sample.Timeout, false, 7*ms + 30*time.Second, engine.FaultCount{Made: 1}},
		{"too little memory", always(platform.OutOfMemory, 0), sample.OutOfMemory, false, 0, engine.FaultCount{Made: 1}},
		{"one that cannot be made", always(platform.DiskFull, 0), sample.NoError, false, 107 * ms, engine.FaultCount{Failed: 1}},
		{"one that comes after the answer", always(platform.Kill, time.Second), sample.NoError, false, 107 * ms, engine.FaultCount{Late: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			box := slowStart()
			box.Handler = takes(100 * ms)
			bubble(t, box, engine.Options{Faults: []platform.Fault{tt.fault}, Policy: lifecycle.Policy{KeepAlive: time.Minute}}, func(t *testing.T, rt *host) {
				rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
				out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{})
				e, refused := errors.AsType[*engine.Error](err)
				if refused != tt.refused || refused && e.Code != engine.Unavailable || out.Kind != tt.kind {
					t.Errorf("the request ended as %+v, %v", out, err)
				}
				if took := time.Duration(out.Truth.Replied - out.Truth.Arrived); tt.took != 0 && took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				got := rt.Faulted()[0]
				if failed := got.Why != nil; failed != (tt.count.Failed > 0) {
					t.Errorf("could not be made: %v", got.Why)
				}
				tt.count.Fault, got.Why = tt.fault, nil
				if diff := cmp.Diff(tt.count, got); diff != "" {
					t.Errorf("fault (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestACrashInInitIsInit, also where the instance was ready before it ended.
func TestACrashInInitIsInit(t *testing.T) {
	box := slowStart()
	box.Quick = true
	fault := always(platform.CrashInit, 0)
	bubble(t, box, engine.Options{Faults: []platform.Fault{fault}, Policy: lifecycle.Policy{KeepAlive: time.Minute}}, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
		out := invoke(t, rt)
		if out.Kind != sample.Init || out.Start != sample.Cold || out.Truth.Failed == 0 || out.Truth.Ready != 0 {
			t.Errorf("the request ended as %+v", out)
		}
		if got := rt.Faulted()[0]; got.Made != 1 || got.Late != 0 {
			t.Errorf("the fault was %+v", got)
		}
	})
}

// TestASlowInitIsInit: no other part of the start takes longer, and init by as
// much as was asked for.
func TestASlowInitIsInit(t *testing.T) {
	fault := always(platform.SlowInit, 3*ms)
	bubble(t, slowStart(), engine.Options{Faults: []platform.Fault{fault}, Policy: lifecycle.Policy{KeepAlive: time.Minute}}, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
		truth := invoke(t, rt).Truth
		if boot := time.Duration(truth.Booted - truth.Provisioned); boot != 2*ms {
			t.Errorf("it booted for %v, want 2ms", boot)
		}
		if init := time.Duration(truth.Ready - truth.Booted); init != 7*ms {
			t.Errorf("init took %v, want 4ms and 3ms more", init)
		}
	})
}

// TestSeedsHitTheSameRequests: whatever other faults and functions there are.
func TestSeedsHitTheSameRequests(t *testing.T) {
	const n = 400
	hit := func(seed uint64, faults ...platform.Fault) (crashed []int) {
		box := &memory.Sandbox{Handler: takes(10 * ms)}
		bubble(t, box, engine.Options{Faults: faults, Seed: seed, Policy: lifecycle.Policy{KeepAlive: time.Minute}}, func(t *testing.T, rt *host) {
			rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
			rt.create(platform.Function{Name: "other", Timeout: 30 * time.Second})
			for i := range n {
				if invoke(t, rt).Kind == sample.Crash {
					crashed = append(crashed, i)
				}
				if _, err := rt.Invoke(t.Context(), "other", engine.Invocation{}); err != nil {
					t.Fatal(err)
				}
			}
			crashes := uint64(0)
			for _, f := range rt.Faulted() {
				if f.Function == "hello" {
					crashes += f.Made
				}
			}
			if faults[0].Function == "hello" && crashes != uint64(len(crashed)) {
				t.Errorf("%d requests crashed: %+v", len(crashed), rt.Faulted())
			}
		})
		return crashed
	}
	kill := platform.Fault{Function: "hello", Kind: platform.Kill, Share: .1, Delay: 5 * ms}
	alone := hit(7, kill)
	// Standard error: 6.
	if len(alone) < n/10-30 || len(alone) > n/10+30 {
		t.Errorf("%d of %d requests were killed, want a tenth", len(alone), n)
	}
	everywhere := kill
	everywhere.Function = ""
	for name, again := range map[string][]int{
		"again":                    hit(7, kill),
		"of all functions":         hit(7, everywhere),
		"beside a fault of starts": hit(7, kill, platform.Fault{Kind: platform.SlowInit, Share: .5, Delay: 20 * ms}),
	} {
		if diff := cmp.Diff(alone, again); diff != "" {
			t.Errorf("%s, the same seed hits others (-alone +%s):\n%s", name, name, diff)
		}
	}
	if slices.Equal(alone, hit(8, kill)) {
		t.Error("another seed hits the same requests")
	}
	both := hit(7, kill, platform.Fault{Function: "hello", Kind: platform.Crash, Share: .1})
	for _, i := range alone {
		if !slices.Contains(both, i) {
			t.Errorf("beside another kind, request %d is spared", i)
		}
	}
}

// TestFaultsAreCountedOnce: every drawn one is made, late or failed.
func TestFaultsAreCountedOnce(t *testing.T) {
	faults := []platform.Fault{always(platform.Kill, 0), always(platform.StartFailure, 0), always(platform.SlowInit, time.Second)}
	bubble(t, slowStart(), engine.Options{Faults: faults, Policy: lifecycle.Policy{Concurrency: 1}}, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
		if _, err := rt.Invoke(t.Context(), "hello", engine.Invocation{}); err == nil {
			t.Error("served by an instance that could not be started")
		}
		want := []engine.FaultCount{{Fault: faults[0], Late: 1}, {Fault: faults[1], Made: 1}, {Fault: faults[2], Late: 1}}
		if diff := cmp.Diff(want, rt.Faulted()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		notes := strings.Join(rt.Notes(), "\n")
		for _, want := range []string{"on purpose: kill in 100% of the requests", "kill in the requests: 0 made, 1 too late", "start-failure in the starts: 1 made"} {
			if !strings.Contains(notes, want) {
				t.Errorf("no %q in the notes:\n%s", want, notes)
			}
		}
	})
}

func TestFaultsThatCannotBe(t *testing.T) {
	_, err := engine.New(engine.Options{Faults: []platform.Fault{
		{Kind: platform.Kill, Share: 2}, {Kind: "flood"}, {Kind: platform.SlowInit, Share: .1}, {Kind: platform.Hang, Delay: -1},
	}})
	if err == nil || strings.Count(err.Error(), "engine: faults: ") != 4 {
		t.Errorf("four faults: %v", err)
	}
}
