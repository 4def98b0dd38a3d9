package arrival

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Kolmogorov and Smirnov's distance of a sample from a distribution, times the
// square root of n. Above 1.95 it is one time in a thousand; the seeds are
// fixed, so a test passes always or never.
const ksLimit = 1.95

func ks(sample []float64, cdf func(float64) float64) float64 {
	slices.Sort(sample)
	n, worst := float64(len(sample)), 0.0
	for i, x := range sample {
		f := cdf(x)
		worst = max(worst, f-float64(i)/n, float64(i+1)/n-f)
	}
	return worst * math.Sqrt(n)
}

func exponential(x float64) float64 { return 1 - math.Exp(-x) }

// Rescaled by the integral of its rate, every random arrival process with a
// rate is the Poisson process of rate 1: gaps are Exp(1). The integrals here
// are written down anew, as formulas of the rate's definition.
func TestRescaledGapsAreExponential(t *testing.T) {
	const d = 100 * time.Second
	for _, c := range []struct {
		named
		integral func(t float64) float64
	}{
		{named{"poisson", Poisson{Rate: 200}}, func(t float64) float64 { return 200 * t }},
		{named{"ramp up", Ramp{From: 0, To: 400}}, func(t float64) float64 { return 2 * t * t }},
		{named{"ramp down", Ramp{From: 400, To: 100}}, func(t float64) float64 { return 400*t - 1.5*t*t }},
		{named{"step", Step{From: 100, To: 300, At: 50 * time.Second}}, func(t float64) float64 {
			return 100*t + 200*max(t-50, 0)
		}},
		{named{"spike", Spike{From: 50, To: 1000, At: 20 * time.Second, Width: 10 * time.Second}}, func(t float64) float64 {
			return 50*t + 950*min(max(t-20, 0), 10)
		}},
		{named{"sine", Sine{Mean: 200, Amplitude: 200, Period: 20 * time.Second}}, func(t float64) float64 {
			return 200*t + 200*20/(2*math.Pi)*(1-math.Cos(2*math.Pi*t/20))
		}},
	} {
		times := collect(c, d, 3)
		gaps := make([]float64, len(times))
		last := 0.0
		for i, at := range times {
			g := c.integral(at.Seconds())
			gaps[i], last = g-last, g
		}
		if len(gaps) < 10_000 {
			t.Fatalf("%s: %d arrivals are too few to test", c.name, len(gaps))
		}
		if got := ks(gaps, exponential); got > ksLimit {
			t.Errorf("%s: distance of rescaled gaps from Exp(1) is %.3f/sqrt(n), want at most %v", c.name, got, ksLimit)
		}
		if even, ok := evenly(c.Process); ok {
			for i, at := range collect(even, d, 3) {
				if got := c.integral(at.Seconds()); math.Abs(got-float64(i)) > 1e-5 {
					t.Fatalf("%s, even: arrival %d comes at integrated rate %v, want %d", c.name, i, got, i)
				}
			}
		}
	}
}

func evenly(p Process) (Process, bool) {
	switch p := p.(type) {
	case Ramp:
		p.Even = true
		return p, true
	case Step:
		p.Even = true
		return p, true
	case Spike:
		p.Even = true
		return p, true
	case Sine:
		p.Even = true
		return p, true
	}
	return p, false
}

// Seconds since a distant start have few digits left behind the point. The
// search for the inverse must end all the same, and near the mark.
func TestSineOverAMonth(t *testing.T) {
	const d = 30 * 24 * time.Hour
	for _, amplitude := range []float64{0, .1, .2} {
		wave := Sine{Mean: .2, Amplitude: units.Rate(amplitude), Period: 24 * time.Hour}.curve()
		n := 0
		for at := range rescale(d, wave, true, nil) {
			if got := wave.upTo(at.Seconds()); math.Abs(got-float64(n)) > 1e-6 {
				t.Fatalf("amplitude %v: arrival %d comes at integrated rate %v", amplitude, n, got)
			}
			n++
		}
		if n != 518_400 {
			t.Errorf("amplitude %v: %d arrivals, want 518,400", amplitude, n)
		}
	}
}

func TestEvenIsExact(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		named
		d    time.Duration
		want int
	}{
		{named{"ramp", Ramp{From: 0, To: 100, Even: true}}, 10 * s, 500},
		{named{"ramp .1 to .3", Ramp{From: .1, To: .3, Even: true}}, 50 * s, 10},
		{named{"step", Step{From: 0, To: 80, At: 4 * s, Even: true}}, 10 * s, 480},
		{named{"spike", Spike{From: 1, To: 100, At: 3 * s, Width: 2 * s, Even: true}}, 10 * s, 208},
		{named{"sine", Sine{Mean: 50, Amplitude: 50, Period: 5 * s, Even: true}}, 10 * s, 500},
	} {
		if got := len(collect(c, c.d, 1)); got != c.want {
			t.Errorf("%s: %d arrivals, want %d", c.name, got, c.want)
		}
	}
}

