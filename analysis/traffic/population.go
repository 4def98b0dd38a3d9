package traffic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// Population is many functions as a provider sees them, after what is published
// of Azure Functions (Shahrad et al., "Serverless in the Wild", ATC 2020):
//
//	requests a day   lognormal through its figures of 45% of apps with at most one
//	                 an hour and 81% with at most one a minute; at most 10^8 a day
//	mean service     lognormal, mu -.38, sigma 2.36 (s), at most 10 minutes; a
//	                 function's own times are exponential about its mean
//	memory           Burr, c 11.652, k .221, lambda 107.083 (MB), at most 1.5 GB
//	timers           15.6% of functions: even gaps, each with a beginning of its own
//
// The rest come in a renewal process of which CV is the coefficient of
// variation of gaps; how that spreads over functions is not published, so it is
// one for all. There is no daily rhythm in it, and no function knows of another.
type Population struct {
	Functions int           // the default is 1000; at most 10 million
	Span      time.Duration // the default is 24h
	Seed      uint64        // of rates, durations, memory; not of the arrivals
	Scale     float64       // multiplies rates; the default is 1
	CV        float64       // from 0.1 to 100; the default is 1, Poisson
}

// Validate gives every fault, joined, or nil.
func (p Population) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("population: "+format, args...))
	}
	if p.Functions < 0 || p.Functions > 10_000_000 {
		fault("%d functions: must be from 1 to 10000000", p.Functions)
	}
	if p.Span < 0 || p.Span > longestSpan*time.Second {
		fault("span %v: must be more than 0 and at most ten years", p.Span)
	}
	if p.Scale < 0 || !(p.Scale <= 1e6) {
		fault("scale %v: must be more than 0 and at most 1e6", p.Scale)
	}
	if p.CV != 0 && !(p.CV >= .1 && p.CV <= 100) {
		fault("cv %v: must be from 0.1 to 100", p.CV)
	}
	return errors.Join(faults...)
}

// Source is the population's traffic; p is valid. Each function is drawn from a
// random source of its own: a greater population begins with the functions of
// a smaller one.
func (p Population) Source() Source {
	p.Functions = cmp.Or(p.Functions, 1000)
	p.Span = cmp.Or(p.Span, 24*time.Hour)
	p.Scale = cmp.Or(p.Scale, 1)
	p.CV = cmp.Or(p.CV, 1)
	about := About{Format: "synthetic population", Functions: p.Functions, Span: p.Span, Notes: []string{
		"rates, durations and memory are drawn from published fits to Azure Functions; there is no daily rhythm",
	}}
	for i := range p.Functions {
		about.Requests += p.member(i).Expected
	}
	return crowd{about, p}
}

// crowd makes the functions of a population one at a time.
type crowd struct {
	about About
	of    Population
}

func (c crowd) About() About { return c.about }
func (c crowd) Close() error { return nil }

func (c crowd) Functions(ctx context.Context) iter.Seq2[*Function, error] {
	return func(yield func(*Function, error) bool) {
		for i := range c.of.Functions {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(c.of.member(i), nil) {
				return
			}
		}
	}
}

// The fits, see [Population].
const (
	dayMu, daySigma         = 3.691, 4.079 // ln of requests a day, through (24, 45%) and (1440, 81%)
	mostADay                = 1e8
	serviceMu, serviceSigma = -.38, 2.36
	longestService          = 10 * time.Minute
	burrC, burrK, burrMB    = 11.652, .221, 107.083
	mostMB                  = 1536
	timerShare              = .156
)

func (p Population) member(i int) *Function {
	rng := stream.New(p.Seed, "population", uint64(i))
	day := min(math.Exp(dayMu+daySigma*rng.NormFloat64()), mostADay)
	rate := units.Rate(day * p.Scale / (24 * 60 * 60))
	mean := min(time.Duration(math.Exp(serviceMu+serviceSigma*rng.NormFloat64())*1e9), longestService)
	memory := min(burr(1-rng.Float64()), mostMB)
	f := &Function{
		Name:    fmt.Sprintf("f%05d", i),
		Memory:  units.Bytes(memory * float64(units.MB)),
		Service: dist.Exponential(mean),
	}
	return Phases(f, Phase{Duration: p.Span, Process: p.process(rate, rng)})
}

func (p Population) process(rate units.Rate, rng *rand.Rand) arrival.Process {
	timer, offset := rng.Float64() < timerShare, rng.Float64()
	switch {
	case timer:
		gap := time.Duration(min(1e9/float64(rate), float64(longestSpan)*1e9))
		return arrival.Gap{Gap: max(gap, 1), At: time.Duration(offset * float64(gap))}
	case p.CV == 1:
		return arrival.Poisson{Rate: rate}
	}
	return arrival.Bursty{Rate: rate, CV: p.CV}
}

// burr is the quantile function of the Burr distribution of memory, in MB, at 1-u:
//
//	F(x) = 1 - (1 + (x/lambda)^c)^-k
func burr(u float64) float64 {
	return burrMB * math.Pow(math.Pow(u, -1/burrK)-1, 1/burrC)
}
