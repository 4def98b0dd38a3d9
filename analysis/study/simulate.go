package study

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// Plan is one simulation of a source of traffic.
type Plan struct {
	Source traffic.Source
	// Options are every function's. What Fit tells of a function goes before
	// its Service, ColdService and StartDelay, what the traffic tells before its
	// Service and Memory: for each function they fill what is not told. With
	// Override those that are given replace what is told.
	Options  sim.Options
	Override bool
	Fit      *Fit          // a measured run; nil for none
	Measured []Measured    // what a run, which need not be Fit's, measured of the same requests; nil for none
	Changed  []string      // what replaced the run's own policy or durations, such as "--keep-alive": Measured is no verdict on a prediction then
	Engine   sim.Engine    // the default is [sim.EngineEvents]
	Until    time.Duration // cuts the traffic off there; 0 is all of it
	// Budget is the memory of all functions' instances together; 0 is no bound.
	Budget units.Bytes
	// Option is whose prices a month is billed by; nil for no bill.
	Option cost.Option
	// Machines are a fleet that meets the same requests; nil for none.
	Machines *Machines
	// Target is held against the response times of both sides; the zero Goal is none.
	Target queue.Goal
	// Adjust changes a function's options before it is simulated. It may be nil.
	Adjust func(function string, o *sim.Options)
	// Progress is told now and then what share (0 to 1) is done, by one
	// goroutine at a time. It may be nil.
	Progress func(share float64)

	turn func() (done func()) // as [sim.Job].Turn of each of many functions
}

// Simulation is what a traffic would meet, as `simulate --json` prints it.
type Simulation struct {
	Schema   string  `json:"schema"`
	Complete bool    `json:"complete"` // false: interrupted, and of what was done until then
	Traffic  Traffic `json:"traffic"`
	Seed     uint64  `json:"seed"`
	// Policy are the keys of the policy that were given, by name.
	Policy  map[string]string `json:"policy"`
	Serving string            `json:"service"` // how long requests of all functions are served; "" where that is told of some
	// Given is how many functions have what the plan's options say, because
	// nobody told theirs or because it was overridden.
	Given Given `json:"given"`
	// Memory is that of the functions' instances, each size once; 0 is unknown.
	Memory      []units.Bytes `json:"memory_bytes"`
	Provisioned []Level       `json:"provisioned,omitempty"` // instances kept ready
	sim.Result
	Responses
	Wall float64 `json:"wall_s"` // that it took
	Rate float64 `json:"requests_per_s"`
	// ByFunction is each function's own result, the ones with most requests
	// first; nil where there is one function.
	ByFunction []sim.Result `json:"by_function,omitempty"`
	Bill       *Bill        `json:"bill,omitempty"`  // of a month of such traffic
	Fleet      *Machinery   `json:"fleet,omitempty"` // the same requests on machines
	Target     *Target      `json:"target,omitempty"`
	// Prediction is how far chance may have the figures off where they are by a
	// measured run, and Measured what a run measured of the same requests.
	// Beside is the median of what requests of the former took beside the
	// instance, which its latencies have in them.
	Prediction *Prediction   `json:"prediction,omitempty"`
	Measured   []Measured    `json:"measured,omitempty"`
	Changed    []string      `json:"changed,omitempty"` // [Plan].Changed, where there is Measured
	Beside     time.Duration `json:"beside_ns,omitempty"`
	Notes      []string      `json:"notes"` // what a reader must know of traffic and policy

	account usage.Account
}

// Level is a number of instances kept ready from some time of a period on.
type Level struct {
	From  time.Duration `json:"from_ns"`
	Count int           `json:"count"`
}

// Traffic is what was simulated.
type Traffic struct {
	Name      string  `json:"name"`
	Format    string  `json:"format"`
	Functions int     `json:"functions"`
	Requests  float64 `json:"requests"` // mean number, exact for what is recorded
	Span      float64 `json:"span_s"`
}

