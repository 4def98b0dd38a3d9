package arrival

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// A rate that changes with time is brought about by rescaling time:
//
//	rate                 R(t) = integral of rate over [0, t]
//	|      ___           |          ___---     G_i --------+
//	|     /   \          |       __/                       |  s_i = inverse of R at G_i
//	|____/     \___      |___---/                          v
//	+--------------> t   +--------------> t    ------------*----> t
//
// where G_i are the times of a process with rate 1: sums of Exp(1) gaps for
// random arrivals (a Poisson process with that rate), and 0, 1, 2, ... for
// Even ones. Even arrivals number exactly R(d), rounded down.
//
// The inverse is the last t with R(t) <= G: while the rate is 0, nobody comes.

// curve is an integrated rate over a phase.
type curve interface {
	upTo(t float64) float64 // R(t), t in seconds
	when(g float64) float64 // the inverse for 0 <= g < R(d)
}

// rescale yields the arrivals of a curve.
func rescale(d time.Duration, c curve, even bool, rng *rand.Rand) iter.Seq[time.Duration] {
	total := c.upTo(d.Seconds())
	return func(yield func(time.Duration) bool) {
		now := newClock(d)
		if even {
			for i := range whole(total) {
				if !yield(now.at(c.when(float64(i)))) {
					return
				}
			}
			return
		}
		for g := rng.ExpFloat64(); g < total; g += rng.ExpFloat64() {
			if !yield(now.at(c.when(g))) {
				return
			}
		}
	}
}

// expect is what Expected says for a curve.
func expect(d time.Duration, c curve, even bool) float64 {
	total := c.upTo(d.Seconds())
	if even {
		return float64(whole(total))
	}
	return total
}

// Ramp changes the rate in a straight line from From at the phase's start to
// To at its end.
type Ramp struct {
	From, To units.Rate // >= 0
	Even     bool       // evenly rescaled instead of at random
}

// Expected is (From+To)/2 x d.
func (p Ramp) Expected(d time.Duration) float64 {
	if !p.sound() || d <= 0 {
		return 0
	}
	return expect(d, p.curve(d), p.Even)
}

// Times draws one number an arrival, none if Even.
func (p Ramp) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	if !p.sound() || d <= 0 {
		return none
	}
	return rescale(d, p.curve(d), p.Even, rng)
}

func (p Ramp) sound() bool { return p.From >= 0 && p.To >= 0 }

func (p Ramp) curve(d time.Duration) line {
	return line{l0: float64(p.From), a: float64(p.To-p.From) / d.Seconds()}
}

// line is a rate of l0 + a t.
//
//	R(t) = l0 t + a t^2 / 2
//	s    = (-l0 + sqrt(l0^2 + 2 a G)) / a  =  2 G / (l0 + sqrt(l0^2 + 2 a G))
//
// The second form holds for a = 0 too and does not cancel for small a.
type line struct{ l0, a float64 }

func (c line) upTo(t float64) float64 { return float64(c.l0*t) + float64(c.a*t*t/2) }

func (c line) when(g float64) float64 {
	if g == 0 {
		return 0
	}
	return 2 * g / (c.l0 + math.Sqrt(max(float64(c.l0*c.l0)+float64(2*c.a*g), 0)))
}

// Step changes the rate at once, at At.
type Step struct {
	From, To units.Rate    // >= 0
	At       time.Duration // >= 0, from the phase's start
	Even     bool          // evenly rescaled instead of at random
}

// Expected is From x At + To x (d-At).
func (p Step) Expected(d time.Duration) float64 { return expect(d, p.curve(), p.Even) }

// Times draws one number an arrival, none if Even.
func (p Step) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	return rescale(d, p.curve(), p.Even, rng)
}

func (p Step) curve() plateaus {
	if !(p.From >= 0 && p.To >= 0 && p.At >= 0) {
		return nil
	}
	return plateaus{{float64(p.From), p.At.Seconds()}, {float64(p.To), math.Inf(1)}}
}

