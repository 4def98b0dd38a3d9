// Package sim owns what would happen: months of traffic on a pool of instances
// in virtual time, decided by the same code as in the reference runtime
// ([lifecycle.Pool]).
//
// In: a [Load] (when requests come), [Options] (the policy, how long requests
// are served and instances start) and a seed. Out: a [Result]: cold starts,
// queueing, response times, instances over time, and the usage that a bill is
// made of. Two engines: [Events] follows each request; [Levels] needs only the
// counts of each minute, and says how far off it may be. [Run] simulates many
// functions on all cores, [Shared] functions that share a budget of memory.
//
// It knows no prices and no clock, reads no files, and does not retry.
//
// # What the event engine does
//
// Arrivals and service times come from two random streams of the function's
// own, so that another policy meets the same requests. At one instant what is
// due by the policy comes first, then answers and instances that are ready,
// then arrivals: an instance that answers at t can serve who comes at t.
//
// A single function's time is one chain of decisions: the pool at an instant
// depends on who came within the keep-alive before. Cutting it at instants at
// which the pool is provably empty gains nothing where speed matters (a trace
// with gaps longer than keep-alive and service has few requests). So one
// function takes one core, beside another on which its arrivals are drawn.
package sim

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// Load is one function's requests.
type Load struct {
	// Name is the function's, for results and faults.
	Name string
	// Key begins the function's random streams, together with the seed: two
	// functions of one key meet the same chance. The default is the name.
	Key string
	// Span is how long the load lasts, from 0. 0: until the last arrival.
	Span time.Duration
	// About is how long it lasts, roughly, where a limit of requests ends it. 0: Span.
	About time.Duration
	// Counts are the requests of each minute from 0; nil where they are not
	// known. [Levels] needs them.
	Counts []uint32
	// Arrivals yields when requests come, ascending from 0. It is called once,
	// in a goroutine of its own, and uses no random source but the one given.
	Arrivals func(rng *rand.Rand) iter.Seq[time.Duration]
	// Timed, where it is known of requests how long each is served, yields that
	// with when they come, in place of Arrivals and on the same terms; one below 0
	// is as Options.Service says. It may be nil, and is of no effect where a
	// record is followed, which tells that itself.
	Timed func(rng *rand.Rand) iter.Seq2[time.Duration, time.Duration]
	// Err is asked when the arrivals have ended: what stopped them early, or
	// nil. It may be nil.
	Err func() error
}

// Options say what serves a load. The zero value of each but Service is its default.
type Options struct {
	// Policy is the pool's. Where its Seed is 0 it draws from a stream of the
	// function's own.
	Policy lifecycle.Policy

	Service     dist.Distribution // how long a request is served; required
	ColdService dist.Distribution // the same for the first request of an instance that it had started; nil is Service
	StartDelay  dist.Distribution // from a start until the instance is ready; nil is no time
	StartBeside dist.Distribution // the same for one that begins while another of the function goes on; nil is StartDelay

	// Record is the measured run that is followed: each request takes the next
	// place in it, comes to the pool late where the way was shut there, and of what
	// is a [dist.Succession] above it has that place's; so has a start, of the
	// request that came last. Nil is none.
	Record *dist.Record

	// Contention is what requests that share an instance ([lifecycle.Policy].Slots
	// above 1) cost each other. The default is nothing.
	Contention Contention

	// Warmup is left out of all figures, because the pool begins empty. 0 is
	// three times the longest life of an idle instance (where that is not
	// bounded: 20 mean service times), at most half of a known span; negative is none.
	Warmup time.Duration
	// Requests ends the simulation after so many requests, warm-up included. 0 is all.
	Requests uint64
	// Seed begins the random streams, together with the load's key.
	Seed uint64

	// Memory is an instance's size, for the usage. 0 is not known.
	Memory units.Bytes
	// BillStart has the start delay of a cold request billed with it, as AWS
	// Lambda does from 2025-08 on.
	BillStart bool

	// Watch is told every decision of the pool, in order, with its instant. It
	// may be nil.
	Watch func(at time.Duration, a lifecycle.Action)
	// Progress is told now and then what share (0 to 1) is done, from the
	// simulating goroutine. It may be nil. It is not called where neither the
	// load's span nor Requests is known.
	Progress func(share float64)
}

