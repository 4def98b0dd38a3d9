package study

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// Autoscaling is a fleet that follows its utilisation, late: it is simulated,
// because no steady state tells what a load does that changes within the
// minutes that a metric and a boot take.
type Autoscaling struct {
	// Rules are the autoscaler's. Min is what is sought, and at least the need's
	// instances for availability; a Min that is given is where the search begins.
	// The default of Max is ten times what the busiest stretch takes; one below
	// the minimum that is tried is raised to it, for a fleet of constant size.
	Rules   fleet.Autoscaling
	Boot    dist.Distribution // nil is at once
	Billing fleet.Billing
	Seed    uint64 // of arrivals, service and boot times
}

// MostSimulated is the most requests of a need that is simulated: some seconds'
// work for each number of instances that is tried.
const MostSimulated = 20_000_000

// LoadError says that a load is too much to simulate.
type LoadError struct{ Requests float64 }

func (e *LoadError) Error() string {
	return fmt.Sprintf("%.3g requests are more than the %.3g that are simulated: give a day that repeats, or size without autoscaling", e.Requests, float64(MostSimulated))
}

// autoscaled gives the least minimum with which the autoscaler holds the goal
// over all of the span's requests.
func autoscaled(n Need, s Shape, o SizeOptions) (Fleet, error) {
	if err := simulable(n, s); err != nil {
		return Fleet{}, err
	}
	still := o
	still.Autoscaling = nil
	peak, err := Size(n, s, still) // as many as always hold it
	if err != nil {
		return Fleet{}, err
	}
	first, err := Size(Need{Rates: n.Rates[:1], CPU: n.CPU, Idle: n.Idle, Goal: n.Goal}, s, still)
	if err != nil {
		return Fleet{}, err
	}
	z := newSizing(n, s, o)
	rules := o.Autoscaling.Rules
	if rules.Max == 0 {
		rules.Max = max(10*peak.Instances, rules.Min)
	}
	least := max(1, n.MinInstances, rules.Min)
	var best Fleet
	// holds simulates a minimum. That more of it holds a goal better is not a
	// law, but what the search takes for one.
	holds := func(minimum int) (bool, error) {
		r := rules
		r.Min, r.Max = minimum, max(minimum, rules.Max)
		f, err := z.simulate(r, min(max(first.Instances, minimum), r.Max))
		if err != nil {
			return false, err
		}
		ok := f.Response <= n.Goal.Within && (n.Goal.Timeout == 0 || f.ErrorShare <= n.Goal.ErrorBudget)
		if ok {
			best = f
		}
		return ok, nil
	}
	found, err := leastThat(holds, least, max(least, peak.Instances))
	if err != nil {
		return Fleet{}, err
	}
	if best.Minimum != found {
		if _, err := holds(found); err != nil {
			return Fleet{}, err
		}
	}
	if found == least {
		best.Bound = ByAvailability
	}
	return best, nil
}