// Responses are how long requests that were served took from arrival to answer.
// 0 is not known: by levels, or too few requests for the quantile.
type Responses struct {
	P50  time.Duration `json:"response_p50_ns,omitempty"`
	P99  time.Duration `json:"response_p99_ns,omitempty"`
	P999 time.Duration `json:"response_p999_ns,omitempty"`
	Max  time.Duration `json:"response_max_ns,omitempty"`
}

// responsesOf are the quantiles that so many requests support.
func responsesOf(h *hist.Histogram) Responses {
	if h == nil || h.N()+h.OutOfRange() == 0 {
		return Responses{}
	}
	quantile := func(q float64) time.Duration {
		if h.N() < stats.MinSamples(q, .95) {
			return 0
		}
		return h.Quantile(q)
	}
	return Responses{P50: quantile(.5), P99: quantile(.99), P999: quantile(.999), Max: h.Longest()}
}

// Account is the usage of each function, for a bill.
func (s *Simulation) Account() usage.Account { return s.account }

// Simulate runs a plan. A context that ends leaves what was done until then,
// not Complete. Wall and Rate are the caller's to fill in, who has a clock.
func Simulate(ctx context.Context, p Plan) (*Simulation, error) {
	about := p.Source.About()
	s := &Simulation{
		Schema: sim.Schema, Seed: p.Options.Seed, Policy: map[string]string{}, Memory: []units.Bytes{}, Notes: append([]string{}, about.Notes...),
		Traffic: Traffic{Format: about.Format, Functions: about.Functions, Requests: math.Round(about.Requests), Span: about.Span.Seconds()},
	}
	if p.Until > 0 && p.Until < about.Span {
		s.Notes = append(s.Notes, fmt.Sprintf("only the first %s of %s of traffic", units.FormatDuration(p.Until), units.FormatDuration(about.Span)))
	}
	if p.Budget > 0 && p.Engine == sim.EngineLevels {
		s.Notes = append(s.Notes, "functions that share memory are followed request by request: the level engine cannot do that")
	}
	if err := p.sides(ctx, s); err != nil {
		return nil, err
	}
	s.Notes = append(s.Notes, p.given(&s.Given)...)
	if p.Options.Service != nil && s.Given.Service == s.Given.functions {
		s.Serving = p.Options.Service.String()
	}
	if p.Until > 0 && p.Until < about.Span {
		s.Traffic.Requests, s.Traffic.Span = float64(s.Requests+s.WarmupRequests), p.Until.Seconds()
	}
	s.Responses = responsesOf(s.Response)
	s.Complete = !s.Interrupted && (s.Fleet == nil || !s.Fleet.Interrupted)
	s.Timeline = joined(s.Timeline, mostSteps)
	for _, l := range p.Options.Policy.Provisioned {
		s.Provisioned = append(s.Provisioned, Level(l))
	}
	if p.Option != nil {
		s.Bill = s.bill(p.Option)
	}
	return s, nil
}

// sides simulates the functions and, where there is one, the fleet beside them.
func (p *Plan) sides(ctx context.Context, s *Simulation) error {
	if p.Machines == nil {
		if err := p.run(ctx, s); err != nil {
			return err
		}
	} else if err := p.both(ctx, s); err != nil {
		return err
	}
	if s.Requests == 0 && s.WarmupRequests > 0 && !s.Interrupted {
		return &WarmupError{s.WarmupRequests}
	}
	if p.Target.Within > 0 {
		var machines *fleet.Result
		if s.Fleet != nil {
			machines = &s.Fleet.Result
		}
		s.Target = target(p.Target, &s.Result, machines)
	}
	return nil
}

// both sides leave the same warm-up out.
func (p *Plan) both(ctx context.Context, s *Simulation) error {
	functions := *p
	functions.Options.Warmup = cmp.Or(sharedWarmup([]Plan{*p}), -1)
	machines := functions
	functions.Progress, machines.Progress = nil, nil
	if p.Progress != nil {
		shares := &shares{of: make([]float64, 2), tell: p.Progress}
		functions.Progress = func(share float64) { shares.set(0, share) }
		machines.Progress = func(share float64) { shares.set(1, share) }
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error { return functions.run(within, s) })
	group.Go(func() (err error) {
		s.Fleet, err = machines.machinery(within)
		return err
	})
	return group.Wait()
}

