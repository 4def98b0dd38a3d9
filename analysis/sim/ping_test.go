package sim_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// TestPingsEndBeforeTheNextRequest: of requests that come minutes apart, pinged
// in between, only the first is cold. A ping that was still under way when the
// next request came would make that one cold, too.
func TestPingsEndBeforeTheNextRequest(t *testing.T) {
	arrivals := func(*rand.Rand) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for k := range 100 {
				if !yield(time.Second + time.Duration(k)*17*time.Minute) {
					return
				}
			}
		}
	}
	policy := lifecycle.Policy{KeepAlive: 10 * time.Minute, Ping: lifecycle.Pings{Every: 5 * time.Minute, Count: 1}}
	r, err := sim.Events(context.Background(), sim.Load{Name: "f", Arrivals: arrivals}, sim.Options{
		Policy: policy, Service: dist.Constant(time.Millisecond), StartDelay: dist.Constant(time.Second), Warmup: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Served != 100 || r.Cold != 1 || r.Started != 1 {
		t.Errorf("of %d requests %d were cold, by %d instances; want 100, 1, 1", r.Served, r.Cold, r.Started)
	}
}
