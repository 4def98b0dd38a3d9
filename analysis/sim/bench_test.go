package sim_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// poisson is a load without end.
func poisson(rate float64) sim.Load {
	return sim.Load{Name: "f", Arrivals: func(rng *rand.Rand) iter.Seq[time.Duration] {
		return arrival.Poisson{Rate: units.Rate(rate)}.Times(math.MaxInt64, rng)
	}}
}

func text(t testing.TB, s string) dist.Distribution {
	t.Helper()
	d, err := dist.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// BenchmarkEvents is one function's requests a second.
func BenchmarkEvents(b *testing.B) {
	for _, c := range []struct {
		rate      float64
		service   string
		keepAlive time.Duration
	}{
		{.9, "exp:2.016s", 10 * time.Minute},
		{1, "exp:1s", time.Minute},
		{100, "exp:100ms", 10 * time.Minute},
		{1000, "exp:100ms", 10 * time.Minute},
		{100, "const:100ms", 10 * time.Minute},
	} {
		for _, cores := range []int{1, 2} {
			b.Run(fmt.Sprintf("rate=%v/service=%s/cores=%d", c.rate, c.service, cores), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
				const n = 5e6
				for b.Loop() {
					if _, err := sim.Events(context.Background(), poisson(c.rate), sim.Options{
						Policy: lifecycle.Policy{KeepAlive: c.keepAlive}, Service: text(b, c.service), Requests: n, Seed: 1,
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrequests/s")
			})
		}
	}
}