// Took says how long the simulation took, with its warm-up and with those that
// its prediction's ranges are of, among which it is.
func (s *Simulation) Took(wall time.Duration) {
	s.Wall = wall.Seconds()
	times := 1
	if s.Prediction != nil {
		times = s.Prediction.Runs
	}
	if s.Wall > 0 {
		s.Rate = float64(s.Requests+s.WarmupRequests) * float64(times) / s.Wall
	}
}

// WarmupError says that all requests came within the warm-up, so that figures
// would be about nothing.
type WarmupError struct{ Requests uint64 }

func (e *WarmupError) Error() string {
	return fmt.Sprintf("all %s came within the warm-up: none is left to measure", units.FormatNoun(e.Requests, "request"))
}

// UnknownService is a function of which nobody says how long it is served.
type UnknownService struct{ Function string }

func (e *UnknownService) Error() string {
	return fmt.Sprintf("how long a request of %s is served is not in the traffic", e.Function)
}

// UnknownMemory is a function of which nobody says how much of a budget an
// instance takes.
type UnknownMemory struct{ Function string }

func (e *UnknownMemory) Error() string {
	return fmt.Sprintf("how much memory an instance of %s has is not in the traffic", e.Function)
}

// load is a function as the simulator takes it, with its options.
func (p *Plan) load(f *traffic.Function) (sim.Load, sim.Options, error) {
	o := p.served(f)
	if p.Adjust != nil {
		p.Adjust(f.Name, &o)
	}
	if o.Service == nil {
		return sim.Load{}, o, &UnknownService{f.Name}
	}
	load := sim.Load{Name: f.Name, Key: f.Key, Span: f.Span, About: p.limited(f), Counts: f.Counts, Arrivals: f.Arrivals, Err: f.Err}
	if f.Timed && f.Service != nil && o.Service == f.Service {
		load.Timed = func(rng *rand.Rand) iter.Seq2[time.Duration, time.Duration] { return timed(f.Requests(rng)) }
	}
	if p.Until > 0 && p.Until < f.Span {
		load.Span, load.About = p.Until, min(load.About, p.Until)
		load.Arrivals = func(rng *rand.Rand) iter.Seq[time.Duration] { return until(f.Arrivals(rng), p.Until) }
		if minutes := int((p.Until + time.Minute - 1) / time.Minute); f.Counts != nil {
			load.Counts = f.Counts[:min(minutes, len(f.Counts))]
		}
	}
	return load, o, nil
}

// timed are requests as the simulator takes them.
func timed(requests iter.Seq[traffic.Request]) iter.Seq2[time.Duration, time.Duration] {
	return func(yield func(at, service time.Duration) bool) {
		requests(func(r traffic.Request) bool { return yield(r.At, r.Service) })
	}
}

// span is how long the traffic lasts, where a limit of requests ends it roughly.
func (p *Plan) span() time.Duration {
	about := p.Source.About()
	span := portion(about.Span, p.Options.Requests*uint64(about.Functions), about.Requests)
	if p.Until > 0 {
		span = min(span, p.Until)
	}
	return span
}

// limited is about how long a function's requests come where a limit of them
// ends it; 0 where there is none.
func (p *Plan) limited(f *traffic.Function) time.Duration {
	most := p.Options.Requests
	if most == 0 {
		return 0
	}
	if f.Counts == nil {
		return portion(cmp.Or(f.Span, p.Source.About().Span), most, f.Expected)
	}
	came := uint64(0)
	for minute, n := range f.Counts {
		if came += uint64(n); came >= most {
			return time.Duration(minute+1) * time.Minute
		}
	}
	return f.Span
}

// portion is how long so many of all requests of a span come, 0 for no limit.
func portion(span time.Duration, most uint64, all float64) time.Duration {
	if most == 0 || all <= float64(most) {
		return span
	}
	return time.Duration(float64(span) * float64(most) / all)
}

// until is the arrivals before end.
func until(arrivals iter.Seq[time.Duration], end time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		arrivals(func(at time.Duration) bool { return at < end && yield(at) })
	}
}