// Spike is a Step up (or down) at At and back again after Width.
type Spike struct {
	From, To  units.Rate    // >= 0: outside and inside of the spike
	At, Width time.Duration // >= 0, from the phase's start
	Even      bool          // evenly rescaled instead of at random
}

// Expected is From x d + (To-From) x Width, where the spike lies within d.
func (p Spike) Expected(d time.Duration) float64 { return expect(d, p.curve(), p.Even) }

// Times draws one number an arrival, none if Even.
func (p Spike) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	return rescale(d, p.curve(), p.Even, rng)
}

func (p Spike) curve() plateaus {
	if !(p.From >= 0 && p.To >= 0 && p.At >= 0 && p.Width >= 0) {
		return nil
	}
	return plateaus{
		{float64(p.From), p.At.Seconds()},
		{float64(p.To), (p.At + p.Width).Seconds()},
		{float64(p.From), math.Inf(1)},
	}
}

// plateaus is a rate that is constant up to each of some instants, the last of
// which is infinite. None at all is a rate of 0.
type plateaus []struct{ rate, until float64 }

func (c plateaus) upTo(t float64) float64 {
	sum, from := 0.0, 0.0
	for _, p := range c {
		sum += float64(p.rate * (min(t, p.until) - from))
		if t <= p.until {
			break
		}
		from = p.until
	}
	return sum
}

func (c plateaus) when(g float64) float64 {
	from := 0.0
	for _, p := range c {
		if held := p.rate * (p.until - from); g < held {
			return from + float64(g/p.rate)
		} else if p.rate > 0 {
			g -= held
		}
		from = p.until
	}
	return from
}

// Sine is a rate that rises and falls around a mean, as day and night do. It
// begins at the mean, rising.
//
//	rate(t) = Mean + Amplitude sin(2 pi t / Period)
type Sine struct {
	Mean      units.Rate    // > 0
	Amplitude units.Rate    // in [0, Mean]
	Period    time.Duration // > 0
	Even      bool          // evenly rescaled instead of at random
}

// Expected is Mean x d over whole periods.
func (p Sine) Expected(d time.Duration) float64 {
	if !p.sound() {
		return 0
	}
	return expect(d, p.curve(), p.Even)
}

// Times draws one number an arrival, none if Even.
func (p Sine) Times(d time.Duration, rng *rand.Rand) iter.Seq[time.Duration] {
	if !p.sound() {
		return none
	}
	return rescale(d, p.curve(), p.Even, rng)
}

func (p Sine) sound() bool {
	return p.Mean > 0 && p.Amplitude >= 0 && p.Amplitude <= p.Mean && p.Period > 0
}

func (p Sine) curve() wave {
	w := 2 * math.Pi / p.Period.Seconds()
	return wave{mean: float64(p.Mean), amplitude: float64(p.Amplitude), w: w}
}

// wave is the integral of Sine's rate:
//
//	R(t) = mean t + (amplitude / w) (1 - cos w t)
//
// It has no inverse in closed form. It lies between mean t and mean t +
// 2 amplitude / w, which brackets the root; Newton's method finds it, with a
// bisection wherever it would leave the bracket (the rate may touch 0).
type wave struct{ mean, amplitude, w float64 }

func (c wave) upTo(t float64) float64 {
	return float64(c.mean*t) + float64(c.amplitude/c.w*(1-math.Cos(c.w*t)))
}

func (c wave) when(g float64) float64 {
	low := max((g-2*c.amplitude/c.w)/c.mean, 0)
	high := g / c.mean
	t := (low + high) / 2
	// Far below the nanosecond of a schedule, but not below what a float64 of
	// that many seconds can tell apart.
	resolution := 1e-11 + float64(1e-15*high)
	for high-low > resolution {
		sin, cos := math.Sincos(c.w * t)
		miss := float64(c.mean*t) + float64(c.amplitude/c.w*(1-cos)) - g
		if miss > 0 {
			high = t
		} else {
			low = t
		}
		next := t - miss/(c.mean+float64(c.amplitude*sin))
		if math.Abs(next-t) <= resolution {
			return next
		}
		if !(next > low && next < high) {
			next = (low + high) / 2
		}
		t = next
	}
	return t
}
