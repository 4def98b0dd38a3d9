package study

import (
	"context"
	"errors"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// Outlook is what options cost, and what callers meet, in several situations.
type Outlook struct {
	Comparison
	Following Following
	Cases     []Case
}

// Case is one situation.
type Case struct {
	Situation
	Requests uint64   // in the month
	Served   []Served // by each option, as asked for
}

// Served is one option in a situation.
type Served struct {
	Option string
	Host   *cost.Host // nil where calls are billed
	// Err is why there is no bill, a [*cost.Impossible] or a [*cost.Missing]: then
	// nothing below is set.
	Err error

	Bill     *cost.Bill
	Response time.Duration // at the goal's quantile
	Late     float64       // share of requests, 0 to 1, that take longer than the goal has it, or are lost
	Holds    bool          // the goal
	// Cold is the share of requests that start an instance; -1 for a fleet, whose
	// instances start ahead of requests.
	Cold        float64
	Utilisation float64 // share of the instances' time, of a fleet's vCPUs', that serves
	Mean        float64 // instances over the month
	Peak        int
}

// Kind is what the option is, in a word.
func (s *Served) Kind() string { return kindOf(s.Host) }

// Serving is how a platform keeps and starts the instances of a function.
type Serving struct {
	Policy lifecycle.Policy
	Start  dist.Distribution // nil is not known, and taken as no time
}

// Outlook compares the options in each situation. A constant load has its fleets
// sized by queueing theory; one that changes has them follow it, sized by
// simulation. Functions' cold starts are simulated: serving is asked how an
// option that bills calls treats its instances. Seed is that of all chance.
func (c Comparison) Outlook(ctx context.Context, list []Situation, f Following, serving func(option string) (Serving, error), seed uint64) (*Outlook, error) {
	run, err := c.begin()
	if err != nil {
		return nil, err
	}
	servings := make([]Serving, len(run.options))
	for i, o := range run.options {
		if o.host == nil && o.err == nil {
			if servings[i], err = serving(o.name); err != nil {
				return nil, err
			}
		}
	}
	out := &Outlook{Comparison: *run.Comparison, Following: f, Cases: make([]Case, len(list))}
	var group errgroup.Group
	for i, situation := range list {
		k := &out.Cases[i]
		k.Situation, k.Requests, k.Served = situation, cost.PerMonth(situation.Mean()), make([]Served, len(run.options))
		for j, o := range run.options {
			group.Go(func() (err error) {
				t := &trialDay{run, o, situation, f, servings[j], seed}
				k.Served[j], err = t.served(ctx)
				return err
			})
		}
	}
	return out, group.Wait()
}

// trialDay is one option in one situation.
type trialDay struct {
	*comparison
	*candidate
	Situation
	following Following
	serving   Serving
	seed      uint64
}

func (t *trialDay) served(ctx context.Context) (Served, error) {
	out := Served{Option: t.name, Host: t.host, Cold: -1, Err: t.err}
	if t.err != nil {
		return out, nil
	}
	s := t.demand()
	var err error
	if t.host != nil {
		err = t.fleet(&s, &out)
	} else {
		err = t.calls(ctx, &s, &out)
	}
	if err == nil {
		out.Bill, err = t.option.Bill(&s.work)
	}
	if answer(err) {
		return Served{Option: t.name, Host: t.host, Cold: -1, Err: err}, nil
	}
	return out, err
}

// demand is what there is to do.
func (t *trialDay) demand() spot {
	s := spot{rate: t.Mean(), cpu: t.cpu, idle: t.idle}
	s.requests = cost.PerMonth(s.rate)
	s.work = t.Work.Times(s.requests)
	if t.Peak > 0 {
		s.day = t.Day()
		boot := t.following.BootContainers
		if t.host != nil && t.host.Machine {
			boot = t.following.BootMachines
		}
		s.scaling = &Autoscaling{Rules: t.following.rules(), Boot: dist.Constant(boot), Seed: t.seed}
	}
	return s
}

// fleet sizes an option that bills instances.
func (t *trialDay) fleet(s *spot, out *Served) error {
	p := t.hosted(t.candidate, s)
	if p.err != nil {
		return p.err
	}
	f := &p.fleet
	out.Response, out.Late, out.Utilisation, out.Mean, out.Peak = f.Response, f.Late, f.Utilisation, f.Mean(), f.Instances
	out.Holds = true // it was sized to
	return nil
}

// leastSimulated is how many requests a share of cold starts is of.
const leastSimulated = 1_000_000

// calls simulates an option that bills calls, each with an instance to itself,
// and puts its cold starts into the work.
func (t *trialDay) calls(ctx context.Context, s *spot, out *Served) error {
	if err := t.overQuota(t.candidate, s); err != nil {
		return err
	}
	service, err := spread(share{t.Work.Durations, t.Work.Durations.Mean()})
	if err != nil {
		return err
	}
	plan := Plan{Options: sim.Options{Policy: t.serving.Policy, Service: service, StartDelay: t.serving.Start, Seed: t.seed}}
	plan.Source, plan.Options.Warmup = t.source()
	r, err := Simulate(ctx, plan)
	switch {
	case err != nil:
		return err
	case !r.Complete:
		return errors.New("interrupted")
	}
	lost := r.Throttled + r.Unserved
	out.Response, out.Late, out.Cold = r.Response.Quantile(t.goal().Quantile), lateOf(r.Response, t.goal().Within, r.Requests, lost), r.PCold
	out.Holds = out.Response <= t.goal().Within && out.Late <= 1-t.goal().Quantile
	if g := t.goal(); g.Timeout > 0 {
		out.Holds = out.Holds && lateOf(r.Response, g.Timeout, r.Requests, lost) <= g.ErrorBudget
	}
	out.Mean, out.Peak = r.InstancesMean, r.InstancesPeak
	if r.InstancesMean > 0 {
		out.Utilisation = r.BusyMean / r.InstancesMean
	}
	s.work.Cold = uint64(math.Round(r.PCold * float64(s.requests)))
	if s.work.Cold > 0 {
		s.work.Init, err = startsOf(t.serving.Start)
	}
	return err
}

// source is the situation's requests, and how much of the beginning is left out:
// with peaks, a first day.
func (t *trialDay) source() (traffic.Source, time.Duration) {
	f := &traffic.Function{Name: "function"}
	about := traffic.About{Format: "arrival process"}
	if t.Peak == 0 {
		return traffic.Of(about, traffic.Endless(f, arrival.Poisson{Rate: t.Rate}, t.Rate, leastSimulated)), 0
	}
	days := 1 + math.Ceil(leastSimulated/(float64(t.Mean())*day.Seconds()))
	var phases []traffic.Phase
	begin := time.Duration(0)
	for range int(min(days, 1000)) {
		for _, part := range t.Day() {
			phases = append(phases, traffic.Phase{Start: begin, Duration: part.Length, Process: arrival.Poisson{Rate: part.Rate}})
			begin += part.Length
		}
	}
	return traffic.Of(about, traffic.Phases(f, phases...)), day
}

// startsOf is how long starts take, for a bill: a hundred that are equally
// probable.
func startsOf(d dist.Distribution) (*cost.Durations, error) {
	if d == nil {
		return cost.Constant(0), nil
	}
	const parts = 100
	groups := make([]cost.Group, parts)
	for i := range groups {
		at := d.Quantile((float64(i) + .5) / parts)
		groups[i] = cost.Group{Low: at, High: at, Count: 1}
	}
	return cost.Groups(groups...)
}

// Cheapest is the option with the smallest bill of those that hold the goal; nil
// where none does.
func (k *Case) Cheapest() *Served {
	var best *Served
	for i := range k.Served {
		if s := &k.Served[i]; s.Err == nil && s.Holds && (best == nil || s.Bill.Total < best.Bill.Total) {
			best = s
		}
	}
	return best
}