// leastThat is the least minimum from low that holds, where likely is the first
// guess and twice that the last.
func leastThat(holds func(minimum int) (bool, error), low, likely int) (int, error) {
	high := likely
	for {
		ok, err := holds(high)
		if err != nil {
			return 0, err
		}
		if ok {
			break
		}
		if low, high = high+1, high+max(1, high/4); high > 2*likely {
			return 0, fmt.Errorf("no minimum up to %d holds the target in the simulation", low-1)
		}
	}
	for low < high {
		middle := low + (high-low)/2
		ok, err := holds(middle)
		if err != nil {
			return 0, err
		}
		if ok {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return high, nil
}

// simulable says what the simulation has no part for.
func simulable(n Need, s Shape) error {
	var faults []error
	if n.PerRequest > 0 {
		faults = append(faults, errors.New("memory a request is not simulated: size without autoscaling"))
	}
	if s.Burst.bounds() {
		faults = append(faults, errors.New("CPU credits are not simulated: size without autoscaling"))
	}
	if s.Memory > 0 && n.BaseMemory > s.Memory {
		faults = append(faults, &MemoryError{Shape: s.Name, Has: s.Memory, Needs: n.BaseMemory})
	}
	requests := 0.0
	for _, r := range n.Rates {
		requests += float64(r.Rate) * r.Length.Seconds()
	}
	if requests > MostSimulated {
		faults = append(faults, &LoadError{Requests: requests})
	}
	return errors.Join(faults...)
}

// simulate runs the need's arrivals, the same for all numbers of instances.
func (z *sizing) simulate(rules fleet.Autoscaling, begin int) (Fleet, error) {
	a := z.options.Autoscaling
	sizes := []size{{0, begin}}
	options := fleet.Options{
		Service: slower{z.CPU.draws, min(1, z.shape.VCPU)}, Instances: begin, Workers: z.workers,
		Balancing: fleet.SharedQueue, Autoscaling: &rules, Billing: a.Billing, Target: z.goal.Timeout, Span: span(z.Rates), Seed: a.Seed,
		Observe: func(c fleet.Change) {
			sizes = append(sizes, size{c.At, c.Booting + c.Serving + c.Draining})
		},
	}
	if a.Boot != nil {
		options.Boot = a.Boot
	}
	if z.options.Balancing == Split {
		options.Balancing = fleet.Random
	}
	r, err := fleet.Run(context.Background(), arrivalsOf(z.Rates, a.Seed), options)
	if err != nil {
		return Fleet{}, err
	}
	f := Fleet{
		Instances: r.InstancesPeak, InstanceHours: r.InstanceHours, Span: r.Span.Seconds(), Utilisation: r.Utilisation,
		Response: r.Response.Quantile(z.goal.Quantile) + z.Idle, Late: lateOf(r.Response, z.goal.Within, r.Requests, r.Errors),
		Bound: ByTarget, Minimum: rules.Min, Simulation: r, sizes: sizes,
	}
	if z.goal.Timeout > 0 {
		f.ErrorShare = r.MissShare
	}
	return f, nil
}

// lateOf is the share of requests that took longer than within, or were lost.
func lateOf(responses *hist.Histogram, within time.Duration, requests, lost uint64) float64 {
	if requests == 0 {
		return 0
	}
	return float64(lost+later(responses, within)) / float64(requests)
}

// size is how many instances there are from some time on.
type size struct {
	at        time.Duration
	instances int
}

// monthOfLives is how long the instances of a span that repeats for a month
// live, where the one that was started last is the first to be stopped: the
// n-th instance is there whenever n are.
func (f *Fleet) monthOfLives() (*cost.Durations, error) {
	span := time.Duration(math.Round(f.Span * 1e9))
	times := cost.Month.Seconds() / f.Span
	var groups []cost.Group
	before := .5 // numbers are rounded so that their sums are
	for n := 1; n <= f.Instances; n++ {
		for _, life := range lives(f.sizes, n, span) {
			if life == span {
				groups = append(groups, cost.Group{Low: cost.Month, High: cost.Month, Count: 1})
				continue
			}
			if count := uint64(math.Floor(before+times) - math.Floor(before)); count > 0 {
				groups = append(groups, cost.Group{Low: life, High: life, Count: count})
			}
			before += times
		}
	}
	return cost.Groups(groups...)
}

// lives are the times in which at least n instances are there, in a span that
// repeats: what goes on at its end goes on at its beginning.
func lives(sizes []size, n int, span time.Duration) []time.Duration {
	var out []time.Duration
	begin, there := time.Duration(0), false
	for _, s := range sizes {
		switch {
		case s.instances >= n && !there:
			begin, there = s.at, true
		case s.instances < n && there:
			out, there = append(out, s.at-begin), false
		}
	}
	if !there {
		return out
	}
	if begin > 0 && len(sizes) > 0 && sizes[0].instances >= n {
		out[0] += span - begin
		return out
	}
	return append(out, span-begin)
}

// slower draws durations of a vCPU that is so much of a whole one.
type slower struct {
	of    dist.Distribution
	speed float64 // above 0, at most 1
}

func (s slower) Sample(rng *rand.Rand) time.Duration {
	return time.Duration(math.Round(float64(s.of.Sample(rng)) / s.speed))
}

func span(rates []Stretch) (total time.Duration) {
	for _, s := range rates {
		total += s.Length
	}
	return total
}

// arrivalsOf are Poisson in each stretch, from a stream of random numbers that
// is no one else's.
func arrivalsOf(rates []Stretch, seed uint64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		rng := stream.New(seed, "sizing", 0)
		begin := time.Duration(0)
		for _, s := range rates {
			for at := range (arrival.Poisson{Rate: units.Rate(s.Rate)}).Times(s.Length, rng) {
				if !yield(begin + at) {
					return
				}
			}
			begin += s.Length
		}
	}
}
