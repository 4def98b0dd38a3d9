package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/memory"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// TestMemoryOfWhoIdlesLongestGoes to whose start needs it.
func TestMemoryOfWhoIdlesLongestGoes(t *testing.T) {
	box := &memory.Sandbox{}
	o := engine.Options{Memory: 3 * 128 << 20, Policy: lifecycle.Policy{KeepAlive: time.Hour}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		for _, name := range []string{"a", "b", "c", "d"} {
			rt.create(platform.Function{Name: name})
		}
		var got []string
		for _, name := range []string{"a", "b", "c", "a", "d", "a", "b"} {
			out, err := rt.Invoke(t.Context(), name, engine.Invocation{})
			got = append(got, fmt.Sprint(name, " ", out.Start, " ", err))
			time.Sleep(time.Second)
		}
		want := []string{"a cold <nil>", "b cold <nil>", "c cold <nil>", "a warm <nil>", "d cold <nil>", "a warm <nil>", "b cold <nil>"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("served (-want +got):\n%s", diff)
		}
		synctest.Wait()
		records, _ := rt.Instances()
		var gone []string
		for _, r := range records {
			if r.Gone != 0 {
				gone = append(gone, r.Function+" "+r.Reason)
			}
		}
		if diff := cmp.Diff([]string{"b memory", "c memory"}, gone); diff != "" {
			t.Errorf("gone (-want +got):\n%s", diff)
		}
	})
}

func TestNoMemoryLeft(t *testing.T) {
	box := &memory.Sandbox{Handler: takes(time.Second)}
	o := engine.Options{Memory: 256 << 20, Policy: lifecycle.Policy{KeepAlive: time.Hour}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		rt.create(platform.Function{Name: "hello"})
		outs, errs := spike(t.Context(), rt, 3)
		if len(outs) != 2 || len(errs) != 1 {
			t.Fatalf("%d of 3 were served with memory for 2: %v", len(outs), errs)
		}
		if e, ok := errors.AsType[*engine.Error](errs[0]); !ok || e.Code != engine.Throttled || !strings.Contains(e.Message, "memory") {
			t.Errorf("the third: %v", errs[0])
		}
	})
}

// TestMemoryAndConcurrencyTogether has functions of different sizes want more
// than there is of both: neither is exceeded, and everybody is served.
func TestMemoryAndConcurrencyTogether(t *testing.T) {
	sizes := map[string]units.Bytes{"a": 128 << 20, "b": 256 << 20, "c": 128 << 20}
	const budget = 512 << 20
	for _, concurrency := range []int{0, 3, 8} {
		for _, keep := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprintf("%d, keep-alive %v", concurrency, keep), func(t *testing.T) {
				var mu sync.Mutex
				var used units.Bytes
				busy := make(map[string]int)
				enter := func(name string, by int) {
					mu.Lock()
					defer mu.Unlock()
					busy[name] += by
					used += units.Bytes(by) * sizes[name]
					if used > budget {
						t.Errorf("%d bytes in use of %d", used, budget)
					}
					if concurrency > 0 && (busy["b"] > 1 || busy["a"]+busy["c"] > concurrency-1) {
						t.Errorf("%v at once, of %d, 1 of them reserved for b", busy, concurrency)
					}
				}
				box := &memory.Sandbox{Handler: func(id string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
					enter(id[:1], 1)
					defer enter(id[:1], -1)
					return takes(time.Second)(id, inv, kill)
				}}
				limits := engine.LambdaLimits()
				limits.Unreserved = 0
				o := engine.Options{
					Memory: budget, Limits: limits,
					Policy: lifecycle.Policy{Concurrency: concurrency, KeepAlive: keep, QueueLimit: 100},
				}
				bubble(t, box, o, func(t *testing.T, rt *host) {
					for name, size := range sizes {
						rt.create(platform.Function{Name: name, Memory: size, Timeout: time.Minute})
					}
					if one := 1; concurrency > 0 {
						if err := rt.reserve("b", &one); err != nil {
							t.Fatal(err)
						}
					}
					began := time.Now()
					var all sync.WaitGroup
					for i := range 60 {
						all.Go(func() {
							out, err := rt.Invoke(t.Context(), string("abc"[i%3]), engine.Invocation{})
							if err != nil || out.Kind != sample.NoError {
								t.Errorf("request %d: %+v, %v", i, out, err)
							}
						})
					}
					all.Wait()
					// 20 s of 256 MB and 40 s of 128 MB fill 512 MB for 20 s; b alone takes 20 s at one at once.
					if took := time.Since(began); took > 45*time.Second {
						t.Errorf("60 requests of a second each took %v: somebody waited beside free memory", took)
					}
				})
			})
		}
	}
}

// TestMuchMemoryComesFreeAtOnce for four functions that wait, of which the
// account lets two start.
func TestMuchMemoryComesFreeAtOnce(t *testing.T) {
	var busy, peak atomic.Int64
	box := &memory.Sandbox{Handler: func(id string, inv *sandbox.Invocation, kill <-chan struct{}) ([]byte, error) {
		peak.Store(max(peak.Load(), busy.Add(1)))
		defer busy.Add(-1)
		return takes(time.Second)(id, inv, kill)
	}}
	o := engine.Options{Memory: 1152 << 20, Policy: lifecycle.Policy{Concurrency: 3, QueueLimit: 10}}
	bubble(t, box, o, func(t *testing.T, rt *host) {
		var all sync.WaitGroup
		for _, name := range []string{"large", "a", "b", "c", "d", "e"} {
			fn := platform.Function{Name: name, Timeout: time.Minute}
			if name == "large" {
				fn.Memory = 1024 << 20
			}
			rt.create(fn)
			all.Go(func() {
				if _, err := rt.Invoke(t.Context(), name, engine.Invocation{}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			synctest.Wait()
			time.Sleep(ms)
		}
		all.Wait()
		if peak.Load() != 3 {
			t.Errorf("%d requests at once, of 3", peak.Load())
		}
	})
}
