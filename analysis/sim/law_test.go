package sim_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// TestColdStartLaw compares with the exact solution for Poisson arrivals,
// exponential service and a fixed keep-alive.
func TestColdStartLaw(t *testing.T) {
	r, err := sim.Events(context.Background(), poisson(1), sim.Options{
		Policy: lifecycle.Policy{KeepAlive: time.Minute}, Service: text(t, "exp:1s"), Requests: 1e6, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if se := *r.PColdStderr; math.Abs(r.PCold-.01139262) > 4*se || se > .02*.0114 {
		t.Errorf("cold share %.6f with standard error %.2g, want .01139262", r.PCold, se)
	}
	if math.Abs(r.InstancesMean-4.594982) > .03 || math.Abs(r.BusyMean-1) > .01 {
		t.Errorf("%.3f instances, %.3f busy, want 4.595 and 1", r.InstancesMean, r.BusyMean)
	}
	if r.WarmupRequests < 150 || r.Requests+r.WarmupRequests != 1e6 {
		t.Errorf("%d requests after %d of warm-up, want 1e6 together and three keep-alives of 60 s of them warm-up", r.Requests, r.WarmupRequests)
	}
}
