package sim

import (
	"context"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Job is one function's load and what serves it.
type Job struct {
	Load    Load
	Options Options
	// Levels has the level engine do it, where its counts and policy allow.
	Levels bool
	// Turn is waited for before the function is simulated, and what it gives is
	// called after: by it several [Run]s share the processors. It may be nil.
	Turn func() (done func())
}

// Run simulates functions that share nothing, on all processors, and adds them
// up. each, if not nil, is given every function's result in the order of the
// jobs, one at a time; they have no histograms and no timeline. Random streams
// are the functions' own, so the result does not depend on how many processors
// there are, to the last bit. Jobs are drawn one at a time from one goroutine.
//
// An error of a job ends the run. A context that ends leaves the sum of the
// functions that were done by then, and says so.
func Run(ctx context.Context, jobs iter.Seq2[*Job, error], each func(*Result)) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	queue, done := make(chan task), make(chan task, workers)
	pending := make(chan struct{}, 64*workers) // tickets: results that wait for their turn take memory
	var wg sync.WaitGroup
	all := make([]*durations, workers) // of what each has simulated
	for k := range workers {
		wg.Go(func() {
			d := newDurations()
			all[k] = newDurations()
			for t := range queue {
				t.result, t.err = t.job.run(ctx, d)
				if t.err == nil && !t.result.Interrupted {
					all[k].add(d)
				}
				d.reset()
				done <- t
			}
		})
	}
	var failed error
	go func() {
		failed = feed(ctx, jobs, queue, pending)
		close(queue)
		wg.Wait()
		close(done)
	}()
	s := sum{each: each, waiting: map[int]task{}}
	for t := range done {
		for range s.take(t) {
			<-pending
		}
		if s.err != nil {
			cancel()
		}
	}
	if s.err == nil {
		s.err = failed
	}
	if s.err != nil {
		return nil, s.err
	}
	r := s.result(ctx.Err() != nil)
	for _, d := range all[1:] {
		all[0].add(d) // in whatever order: these are whole numbers
	}
	r.record(all[0])
	return r, nil
}

// task is a job in its place.
type task struct {
	place  int
	job    *Job
	result *Result
	err    error
}

