package study

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// run simulates every function of the plan's source.
func (p *Plan) run(ctx context.Context, s *Simulation) error {
	var err error
	switch {
	case p.Budget > 0:
		err = p.shared(ctx, s)
	case p.Source.About().Functions == 1:
		err = p.alone(ctx, s)
	default:
		err = p.many(ctx, s)
	}
	if err != nil {
		return err
	}
	s.account = account(s.ByFunction)
	if len(s.ByFunction) == 1 {
		s.ByFunction = nil
	}
	return nil
}

// alone simulates the only function, its arrivals drawn beside it.
func (p *Plan) alone(ctx context.Context, s *Simulation) error {
	for f, err := range p.Source.Functions(ctx) {
		if err != nil {
			return err
		}
		load, options, err := p.load(f)
		if err != nil {
			return err
		}
		s.Given.count(p, f)
		options.Progress = p.Progress
		follow := sim.Events
		if p.Engine == sim.EngineLevels {
			follow = sim.Levels
		}
		result, err := follow(ctx, load, options)
		if err != nil {
			return err
		}
		s.Result = *result
		s.Memory = []units.Bytes{options.Memory}
		s.ByFunction = []sim.Result{*result}
	}
	if s.ByFunction == nil {
		return errors.New("the traffic has no functions")
	}
	return nil
}

// many simulates functions side by side.
func (p *Plan) many(ctx context.Context, s *Simulation) error {
	done, total := 0., p.Source.About().Requests
	result, err := sim.Run(ctx, p.jobs(ctx, s), func(r *sim.Result) {
		s.ByFunction = append(s.ByFunction, *r)
		done += float64(r.Requests + r.WarmupRequests)
		if p.Progress != nil && total > 0 {
			p.Progress(min(done/total, 1))
		}
	})
	if err != nil {
		return err
	}
	if len(s.ByFunction) == 0 {
		return cmp.Or(ctx.Err(), errors.New("the traffic has no functions"))
	}
	s.Result = *result
	s.sort()
	return nil
}

// shared simulates functions whose instances share a budget of memory: all in
// one time, so that they are held at once.
func (p *Plan) shared(ctx context.Context, s *Simulation) error {
	var jobs []*sim.Job
	for job, err := range p.jobs(ctx, s) {
		if err != nil {
			return err
		}
		if job.Options.Memory == 0 {
			return &UnknownMemory{job.Load.Name}
		}
		jobs = append(jobs, job)
	}
	result, all, err := sim.Shared(ctx, jobs, p.Budget)
	if err != nil {
		return err
	}
	s.Result = *result
	for _, r := range all {
		r.Timeline = nil // as where functions share nothing
		s.ByFunction = append(s.ByFunction, *r)
	}
	s.sort()
	return nil
}

// sort has the functions with most requests first.
func (s *Simulation) sort() {
	slices.SortStableFunc(s.ByFunction, func(a, b sim.Result) int {
		return cmp.Or(-cmp.Compare(a.Requests, b.Requests), strings.Compare(a.Name, b.Name))
	})
}

// jobs are the functions one at a time.
func (p *Plan) jobs(ctx context.Context, s *Simulation) iter.Seq2[*sim.Job, error] {
	return func(yield func(*sim.Job, error) bool) {
		for f, err := range p.Source.Functions(ctx) {
			if ctx.Err() != nil {
				return // what is done by then is the result
			}
			job, err := p.job(f, err)
			if err == nil {
				s.Given.count(p, f)
				if !slices.Contains(s.Memory, job.Options.Memory) {
					s.Memory = append(s.Memory, job.Options.Memory)
				}
			}
			if !yield(job, err) || err != nil {
				return
			}
		}
	}
}

func (p *Plan) job(f *traffic.Function, err error) (*sim.Job, error) {
	if err != nil {
		return nil, err
	}
	load, options, err := p.load(f)
	return &sim.Job{Load: load, Options: options, Levels: p.Engine == sim.EngineLevels, Turn: p.turn}, err
}

// account is who has used what.
func account(results []sim.Result) usage.Account {
	var a usage.Account
	for _, r := range results {
		a.Entries = append(a.Entries, usage.Entry{Key: usage.Key{Function: r.Name, Version: "$LATEST"}, Usage: r.Usage})
		a.Total.Add(r.Usage)
	}
	slices.SortFunc(a.Entries, func(x, y usage.Entry) int { return strings.Compare(x.Key.Function, y.Key.Function) })
	return a
}
