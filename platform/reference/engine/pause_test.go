package engine_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
)

func TestPause(t *testing.T) {
	warm := served{sample.Warm, sample.Breakdown{Handler: 8 * ms}, 8 * ms}
	resumed := served{sample.Restored, sample.Breakdown{Provision: ms / 8, Handler: 8 * ms}, 8 * ms}
	box := tiered()
	policy := lifecycle.Policy{KeepAlive: time.Minute, PauseAfter: time.Second}
	policy.Pause = true // else PauseAfter has no meaning
	var stuck atomic.Bool
	box.ResumeErr = failing(&stuck)
	tier(t, box, memory.Pausing{Sandbox: box}, engine.StartPlain, policy, func(t *testing.T, rt *host) {
		wantServed(t, fromNothing, look(t, rt), "the first request")
		wantServed(t, warm, look(t, rt), "one before the pause")
		time.Sleep(2 * time.Second)
		wantServed(t, resumed, look(t, rt), "one after it")
		wantServed(t, warm, look(t, rt), "one after that")

		time.Sleep(2 * time.Second)
		stuck.Store(true)
		out, err := rt.Invoke(t.Context(), "hello", engine.Invocation{})
		if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Unavailable || out.Start != sample.Restored || out.Truth.HandlerStart != 0 {
			t.Errorf("one whose instance does not resume: %+v, %v", out, err)
		}
		stuck.Store(false)
		wantServed(t, fromNothing, look(t, rt), "one after its loss")

		time.Sleep(2 * time.Second)
		box.Kill("hello-2")
		synctest.Wait()
		wantServed(t, fromNothing, look(t, rt), "one after the death of a paused instance")
		time.Sleep(time.Hour)
		if box.Len() != 0 {
			t.Errorf("%d instances outlive their keep-alive", box.Len())
		}
	})
}

// TestPauseFails: who cannot be paused goes, and that is told.
func TestPauseFails(t *testing.T) {
	box := tiered()
	var stuck atomic.Bool
	stuck.Store(true)
	box.PauseErr = failing(&stuck)
	tier(t, box, memory.Pausing{Sandbox: box}, engine.StartPause, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		for range 2 {
			wantServed(t, fromNothing, look(t, rt), "a request")
			time.Sleep(time.Second)
		}
		if box.Len() != 0 {
			t.Errorf("%d instances are there that should stand still", box.Len())
		}
		stuck.Store(false)
		look(t, rt)
		if notes := strings.Join(rt.Notes(), "\n"); !strings.Contains(notes, "2 instances could not be paused and had to go; the first: no more processes") {
			t.Errorf("notes %q", notes)
		}
	})
}

// TestPauseAtOnce has requests come at the very instant of the pause.
func TestPauseAtOnce(t *testing.T) {
	box := tiered()
	tier(t, box, memory.Pausing{Sandbox: box}, engine.StartPause, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		total := make(map[sample.Start]int)
		for range 200 {
			outs, errs := spike(t.Context(), rt, 3)
			for start, n := range starts(outs) {
				total[start] += n
			}
			for _, err := range errs {
				t.Error(err)
			}
			for _, out := range outs {
				if out.Kind != sample.NoError {
					t.Errorf("a request ended as %+v", out)
				}
			}
		}
		if total[sample.Cold] != 3 || total[sample.Restored] != 597 {
			t.Errorf("600 requests, 3 at once, were served %v", total)
		}
	})
}

func TestSandboxThatCannotPause(t *testing.T) {
	box := slowStart()
	tier(t, box, box, engine.StartPause, lifecycle.Policy{KeepAlive: time.Minute}, func(t *testing.T, rt *host) {
		_, err := rt.Invoke(t.Context(), "hello", engine.Invocation{})
		if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Unavailable || !strings.Contains(err.Error(), "the memory sandbox cannot pause instances") {
			t.Errorf("got %v", err)
		}
	})
}
