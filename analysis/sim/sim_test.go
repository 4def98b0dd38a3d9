package sim_test

import (
	"iter"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
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