// feed hands out the jobs until they or the context end.
func feed(ctx context.Context, jobs iter.Seq2[*Job, error], queue chan<- task, pending chan<- struct{}) error {
	place := 0
	for job, err := range jobs {
		if err != nil {
			return err
		}
		select {
		case pending <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		select {
		case queue <- task{place: place, job: job}:
		case <-ctx.Done():
			return nil
		}
		place++
	}
	return nil
}

// run does a job on this processor alone.
func (j *Job) run(ctx context.Context, d *durations) (*Result, error) {
	if j.Turn != nil {
		defer j.Turn()()
	}
	var cannot error
	if j.Levels && j.Options.Service != nil { // without one nothing can be done
		cannot = j.Options.levels()
	}
	if j.Levels && j.Load.Counts != nil && cannot == nil && j.Options.Requests == 0 {
		r, err := Levels(ctx, j.Load, j.Options)
		if err == nil {
			d.take(r)
		}
		return r, err
	}
	if j.Load.Arrivals == nil && j.Load.Counts != nil {
		j.Load.Arrivals = j.Load.drawn
	}
	r, err := follow(ctx, j.Load, j.Options, chunks, d)
	if err == nil && j.Levels {
		r.Warnings = append(r.Warnings, *j.notByLevels(cannot))
	}
	return r, err
}

// notByLevels says why a job that asked for the level engine has another.
func (j *Job) notByLevels(cannot error) *Warning {
	switch {
	case cannot != nil:
		return warn(NotByLevels, "%v", cannot)
	case j.Load.Counts == nil:
		return warn(NotByLevels, "levels: the traffic has no counts of its minutes: each request was followed")
	}
	return warn(NotByLevels, "levels: a limit of requests is none of whole minutes: each request was followed")
}

// sum adds results up in the order of their jobs, because sums of fractions
// depend on it.
type sum struct {
	each     func(*Result)
	waiting  map[int]task // results whose turn has not come
	next     int
	total    Result
	levels   Result  // of the functions that the level engine did; errors are absolute
	variance float64 // of the number of cold starts of the others, at most
	untold   uint64  // requests served of functions that have cold starts, and no standard error of them
	err      error
}

// take adds what can be added now and says how many that are.
func (s *sum) take(t task) (added int) {
	s.waiting[t.place] = t
	for {
		t, ok := s.waiting[s.next]
		if !ok {
			return added
		}
		delete(s.waiting, s.next)
		s.next++
		added++
		if s.err == nil && t.err != nil {
			s.err = fmt.Errorf("function %d, %q: %w", t.place+1, t.job.Load.Name, t.err)
		}
		if s.err == nil {
			s.add(t.result)
		}
	}
}

func (s *sum) add(r *Result) {
	t := &s.total
	if r.Interrupted {
		t.Interrupted = true
		return // half a function says less than none
	}
	t.Functions++
	t.Requests += r.Requests
	t.WarmupRequests += r.WarmupRequests
	t.Warmup = max(t.Warmup, r.Warmup)
	t.Span += r.Span
	t.Served += r.Served
	t.Cold += r.Cold
	t.Queued += r.Queued
	t.Resumed += r.Resumed
	t.Ahead += r.Ahead
	t.Throttled += r.Throttled
	t.Unserved += r.Unserved
	t.Pings += r.Pings
	t.PingsCold += r.PingsCold
	t.Started += r.Started
	t.ColdError += r.ColdError * float64(r.Cold)
	t.InstancesError += r.InstancesError * r.InstancesMean
	t.InstancesMean += r.InstancesMean
	t.InstancesPeak += r.InstancesPeak
	t.BusyMean += r.BusyMean
	t.StartingMean += r.StartingMean
	t.InstanceSeconds += r.InstanceSeconds
	t.BusySeconds += r.BusySeconds
	t.ServiceMean += r.ServiceMean * float64(r.Served)
	t.startingSeconds += r.startingSeconds
	t.waitedSeconds += r.waitedSeconds
	t.delaySeconds += r.delaySeconds
	t.Usage.Add(r.Usage)
	for _, w := range r.Warnings {
		s.warn(w)
	}
	switch served := float64(r.Served); {
	case r.Engine == EngineLevels:
		s.levels.Functions++
		s.levels.Served += r.Served
		s.levels.Cold += r.Cold
		s.levels.ColdError += r.ColdError * float64(r.Cold)
		s.levels.InstancesError += r.InstancesError * r.InstancesMean
		s.levels.InstancesMean += r.InstancesMean
	case r.PColdStderr != nil:
		n := *r.PColdStderr * served
		s.variance += n * n
	case r.Cold > 0:
		s.untold += r.Served
		s.variance += served * served / 4
	}
	if s.each != nil {
		alone := *r
		alone.Timeline = nil
		s.each(&alone)
	}
}

// record adds histograms, unless there is nothing in them.
func (r *Result) record(d *durations) {
	response, service := d.histograms()
	if response.N()+response.OutOfRange() > 0 && r.Engine != EngineMixed { // of some functions it is none of all
		r.Response = response
	}
	if service.N()+service.OutOfRange() > 0 {
		r.Service = service
	}
}

// warn keeps the first warning of each kind and counts the others.
func (s *sum) warn(w Warning) {
	t := &s.total
	k := slices.IndexFunc(t.Warnings, func(o Warning) bool { return o.Code == w.Code })
	if k < 0 {
		t.Warnings = append(t.Warnings, w)
		return
	}
	t.Warnings[k].Functions = max(1, t.Warnings[k].Functions) + 1
}

// fewUntold is the share of requests up to which functions without a standard
// error do not leave the sum without one.
const fewUntold = .1

// stderr is the standard error of the cold share of all functions whose requests
// were followed, which know nothing of each other. Where a function has too few
// batches, its number of cold starts has the greatest variance that a number
// from 0 to n can have, n*n/4; nil where that is said of more than a few requests.
func (s *sum) stderr() *float64 {
	served := float64(s.total.Served - s.levels.Served)
	if s.total.Cold == s.levels.Cold || float64(s.untold) > fewUntold*served {
		return nil
	}
	se := math.Sqrt(s.variance) / served
	return &se
}

// estimated says of which functions the figures are estimates by levels, how far
// off these are, and what chance does to the others'.
func (s *sum) estimated() Warning {
	t, l := &s.total, &s.levels
	rest := "too few of them are cold for a standard error"
	if se := s.stderr(); se != nil {
		rest = fmt.Sprintf("the standard error of their cold share is %.3g%%", 100**se)
	}
	return *warn(ClosedForm, "of %d of %d functions, with %s of the requests and %s of the cold starts, figures are estimates from counts of minutes: "+
		"cold starts within %s, instances within %s; the requests of the others were followed: %s; response times are not known",
		l.Functions, t.Functions, units.FormatShare(over(float64(l.Served), float64(t.Served))), units.FormatShare(over(float64(l.Cold), float64(t.Cold))),
		units.FormatShare(over(l.ColdError, float64(l.Cold))), units.FormatShare(over(l.InstancesError, l.InstancesMean)), rest)
}

func isClosedForm(w Warning) bool { return w.Code == ClosedForm }

// result is the sum as one function's result. Means over time are of all
// functions together.
func (s *sum) result(interrupted bool) *Result {
	r := s.total
	r.Interrupted = r.Interrupted || interrupted
	r.PCold = over(float64(r.Cold), float64(r.Served))
	r.ColdError = over(r.ColdError, float64(r.Cold))
	r.InstancesError = over(r.InstancesError, r.InstancesMean)
	r.IdleShare = max(0, over(r.InstanceSeconds-r.BusySeconds-r.startingSeconds, r.InstanceSeconds))
	r.ServiceMean = over(r.ServiceMean, float64(r.Served))
	r.WaitMean = over(r.waitedSeconds, float64(r.Served))
	r.StartMean = over(r.delaySeconds, float64(r.Started))
	switch n := s.levels.Functions; {
	case n == 0:
		r.Engine, r.PColdStderr = EngineEvents, s.stderr()
	case n == r.Functions:
		r.Engine = EngineLevels
	default:
		r.Engine = EngineMixed
		r.Warnings[slices.IndexFunc(r.Warnings, isClosedForm)] = s.estimated()
	}
	r.PeakSummed = r.Functions > 1
	if r.Warnings == nil {
		r.Warnings = []Warning{}
	}
	if r.Interrupted {
		r.Warnings = slices.DeleteFunc(r.Warnings, func(w Warning) bool { return w.Code == WasInterrupted })
		r.Warnings = append(r.Warnings, *warn(WasInterrupted, "interrupted after %d functions: figures are of these", r.Functions))
	}
	return &r
}
