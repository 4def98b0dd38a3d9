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
// requests of those times are cold. The simulator draws each time by itself; a
// busy machine delays many at once. So it gets several tries to be right in one:
// a simulator that is wrong is wrong in all of them.
func TestLiveTrafficIsPredicted(t *testing.T) {
	policy := lifecycle.Policy{KeepAlive: 300 * time.Millisecond}
	d := deploy(t, open(t, reference.ClientOptions{Settings: reference.Settings{Policy: policy}}), build(t, "sleep", platform.Go))
	for try := range 5 {
		time.Sleep(2 * policy.KeepAlive) // as empty as at first
		cold, predicted := liveAndPredicted(t, policy, d, uint64(try))
		off := math.Abs(float64(cold - predicted))
		if off <= max(4, .25*float64(predicted)) && cold >= 5 && cold <= predictedRequests*3/4 {
			return
		}
	}
	t.Error("no prediction was within a quarter of what was seen, or all are such as any simulator makes")
}

const predictedRequests = 150

func liveAndPredicted(t *testing.T, policy lifecycle.Policy, d platform.Deployment, seed uint64) (cold, predicted int) {
	t.Helper()
	sent, answers := make([]time.Duration, predictedRequests), make([]answer, predictedRequests)
	rng := rand.New(rand.NewPCG(seed, 2))
	origin := time.Now()
	var all sync.WaitGroup
	for k := range sent {
		time.Sleep(time.Duration(rng.ExpFloat64() * float64(60*time.Millisecond)))
		sent[k] = time.Since(origin)
		all.Go(func() {
			answers[k].Response, answers[k].err = d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"ms":40}`)})
		})
	}
	all.Wait()

	handlers, starts := hist.New(), hist.New()
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
	if cold == 0 {
		t.Fatal("nothing was cold")
	}
	predicted = predict(t, policy, sent, handlers, starts)
	t.Logf("%d of %d cold, predicted %d; handlers %v, starts %v on average", cold, predictedRequests, predicted, handlers.Mean(), starts.Mean())
	return cold, predicted
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
