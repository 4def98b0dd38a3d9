package engine_test

import (
	"errors"
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

// TestFaultsAreSeenAsWhatTheyAre makes each fault in every start or request.
func TestFaultsAreSeenAsWhatTheyAre(t *testing.T) {
	tests := []struct {
		name    string
		faults  engine.Faults
		kind    sample.ErrorKind // of the outcome
		refused bool             // in its place
		took    time.Duration    // from arrival to reply; 0: not looked at
		counts  engine.FaultCounts
	}{
		{"a sandbox that cannot be made", engine.Faults{StartFails: 1}, 0, true, 0, engine.FaultCounts{StartFails: 1}},
		{"a crash in init", engine.Faults{InitCrash: 1}, sample.Init, false, 0, engine.FaultCounts{InitCrash: 1}},
		{"a slow init", engine.Faults{InitSlow: 1, InitDelay: time.Second}, sample.NoError, false, ms + time.Second + 100*ms, engine.FaultCounts{InitSlow: 1}},
		{"a crash", engine.Faults{Crash: 1}, sample.Crash, false, 0, engine.FaultCounts{Crash: 1}},
		{"a kill", engine.Faults{Kill: 1, Within: 50 * ms}, sample.Crash, false, 0, engine.FaultCounts{Kill: 1}},
		{"a hang", engine.Faults{Hang: 1}, sample.Timeout, false, 7*ms + 30*time.Second, engine.FaultCounts{Hang: 1}},
		{"one that cannot be made", engine.Faults{DiskFull: 1}, sample.NoError, false, 107 * ms, engine.FaultCounts{Failed: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			box := slowStart()
			box.Handler = takes(100 * ms)
			bubble(t, box, engine.Options{Faults: &tt.faults, Policy: lifecycle.Policy{KeepAlive: time.Minute}}, func(t *testing.T, rt *host) {
				rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
				out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{})
				e, refused := errors.AsType[*engine.Error](err)
				if refused != tt.refused || refused && e.Code != engine.Unavailable || out.Kind != tt.kind {
					t.Errorf("the request ended as %+v, %v", out, err)
				}
				if took := time.Duration(out.Truth.Replied - out.Truth.Arrived); tt.took != 0 && took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if diff := cmp.Diff(tt.counts, rt.Faulted()); diff != "" {
					t.Errorf("faults (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestFaultsByShares(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(10 * ms)}
	faults := &engine.Faults{Crash: .1, Kill: .2, Within: 5 * ms, Seed: 7}
	bubble(t, box, engine.Options{Faults: faults, Policy: lifecycle.Policy{KeepAlive: time.Minute}}, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Timeout: 30 * time.Second})
		const n = 3000
		var crashed uint64
		for range n {
			if invoke(t, rt).Kind == sample.Crash {
				crashed++
			}
		}
		made := rt.Faulted()
		if crashed != made.Crash+made.Kill {
			t.Errorf("%d requests crashed of %+v", crashed, made)
		}
		// Standard errors: 16 and 22.
		if made.Crash < n/10-80 || made.Crash > n/10+80 || made.Kill < n/5-110 || made.Kill > n/5+110 {
			t.Errorf("of %d requests: %+v, want a tenth and a fifth", n, made)
		}
	})
}

func TestFaultsThatCannotBe(t *testing.T) {
	err := engine.Faults{StartFails: .6, InitCrash: .6, Kill: 2, InitSlow: .1, Within: -1}.Validate()
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("four faults: %v", err)
	}
}
