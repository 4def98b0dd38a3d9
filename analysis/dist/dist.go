// Package dist owns distributions of durations: how long a request is served,
// how long an instance takes to start.
//
// In: parameters, a text such as "exp:2.016s", a histogram, a table of
// percentiles, a file of either, or the requests of a measured run. Out: a
// [Distribution], which knows its mean, variance and quantiles and draws from a
// random source that the caller seeds, or the run as a [Record], to be followed
// from place to place. It fits no form to data and makes no requests.
//
//	const:100ms                     always the same
//	exp:2s                          exponential, of that mean
//	lognormal:680ms,2.36            median, sigma of the logarithm
//	lognormal:p50=100ms,p99=2s      by two of its quantiles
//	weibull:1s,0.7                  scale, shape
//	gamma:1s,0.5                    mean, coefficient of variation
//	table:p0=10ms,p50=80ms,p100=2s  percentiles, see [Table]
package dist

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Distribution is a distribution of durations of at least 0. All methods but
// Sample are pure; Sample allocates nothing and is safe for concurrent use with
// random sources of one's own.
//
// Draws do not depend on each other: what does is in a [Record].
//
// Variance is in square seconds. Quantile takes q from 0 to 1: the least
// duration that a share q of all does not exceed; [Longest] where there is no
// bound. String is the text that [Parse] reads back, where there is one.
type Distribution interface {
	Sample(rng *rand.Rand) time.Duration
	Mean() time.Duration
	Variance() float64
	Quantile(q float64) time.Duration
	String() string
}

// Longest is the longest duration that a distribution yields: longer draws of
// a distribution without bound are cut to it. It is 73 years, so that sums with
// instants of a simulation stay durations.
const Longest = math.MaxInt64 / 4 * time.Nanosecond

// seconds rounds to a duration from 0 to Longest.
func seconds(s float64) time.Duration {
	ns := s*1e9 + .5
	if !(ns < float64(Longest)) {
		return Longest
	}
	return time.Duration(max(ns, 0))
}

// Constant is always the same.
type Constant time.Duration

// Sample draws nothing.
func (c Constant) Sample(*rand.Rand) time.Duration { return time.Duration(c) }

// Mean is the constant.
func (c Constant) Mean() time.Duration { return time.Duration(c) }

// Variance is 0.
func (c Constant) Variance() float64 { return 0 }

// Quantile is the constant.
func (c Constant) Quantile(float64) time.Duration { return time.Duration(c) }

func (c Constant) String() string { return "const:" + time.Duration(c).String() }

// Exponential has the given mean: what is left does not depend on what has passed.
type Exponential time.Duration

// Sample draws one exponential variate.
func (e Exponential) Sample(rng *rand.Rand) time.Duration {
	return time.Duration(rng.ExpFloat64() * float64(e))
}

// Mean is the parameter.
func (e Exponential) Mean() time.Duration { return time.Duration(e) }

// Variance is the mean squared.
func (e Exponential) Variance() float64 { m := time.Duration(e).Seconds(); return m * m }

// Quantile is -mean ln(1-q).
func (e Exponential) Quantile(q float64) time.Duration {
	return seconds(-time.Duration(e).Seconds() * math.Log1p(-q))
}

func (e Exponential) String() string { return "exp:" + time.Duration(e).String() }

// Lognormal is exp(Mu + Sigma Z) seconds with Z normal; exp(Mu) is its median.
type Lognormal struct {
	Mu    float64 // of seconds
	Sigma float64 // at least 0
}

// Sample draws one normal variate.
func (l Lognormal) Sample(rng *rand.Rand) time.Duration {
	return seconds(math.Exp(l.Mu + l.Sigma*rng.NormFloat64()))
}

// Mean is exp(Mu + Sigma^2/2).
func (l Lognormal) Mean() time.Duration { return seconds(math.Exp(l.Mu + l.Sigma*l.Sigma/2)) }

// Variance is (exp(Sigma^2) - 1) exp(2 Mu + Sigma^2).
func (l Lognormal) Variance() float64 {
	return math.Expm1(l.Sigma*l.Sigma) * math.Exp(2*l.Mu+l.Sigma*l.Sigma)
}

// Quantile is exp(Mu + Sigma z(q)).
func (l Lognormal) Quantile(q float64) time.Duration {
	if l.Sigma == 0 {
		return seconds(math.Exp(l.Mu))
	}
	return seconds(math.Exp(l.Mu + l.Sigma*distuv.UnitNormal.Quantile(clip(q))))
}

func (l Lognormal) String() string {
	return "lognormal:" + seconds(math.Exp(l.Mu)).String() + "," + number(l.Sigma)
}

// Weibull is Scale E^(1/Shape) with E exponential of mean 1: a heavy tail below
// shape 1, and wear above it.
type Weibull struct {
	Scale time.Duration
	Shape float64 // > 0
}

// Sample draws one exponential variate.
func (w Weibull) Sample(rng *rand.Rand) time.Duration {
	return seconds(w.Scale.Seconds() * math.Pow(rng.ExpFloat64(), 1/w.Shape))
}

// Mean is Scale G(1 + 1/Shape), G the gamma function.
func (w Weibull) Mean() time.Duration { return seconds(w.Scale.Seconds() * math.Gamma(1+1/w.Shape)) }

// Variance is Scale^2 (G(1 + 2/Shape) - G(1 + 1/Shape)^2).
func (w Weibull) Variance() float64 {
	s, g := w.Scale.Seconds(), math.Gamma(1+1/w.Shape)
	return s * s * (math.Gamma(1+2/w.Shape) - g*g)
}

// Quantile is Scale (-ln(1-q))^(1/Shape).
func (w Weibull) Quantile(q float64) time.Duration {
	return seconds(w.Scale.Seconds() * math.Pow(-math.Log1p(-clip(q)), 1/w.Shape))
}

func (w Weibull) String() string { return "weibull:" + w.Scale.String() + "," + number(w.Shape) }

// Gamma has the given mean and coefficient of variation CV: shape 1/CV^2 and
// scale Average CV^2.
type Gamma struct {
	Average time.Duration
	CV      float64 // > 0
}

// Sample draws by Marsaglia and Tsang, "A simple method for generating gamma
// variables" (2000); shapes below 1 by their boost, G(k) = G(k+1) U^(1/k).
func (g Gamma) Sample(rng *rand.Rand) time.Duration {
	shape := 1 / (g.CV * g.CV)
	boost := 1.
	if shape < 1 {
		boost = math.Pow(1-rng.Float64(), 1/shape)
		shape++
	}
	d := shape - 1./3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-rng.Float64()) < .5*x*x+d*(1-v+math.Log(v)) {
			return seconds(d * v * boost * g.CV * g.CV * g.Average.Seconds())
		}
	}
}

// Mean is Average.
func (g Gamma) Mean() time.Duration { return g.Average }

// Variance is (Average CV)^2.
func (g Gamma) Variance() float64 { s := g.Average.Seconds() * g.CV; return s * s }

// Quantile is the inverse of the regularised incomplete gamma function.
func (g Gamma) Quantile(q float64) time.Duration {
	q = clip(q)
	if q == 1 {
		return Longest
	}
	shape := 1 / (g.CV * g.CV)
	return seconds(g.Average.Seconds() / shape * mathext.GammaIncRegInv(shape, q))
}

func (g Gamma) String() string { return "gamma:" + g.Average.String() + "," + number(g.CV) }

// clip keeps a quantile's rank from 0 to 1.
func clip(q float64) float64 { return min(max(q, 0), 1) }

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// show is a duration in words, for faults.
func show(d time.Duration) string { return units.FormatDuration(d) }
