package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/coldcurve/coldcurve/analysis/stats"
)

// TestBothEndsExistFrom holds the smallest samples that have a two-sided 95%
// interval against the published ones.
func TestBothEndsExistFrom(t *testing.T) {
	for q, want := range map[float64]uint64{.5: 6, .9: 36, .95: 72, .99: 368, .999: 3688} {
		if got := stats.MinSamples(q, .95); got != want {
			t.Errorf("MinSamples(%v, .95) = %d, want %d", q, got, want)
		}
		if _, _, ok := stats.QuantileRanks(want, q, .95); !ok {
			t.Errorf("no interval of p%v at n=%d", 100*q, want)
		}
		if lo, hi, ok := stats.QuantileRanks(want-1, q, .95); ok {
			t.Errorf("an interval of p%v at n=%d: %d to %d", 100*q, want-1, lo, hi)
		}
	}
}

// TestMinSamplesAgreesWithQuantileRanks also meets the limit exactly: at a
// confidence of 31/32 six values just have an interval of the median.
func TestMinSamplesAgreesWithQuantileRanks(t *testing.T) {
	for _, q := range []float64{.01, .1, .25, .5, .75, .9, .99} {
		for _, confidence := range []float64{.5, .8, .9, .95, 31. / 32, .99, .999} {
			n := stats.MinSamples(q, confidence)
			for at, want := range map[uint64]bool{n - 1: false, n: true, n + 1: true} {
				if _, _, ok := stats.QuantileRanks(at, q, confidence); ok != want {
					t.Errorf("q=%v confidence=%v: interval at n=%d is %v, want %v", q, confidence, at, ok, want)
				}
			}
		}
	}
	if got := stats.MinSamples(.5, 31./32); got != 6 {
		t.Errorf("MinSamples(.5, 31/32) = %d, want 6", got)
	}
}

func TestNoIntervalOfNonsense(t *testing.T) {
	for _, c := range []struct{ q, confidence float64 }{{0, .95}, {1, .95}, {-1, .95}, {math.NaN(), .95}, {.5, 0}, {.5, 1}, {.5, math.NaN()}} {
		if lo, hi, ok := stats.QuantileRanks(100, c.q, c.confidence); ok || lo != 0 || hi != 0 {
			t.Errorf("QuantileRanks(100, %v, %v) = %d, %d, %v", c.q, c.confidence, lo, hi, ok)
		}
		if n := stats.MinSamples(c.q, c.confidence); n != 0 {
			t.Errorf("MinSamples(%v, %v) = %d, want 0", c.q, c.confidence, n)
		}
	}
	if lo, hi, ok := stats.QuantileRanks(0, .5, .95); ok || lo != 0 || hi != 0 {
		t.Errorf("QuantileRanks(0, .5, .95) = %d, %d, %v", lo, hi, ok)
	}
	if lo, hi, ok := stats.QuantileRanks(100, .99, .95); ok || lo == 0 || hi != 0 {
		t.Errorf("p99 of 100: %d, %d, %v; want a lower end only", lo, hi, ok)
	}
}

