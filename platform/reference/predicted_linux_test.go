//go:build linux

package reference_test

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestLiveTrafficIsPredicted sends requests to processes, takes from the
// answers how long handlers and starts took, and has the simulator say how many
// requests of those times are cold. What a busy machine delays, it delays for
// both.
func TestLiveTrafficIsPredicted(t *testing.T) {
	policy := lifecycle.Policy{KeepAlive: 300 * time.Millisecond}
	d := deploy(t, open(t, reference.ClientOptions{Settings: reference.Settings{Policy: policy}}), build(t, "sleep", platform.Go))

	const n = 150
	sent, answers := make([]time.Duration, n), make([]answer, n)
	rng := rand.New(rand.NewPCG(1, 2))
	origin := time.Now()
	var all sync.WaitGroup
	for k := range n {
		time.Sleep(time.Duration(rng.ExpFloat64() * float64(60*time.Millisecond)))
		sent[k] = time.Since(origin)
		all.Go(func() {
			answers[k].Response, answers[k].err = d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"ms":40}`)})
		})
	}
	all.Wait()

	handlers, starts, cold := hist.New(), hist.New(), 0
	for _, a := range answers {
		if a.err != nil {
			t.Fatal(a.err)
		}
		b := a.Evidence.Breakdown
		handlers.Record(b.Handler)
		if a.Evidence.Start == sample.Cold {
			cold++
			starts.Record(b.Provision + b.Boot + b.Init)
		}
	}
	predicted := predict(t, policy, sent, handlers, starts)
	t.Logf("%d of %d cold, predicted %d; handlers %v, starts %v on average", cold, n, predicted, handlers.Mean(), starts.Mean())
	if off := math.Abs(float64(cold - predicted)); off > max(4, .25*float64(predicted)) {
		t.Errorf("%d of %d were cold, predicted are %d", cold, n, predicted)
	}
	if cold < 5 || cold > n*3/4 {
		t.Errorf("%d of %d were cold: that any simulator predicts", cold, n)
	}
}

// predict is how many requests that come at given times are cold.
func predict(t *testing.T, policy lifecycle.Policy, came []time.Duration, handlers, starts *hist.Histogram) int {
	t.Helper()
	service, err := dist.NewEmpirical(handlers)
	if err != nil {
		t.Fatal(err)
	}
	delay, err := dist.NewEmpirical(starts)
	if err != nil {
		t.Fatal(err)
	}
	load := sim.Load{Name: "sleep", Arrivals: func(*rand.Rand) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for _, at := range came {
				if !yield(at) {
					return
				}
			}
		}
	}}
	r, err := sim.Events(context.Background(), load, sim.Options{Policy: policy, Service: service, StartDelay: delay, Warmup: -1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return int(r.Cold)
}
