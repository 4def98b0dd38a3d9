package engine_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// stocked opens a Runtime in a bubble that keeps two Python runtimes booted,
// with the function hello that starts from them.
func stocked(t *testing.T, box *memory.Sandbox, test func(*testing.T, *host)) {
	t.Helper()
	o := engine.Options{
		Sandboxes: map[string]sandbox.Sandbox{"memory": memory.Stocked{Sandbox: box}},
		Stock:     map[platform.Runtime]int{platform.Python: 2},
	}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Runtime: platform.Python, Start: engine.StartPool, Timeout: 30 * time.Second})
		test(t, rt)
	})
}

var assigned = served{sample.Prewarmed, sample.Breakdown{Provision: ms / 4, Init: 4 * ms, Handler: 8 * ms}, 12 * ms}

func TestPool(t *testing.T) {
	box := tiered()
	stocked(t, box, func(t *testing.T, rt *host) {
		if box.Kept() < 1 {
			t.Error("Add has not waited for a stem")
		}
		time.Sleep(time.Second)
		if box.Kept() != 2 {
			t.Errorf("%d stems, want 2", box.Kept())
		}
		wantServed(t, assigned, look(t, rt), "a start")
		time.Sleep(time.Second)
		outs, errs := spike(t.Context(), rt, 3)
		if got := starts(outs); got[sample.Prewarmed] != 2 || got[sample.Cold] != 1 || len(errs) > 0 {
			t.Errorf("3 starts at once from 2 stems: %v, %v", got, errs)
		}
		time.Sleep(time.Second)
		for id := range box.Ids() {
			box.Kill(id)
		}
		synctest.Wait()
		wantServed(t, fromNothing, look(t, rt), "a start after the stems' death")
		time.Sleep(5 * time.Second)
		if box.Kept() != 2 {
			t.Errorf("%d stems after some have died, want 2", box.Kept())
		}
		// The next function of that runtime finds the stock that is there.
		rt.create(platform.Function{Name: "other", Runtime: platform.Python, Start: engine.StartPool})
		if err := rt.version("hello").Retire(t.Context()); err != nil {
			t.Error(err)
		}
		if box.Kept() != 2 {
			t.Errorf("%d stems, want the same 2", box.Kept())
		}
	})
}

// TestStemDiesOfItsFunction: the start goes on from nothing.
func TestStemDiesOfItsFunction(t *testing.T) {
	box := tiered()
	var dies atomic.Bool
	box.ForkErr = failing(&dies)
	stocked(t, box, func(t *testing.T, rt *host) {
		time.Sleep(time.Second)
		dies.Store(true)
		wantServed(t, fromNothing, look(t, rt), "a start whose stem died of it")
		dies.Store(false)
		time.Sleep(time.Second)
		wantServed(t, assigned, look(t, rt), "the next one")
	})
}

func TestPoolOfWhatCannotBeBooted(t *testing.T) {
	box := tiered()
	stocked(t, box, func(t *testing.T, rt *host) {
		fam, err := rt.Family("go")
		if err != nil {
			t.Fatal(err)
		}
		fn := platform.Function{Name: "go", Runtime: platform.Go, Code: rt.code, Start: engine.StartPool}
		for range 2 { // the second time too
			_, err = fam.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{})
			if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.Invalid || !strings.Contains(err.Error(), "runtime go cannot be booted ahead") {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestPoolUnderLoad takes stems while others die: every request is served.
func TestPoolUnderLoad(t *testing.T) {
	box := tiered()
	stocked(t, box, func(t *testing.T, rt *host) {
		counts := make(map[sample.Start]int)
		for range 100 {
			outs, errs := spike(t.Context(), rt, 4)
			for start, n := range starts(outs) {
				counts[start] += n
			}
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			for id := range box.Ids() {
				box.Kill(id)
			}
			time.Sleep(700 * ms)
		}
		if counts[sample.Cold]+counts[sample.Prewarmed] != 400 || counts[sample.Prewarmed] < 20 || counts[sample.Cold] < 100 {
			t.Errorf("400 requests were served %v", counts)
		}
	})
}
