package engine_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// ledger is a Meter that keeps what it is told.
type ledger struct {
	mu    sync.Mutex
	usage map[usage.Key]usage.Usage
}

func (l *ledger) Charge(k usage.Key, u usage.Usage) { l.add(k, u) }

func (l *ledger) add(k usage.Key, u usage.Usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.usage == nil {
		l.usage = make(map[usage.Key]usage.Usage)
	}
	sum := l.usage[k]
	sum.Add(u)
	l.usage[k] = sum
}

// note is what a request's caller would charge, from what it was told.
func (l *ledger) note(k usage.Key, memory int64, out engine.Outcome, err error) {
	u := usage.Usage{Requests: 1}
	e, refused := errors.AsType[*engine.Error](err)
	switch {
	case refused && e.Code == engine.Throttled:
		u.Throttled = 1
	case refused:
		u.Refused = 1
	default:
		if out.Kind != sample.NoError {
			u.Errors = 1
		}
		for start, counter := range map[sample.Start]*uint64{
			sample.Cold: &u.Cold, sample.Prewarmed: &u.Prewarmed, sample.Restored: &u.Restored, sample.Provisioned: &u.Provisioned,
		} {
			if out.Start == start {
				*counter = 1
			}
		}
		if out.Start == sample.Provisioned {
			u.MemoryTimeProvisioned = memory * int64(out.Billed/time.Millisecond)
		}
		u.Billed, u.InitBilled = out.Billed, out.InitBilled
		u.MemoryTime = memory * int64(out.Billed/time.Millisecond)
	}
	l.add(k, u)
}

// TestStartsAreChargedByKind: what a pool or a zygote has started is no cold start
// to the meter either, nor is a resume.
func TestStartsAreChargedByKind(t *testing.T) {
	for start, test := range map[string]struct {
		able func(*memory.Sandbox) sandbox.Sandbox
		want usage.Usage
	}{
		engine.StartPool:   {func(box *memory.Sandbox) sandbox.Sandbox { return memory.Stocked{Sandbox: box} }, usage.Usage{Requests: 2, Prewarmed: 1}},
		engine.StartZygote: {func(box *memory.Sandbox) sandbox.Sandbox { return memory.Brooding{Sandbox: box} }, usage.Usage{Requests: 2, Restored: 1}},
		engine.StartPause:  {func(box *memory.Sandbox) sandbox.Sandbox { return memory.Pausing{Sandbox: box} }, usage.Usage{Requests: 2, Cold: 1, Restored: 1}},
	} {
		t.Run(start, func(t *testing.T) {
			var meter ledger
			box := tiered()
			o := engine.Options{
				Meter: &meter, Policy: lifecycle.Policy{KeepAlive: time.Minute},
				Sandboxes: map[string]sandbox.Sandbox{"memory": test.able(box)},
				Stock:     map[platform.Runtime]int{platform.Python: 1},
			}
			bubble(t, box, o, func(t *testing.T, rt *host) {
				rt.create(platform.Function{Name: "hello", Runtime: platform.Python, Start: start, Timeout: 30 * time.Second})
				invoke(t, rt)
				time.Sleep(time.Second)
				invoke(t, rt)
			})
			got := meter.usage[usage.Key{Function: "hello", Version: "$LATEST"}]
			got.Billed, got.InitBilled, got.MemoryTime = 0, 0, 0
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestEachOutcomeIsCharged(t *testing.T) {
	const second = time.Second
	var meter ledger
	box := slowStart()
	var slow atomic.Bool
	box.Handler = func(id string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
		if slow.Load() {
			return takes(time.Minute)(id, inv, kill)
		}
		return takes(second)(id, inv, kill)
	}
	o := engine.Options{Meter: &meter, Policy: lifecycle.Policy{Concurrency: 1, KeepAlive: time.Minute}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello", Memory: 256 << 20, Timeout: 3 * second})
		send := func(inv engine.Invocation) { _, _ = rt.Invoke(t.Context(), "hello", inv) }
		send(engine.Invocation{Consumer: "shop"})                                              // cold
		send(engine.Invocation{Consumer: "shop", Stage: "test"})                               // warm
		send(engine.Invocation{Consumer: "shop", Stage: "test", Payload: make([]byte, 7<<20)}) // too large
		var both sync.WaitGroup
		both.Go(func() { send(engine.Invocation{}) })
		time.Sleep(second / 2)
		send(engine.Invocation{Consumer: "late"}) // throttled
		both.Wait()
		slow.Store(true)
		send(engine.Invocation{Consumer: "slow"}) // times out
		old := rt.version("hello")
		if err := old.Retire(t.Context()); err != nil {
			t.Error(err)
		}
		send(engine.Invocation{Consumer: "nobody"}) // not taken
	})
	key := func(consumer, stage string) usage.Key {
		return usage.Key{Function: "hello", Version: engine.Latest, Consumer: consumer, Stage: stage}
	}
	want := map[usage.Key]usage.Usage{
		key("shop", ""):     {Requests: 1, Cold: 1, Billed: second + 6*ms, InitBilled: 6 * ms, MemoryTime: 256 * 1006},
		key("shop", "test"): {Requests: 2, Refused: 1, Billed: second, MemoryTime: 256 * 1000},
		key("", ""):         {Requests: 1, Billed: second, MemoryTime: 256 * 1000},
		key("late", ""):     {Requests: 1, Throttled: 1},
		key("slow", ""):     {Requests: 1, Errors: 1, Billed: 3 * second, MemoryTime: 256 * 3000},
	}
	if diff := cmp.Diff(want, meter.usage); diff != "" {
		t.Errorf("charged (-want +got):\n%s", diff)
	}
}
