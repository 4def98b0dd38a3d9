package arrival

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Poisson is independent callers at an even mean rate: gaps are exponential.
type Poisson struct {
	Rate units.Rate // > 0
}

// Expected is Rate x d.
func (p Poisson) Expected(d time.Duration) float64 {
	return max(float64(p.Rate)*d.Seconds(), 0)
}

// Times draws one gap an arrival.
func (p Poisson) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	if !(p.Rate > 0) {
		return none
	}
	mean := 1 / float64(p.Rate)
	gap := func() float64 { return float64(rng.ExpFloat64() * mean) }
	return renewals(d, gap, gap)
}

// Bursty is a renewal process with gamma-distributed gaps: clumps and silences
// at a given mean rate. CV is the coefficient of variation of the gaps; 1
// would be Poisson, 4 is a badly behaved client.
//
//	shape k = 1/CV^2, scale = CV^2/Rate, mean gap = 1/Rate
//
// It starts in equilibrium, as if it had gone on for ever before the phase:
// the first arrival comes after what is left of the gap in which the phase
// begins. Starting with an arrival instead would put a clump at every phase's
// start and raise the rate there.
type Bursty struct {
	Rate units.Rate // > 0
	CV   float64    // > 0
}

// Expected is Rate x d, exactly, because the process starts in equilibrium.
func (p Bursty) Expected(d time.Duration) float64 {
	if !(p.CV > 0) {
		return 0
	}
	return max(float64(p.Rate)*d.Seconds(), 0)
}

// Times draws one gap an arrival.
func (p Bursty) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	if !(p.Rate > 0) || !(p.CV > 0) {
		return none
	}
	shape := 1 / (p.CV * p.CV)
	scale := p.CV * p.CV / float64(p.Rate)
	// The gap that holds a given instant is length-biased, which for gamma
	// means a shape greater by one, and the instant is uniform in it.
	residual := func() float64 { return float64(rng.Float64() * gamma(shape+1, rng) * scale) }
	return renewals(d, residual, func() float64 { return float64(gamma(shape, rng) * scale) })
}

// renewals yields the sums of first and all later gaps, in seconds, below d.
func renewals(d time.Duration, first, gap func() float64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		now, end := newClock(d), d.Seconds()
		for s := first(); s < end; s += gap() {
			if !yield(now.at(s)) {
				return
			}
		}
	}
}

// gamma draws from the gamma distribution with the given shape > 0 and scale 1,
// by Marsaglia and Tsang, "A simple method for generating gamma variables"
// (2000); shapes below 1 by their boost: G(k) = G(k+1) U^(1/k).
func gamma(shape float64, rng *rand.Rand) float64 {
	if shape < 1 {
		return gamma(shape+1, rng) * math.Pow(1-rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + float64(c*x)
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := 1 - rng.Float64()
		if math.Log(u) < float64(0.5*x*x)+float64(d*(1-v+math.Log(v))) {
			return d * v
		}
	}
}