// Nobody comes while the rate is 0, and the first of evenly spaced arrivals
// comes when that ends.
func TestNobodyComesAtRate0(t *testing.T) {
	const s = time.Second
	for _, even := range []bool{false, true} {
		step := collect(Step{From: 0, To: 80, At: 4 * s, Even: even}, 10*s, 1)
		if step[0] < 4*s {
			t.Errorf("step at 4s, even %v: first arrival at %v", even, step[0])
		}
		if even && step[0] != 4*s {
			t.Errorf("even step at 4s: first arrival at %v", step[0])
		}
		spike := collect(Spike{From: 0, To: 80, At: 4 * s, Width: s, Even: even}, 10*s, 1)
		if last := spike[len(spike)-1]; spike[0] < 4*s || last >= 5*s {
			t.Errorf("spike in [4s, 5s), even %v: arrivals from %v to %v", even, spike[0], last)
		}
	}
}

// dispersion is the index of dispersion of counts in equal windows: variance
// over mean, 1 for Poisson.
func dispersion(times []time.Duration, d, window time.Duration) float64 {
	counts := make([]float64, d/window)
	for _, at := range times {
		counts[at/window]++
	}
	mean, squares := 0.0, 0.0
	for _, n := range counts {
		mean += n / float64(len(counts))
	}
	for _, n := range counts {
		squares += (n - mean) * (n - mean)
	}
	return squares / float64(len(counts)-1) / mean
}

func TestDispersion(t *testing.T) {
	const d, window = 1000 * time.Second, time.Second
	for _, c := range []struct {
		named
		low, high float64
	}{
		{named{"constant", Constant{Rate: 100}}, 0, .02},
		// The index over 1,000 windows is chi-squared/999: 1 ± 4 x .045.
		{named{"poisson", Poisson{Rate: 100}}, .82, 1.18},
		// A renewal process tends to CV^2 over windows much longer than a gap.
		{named{"bursty", Bursty{Rate: 100, CV: 3}}, 7, 11},
	} {
		if got := dispersion(collect(c, d, 5), d, window); got < c.low || got > c.high {
			t.Errorf("%s: index of dispersion %.3f, want it in [%v, %v]", c.name, got, c.low, c.high)
		}
	}
}

func TestBurstyHasItsRateAndCV(t *testing.T) {
	for _, cv := range []float64{.5, 1, 2, 4, 8} {
		times := collect(Bursty{Rate: 500, CV: cv}, 300*time.Second, 11)
		n, mean, squares := 0.0, 0.0, 0.0
		for i := 1; i < len(times); i++ {
			gap := (times[i] - times[i-1]).Seconds()
			n++
			delta := gap - mean
			mean += delta / n
			squares += delta * (gap - mean)
		}
		// A variance's relative deviation is sqrt((excess kurtosis + 2) / n), a
		// gamma's excess kurtosis 6 CV^2; a count's deviation is CV sqrt(n).
		got := math.Sqrt(squares/n) / mean
		if off := math.Abs(got/cv - 1); off > 4*.5*math.Sqrt((6*cv*cv+2)/n) {
			t.Errorf("CV %v: gaps have %.3f", cv, got)
		}
		if off := math.Abs(n - 150_000); off > 4*cv*math.Sqrt(150_000) {
			t.Errorf("CV %v: %v arrivals, want about 150,000", cv, n)
		}
	}
}

func TestGammaIsGamma(t *testing.T) {
	// Shapes whose distribution has a closed form: 1/2 is half of chi-squared
	// with one degree of freedom, 1 is exponential, 2 is Erlang.
	for shape, cdf := range map[float64]func(float64) float64{
		.5: func(x float64) float64 { return math.Erf(math.Sqrt(x)) },
		1:  exponential,
		2:  func(x float64) float64 { return 1 - math.Exp(-x)*(1+x) },
	} {
		rng, sample := seeded(9), make([]float64, 50_000)
		for i := range sample {
			sample[i] = gamma(shape, rng)
		}
		if got := ks(sample, cdf); got > ksLimit {
			t.Errorf("gamma(%v): distance %.3f/sqrt(n), want at most %v", shape, got, ksLimit)
		}
	}
}

// In equilibrium the first instants of a phase are like any others. A process
// that began with an arrival, or with a whole gap, fails this by far.
func TestBurstyBeginsInEquilibrium(t *testing.T) {
	const runs, rate, window = 100_000, 10, 20 * time.Millisecond // .2 expected
	for _, cv := range []float64{.5, 4} {
		n := 0
		for seed := range uint64(runs) {
			n += len(collect(Bursty{Rate: rate, CV: cv}, window, seed))
		}
		if got := float64(n) / runs; math.Abs(got-.2) > .03 {
			t.Errorf("CV %v: %.4f arrivals in the first %v, want .2", cv, got, window)
		}
	}
}
