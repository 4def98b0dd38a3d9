package sim_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// live is the memory in use, garbage collected, in bytes.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryDoesNotGrowWithRequests looks into simulations while they run: ten
// times as many requests hold as much memory.
func TestMemoryDoesNotGrowWithRequests(t *testing.T) {
	const looks = 8
	options := sim.Options{
		Policy: lifecycle.Policy{KeepAlive: time.Minute, Concurrency: 30, QueueLimit: 100}, Service: text(t, "exp:200ms"), StartDelay: text(t, "exp:1s"), Seed: 1,
	}
	events := func(requests uint64) (most uint64) {
		load, n := poisson(100), uint64(0)
		arrivals := load.Arrivals
		load.Arrivals = func(rng *rand.Rand) iter.Seq[time.Duration] {
			return func(yield func(time.Duration) bool) {
				for at := range arrivals(rng) {
					if n++; n%(requests/looks) == 0 {
						most = max(most, live())
					}
					if !yield(at) {
						return
					}
				}
			}
		}
		o := options
		o.Requests = requests
		if _, err := sim.Events(context.Background(), load, o); err != nil {
			t.Fatal(err)
		}
		return most
	}
	levels := func(scale uint32) (most uint64) {
		load := sim.Load{Name: "f", Counts: make([]uint32, 20*1024)}
		for k := range load.Counts {
			load.Counts[k] = scale * uint32(60+k%7)
		}
		o := options
		o.Policy = lifecycle.Policy{KeepAlive: 10 * time.Minute}
		o.Progress = func(float64) { most = max(most, live()) }
		if _, err := sim.Levels(context.Background(), load, o); err != nil {
			t.Fatal(err)
		}
		return most
	}
	const slack = 1 << 20
	if few, many := events(2e5), events(2e6); many > few+slack || few == 0 {
		t.Errorf("by events 200,000 requests hold %d bytes, and 2,000,000 %d", few, many)
	}
	if few, many := levels(1), levels(10); many > few+slack || few == 0 {
		t.Errorf("by levels a count holds %d bytes, and ten times as much %d", few, many)
	}
}