// bruteForce adds up the binomial distribution from its ends, in logarithms.
func bruteForce(n int, q, confidence float64) (lo, hi uint64) {
	p := make([]float64, n+1)
	whole, _ := math.Lgamma(float64(n + 1))
	for k := range p {
		a, _ := math.Lgamma(float64(k + 1))
		b, _ := math.Lgamma(float64(n - k + 1))
		p[k] = math.Exp(whole - a - b + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
	}
	limit := (1 - confidence) / 2 * (1 + 1e-9) // an end that meets the limit exactly is one
	sum := 0.0
	for k := 1; k <= n; k++ {
		if sum += p[k-1]; sum > limit {
			break
		}
		lo = uint64(k)
	}
	sum = 0
	for k := n; k >= 1; k-- {
		if sum += p[k]; sum > limit {
			break
		}
		hi = uint64(k)
	}
	return lo, hi
}

func TestRanksEqualBruteForce(t *testing.T) {
	for n := 1; n <= 500; n++ {
		for _, q := range []float64{.001, .1, .5, .613, .9, .95, .99, .999} {
			for _, confidence := range []float64{.8, .95, .99} {
				lo, hi, ok := stats.QuantileRanks(uint64(n), q, confidence)
				wantLo, wantHi := bruteForce(n, q, confidence)
				if lo != wantLo || hi != wantHi || ok != (wantLo > 0 && wantHi > 0) {
					t.Fatalf("n=%d q=%v confidence=%v: %d to %d (%v), want %d to %d", n, q, confidence, lo, hi, ok, wantLo, wantHi)
				}
			}
		}
	}
}

// TestRanksAgainstGonum checks the definition with another implementation of
// the binomial distribution: both ends hold, and the next ranks inward do not.
func TestRanksAgainstGonum(t *testing.T) {
	const tail = .025
	for _, n := range []uint64{1000, 20_000, 300_000} {
		for _, q := range []float64{.5, .9, .99, .999} {
			lo, hi, ok := stats.QuantileRanks(n, q, .95)
			if !ok {
				if n >= stats.MinSamples(q, .95) {
					t.Errorf("n=%d q=%v: no interval", n, q)
				}
				continue
			}
			b := distuv.Binomial{N: float64(n), P: q}
			for name, holds := range map[string]bool{
				"lower end holds":            b.CDF(float64(lo-1)) <= tail,
				"next rank up does not":      b.CDF(float64(lo)) > tail,
				"upper end holds":            1-b.CDF(float64(hi-1)) <= tail,
				"next rank down does not":    1-b.CDF(float64(hi-2)) > tail,
				"the quantile's rank inside": float64(lo) <= q*float64(n) && q*float64(n) <= float64(hi),
			} {
				if !holds {
					t.Errorf("n=%d q=%v: %d to %d: not so: %s", n, q, lo, hi, name)
				}
			}
		}
	}
}

// TestRanksOfAThousandMillion compares with the normal limit, which is as good
// as exact there.
func TestRanksOfAThousandMillion(t *testing.T) {
	const n, z = 1e9, 1.959963984540054
	for _, q := range []float64{.5, .99, .999} {
		lo, hi, ok := stats.QuantileRanks(n, q, .95)
		half := z * math.Sqrt(n*q*(1-q))
		if !ok || math.Abs(float64(lo)-(n*q-half)) > 3 || math.Abs(float64(hi)-(n*q+half)) > 3 {
			t.Errorf("q=%v: %d to %d, %v; want %.1f to %.1f", q, lo, hi, ok, n*q-half, n*q+half)
		}
	}
}

// TestCoverage draws samples and counts how often the interval holds the true
// quantile: at least as often as promised, to three standard errors.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	const trials, confidence = 4000, .95
	for _, c := range []struct {
		n int
		q float64
	}{{6, .5}, {25, .5}, {36, .9}, {100, .9}, {400, .99}} {
		t.Run(fmt.Sprintf("n=%d q=%v", c.n, c.q), func(t *testing.T) {
			lo, hi, ok := stats.QuantileRanks(uint64(c.n), c.q, confidence)
			if !ok {
				t.Fatal("no interval")
			}
			truth := -math.Log1p(-c.q)
			held := 0
			draws := make([]float64, c.n)
			for range trials {
				for i := range draws {
					draws[i] = rng.ExpFloat64()
				}
				slices.Sort(draws)
				if draws[lo-1] <= truth && truth <= draws[hi-1] {
					held++
				}
			}
			slack := 3 * math.Sqrt(confidence*(1-confidence)/trials)
			if got := float64(held) / trials; got < confidence-slack {
				t.Errorf("ranks %d to %d held the quantile in %.4f of trials, want %v", lo, hi, got, confidence)
			}
		})
	}
}

func BenchmarkQuantileRanks(b *testing.B) {
	for _, n := range []uint64{1e3, 1e6, 1e9} {
		b.Run(fmt.Sprintf("n=%.0e", float64(n)), func(b *testing.B) {
			for b.Loop() {
				stats.QuantileRanks(n, .5, .95)
			}
		})
	}
}
