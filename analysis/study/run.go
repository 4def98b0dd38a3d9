package study

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// run simulates every function of the plan's source, a function a processor.
// Each has random streams of its own, begun by the seed and its name, so that
// results do not depend on how many processors there are.
func (p *Plan) run(ctx context.Context, s *Simulation) error {
	work := tally{about: p.Source.About(), progress: p.Progress}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	var failed error
	for f, err := range p.Source.Functions(ctx) {
		if err != nil {
			if ctx.Err() == nil {
				failed = err
			}
			break
		}
		if work.err() != nil || ctx.Err() != nil {
			break
		}
		group.Go(func() error { return work.take(p.one(ctx, f, &work)) })
	}
	if err := cmp.Or(group.Wait(), failed); err != nil {
		return err
	}
	return work.into(s, ctx.Err() != nil)
}

// one simulates a function.
func (p *Plan) one(ctx context.Context, f *traffic.Function, t *tally) (*sim.Result, error) {
	load, options, err := p.load(f)
	if err != nil {
		return nil, err
	}
	if t.about.Functions == 1 {
		options.Progress = p.Progress
	}
	return sim.Events(ctx, load, options)
}

// tally takes the results of functions as they come.
type tally struct {
	about    traffic.About
	progress func(float64)

	mu       sync.Mutex
	results  []sim.Result
	response *hist.Histogram
	service  *hist.Histogram
	done     float64 // requests
	failed   error
}

func (t *tally) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// take keeps a result, less its histograms, which are added up.
func (t *tally) take(r *sim.Result, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed = cmp.Or(t.failed, err)
		return err
	}
	if t.about.Functions > 1 {
		t.response, t.service = together(t.response, r.Response), together(t.service, r.Service)
		r.Response, r.Service, r.Timeline = nil, nil, nil
	}
	t.results = append(t.results, *r)
	t.done += float64(r.Requests + r.WarmupRequests)
	if t.progress != nil && t.about.Functions > 1 && t.about.Requests > 0 {
		t.progress(min(t.done/t.about.Requests, 1))
	}
	return nil
}

// together adds one histogram, which may be nil, to a sum.
func together(sum, more *hist.Histogram) *hist.Histogram {
	if more == nil {
		return sum
	}
	if sum == nil {
		sum = hist.New()
	}
	sum.Merge(more)
	return sum
}

// into makes the simulation's figures of the results.
func (t *tally) into(s *Simulation, interrupted bool) error {
	if len(t.results) == 0 {
		if interrupted {
			return context.Canceled
		}
		return errors.New("the traffic has no functions")
	}
	slices.SortFunc(t.results, func(a, b sim.Result) int {
		return cmp.Or(-cmp.Compare(a.Requests, b.Requests), strings.Compare(a.Name, b.Name))
	})
	s.Result = t.results[0]
	if len(t.results) > 1 || t.about.Functions > 1 {
		s.Result = total(t.results)
		s.Response, s.Service = t.response, t.service
		s.ByFunction = t.results
	}
	s.Interrupted = s.Interrupted || interrupted
	s.account = account(t.results)
	return nil
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