// Contention is how requests on one instance slow each other down.
type Contention struct {
	// Slowdown makes a request's service longer by this share for each other
	// request that the instance serves when it begins: 0.1 is 10% each. It is
	// fixed for the request then.
	Slowdown float64
	// Cores, above 0, has requests share so many processors evenly instead:
	// each of k proceeds at the rate min(1, Cores/k), at every instant.
	Cores float64
}

// Validate gives every fault, joined, or nil.
func (c Contention) Validate() error {
	var faults []error
	if s := c.Slowdown; !(s >= 0 && s <= 1000) {
		faults = append(faults, fmt.Errorf("slowdown %v: must be from 0 to 1000", s))
	}
	if n := c.Cores; !(n >= 0 && n <= 1e6) {
		faults = append(faults, fmt.Errorf("cores %v: must be from 0, which is one for each request, to 1e6", n))
	}
	if c.Cores > 0 && c.Slowdown > 0 {
		faults = append(faults, fmt.Errorf("slowdown %v with %v cores: leave one out, both say how requests slow each other down", c.Slowdown, c.Cores))
	}
	return errors.Join(faults...)
}

// Validate gives every fault of the options, joined, or nil.
func (o *Options) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("simulation: "+format, args...))
	}
	if err := o.Policy.Validate(); err != nil {
		faults = append(faults, err)
	}
	if o.Service == nil {
		fault("service: missing: give the distribution of how long a request is served")
	}
	if err := o.Contention.Validate(); err != nil {
		faults = append(faults, err)
	}
	if o.Memory < 0 {
		fault("memory %d: must be at least 0, which is not known", o.Memory)
	}
	return errors.Join(faults...)
}

// warmup is what is left out at the beginning of a load, and a doubt where that
// is less than it should be.
func (o *Options) warmup(span time.Duration) (time.Duration, *Warning) {
	if o.Warmup != 0 {
		return max(o.Warmup, 0), nil
	}
	w := 20 * min(o.Service.Mean(), dist.Longest/20)
	if life := o.longestLife(); life >= 0 {
		w = 3 * min(life, dist.Longest/3)
	}
	if span > 0 && w > span/2 {
		return span / 2, warn(ShortWarmup, "warm-up is %s, half of the load, though three keep-alives would be %s",
			units.FormatDuration(span/2), units.FormatDuration(w))
	}
	return w, nil
}

// DefaultWarmup is what is left out of a load of some span (0: not known) where
// Warmup is 0.
func (o *Options) DefaultWarmup(span time.Duration) time.Duration {
	alone := *o
	alone.Warmup = 0
	w, _ := alone.warmup(span)
	return w
}

// longestLife is how long an idle instance lives at most; negative is no bound.
func (o *Options) longestLife() time.Duration {
	p := &o.Policy
	switch n := len(p.Survival); {
	case n > 0:
		return p.Survival[n-1].Idle
	case p.Hybrid != nil: // its range (4 h by default) and what it keeps for without a histogram
		span := cmp.Or(p.Hybrid.Range, 4*time.Hour)
		return max(span, cmp.Or(p.Hybrid.Standard, span))
	}
	return p.KeepAlive
}

// coldService is how long the first request of an instance is served.
func (o *Options) coldService() dist.Distribution {
	if o.ColdService != nil {
		return o.ColdService
	}
	return o.Service
}

// stream is a random stream of a function's own. Streams of one function with
// different kinds have nothing to do with each other.
func (l *Load) stream(seed uint64, kind uint64) *rand.Rand {
	return stream.New(seed, cmp.Or(l.Key, l.Name), kind)
}
