package study

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Prediction is what a run like the simulated one would measure, as far as that
// is chance: the range of several simulations of the same requests, each on a
// seed of its own and with the fitted run's requests drawn anew. One more of
// the kind lies outside such a range with probability 2 in Runs+1, whatever the
// figure's distribution.
type Prediction struct {
	Runs       int        `json:"runs"`
	Confidence float64    `json:"confidence"` // that a run's figure lies in its range, if the model holds
	Functions  []Foreseen `json:"functions"`  // all together with the name "" first, then each where there are several
	// Crowding is how much starts of a function slowed each other in the run, of
	// those functions that tell: theirs do so in the prediction, too.
	Crowding []Crowding `json:"crowding,omitempty"`
}

// Foreseen is what is predicted of a function.
type Foreseen struct {
	Function string `json:"function"`
	Requests uint64 `json:"requests"`
	Cold     Range  `json:"cold"`
	// Quantiles of latency, what requests take beside the instance included; nil
	// where there are too few requests for them.
	P50 *Range `json:"p50_ns"`
	P99 *Range `json:"p99_ns"`
}

// Range is a predicted figure, and between what chance has it.
type Range struct {
	Value int64 `json:"value"`
	Low   int64 `json:"low"`
	High  int64 `json:"high"`
}

// Holds says whether a measured figure lies within.
func (r Range) Holds(measured int64) bool { return r.Low <= measured && measured <= r.High }

const (
	// predictions is how many simulations make a range of 95%: the first, of
	// which the figures are, among them.
	predictions = 39
	// mostPredicted is how many requests they may have together: half a minute's.
	mostPredicted = 100_000_000
)

// Predict is [Simulate] by a measured run, which p.Fit is, with how far chance may
// have the figures off, beside what was measured.
func Predict(ctx context.Context, p Plan) (*Simulation, error) {
	shares := &shares{of: make([]float64, 1+predictions), tell: p.Progress}
	p.Progress = func(share float64) { shares.set(0, share) }
	if p.Machines != nil {
		p.Options.Warmup = cmp.Or(sharedWarmup([]Plan{p}), -1) // of both sides, in each of the runs
	}
	s, err := Simulate(ctx, p)
	if err != nil {
		return nil, err
	}
	if s.Measured = p.Measured; s.Measured != nil {
		s.Changed = p.Changed
	}
	s.Beside = p.Fit.Beside()
	if !s.Complete {
		return s, nil
	}
	if all := (s.Requests + s.WarmupRequests) * predictions; all > mostPredicted {
		s.Notes = append(s.Notes, fmt.Sprintf("no ranges of the prediction: %s requests would be simulated for them, and the most is %s",
			units.FormatCount(all), units.FormatCount(uint64(mostPredicted))))
		return s, nil
	}
	runs, err := p.anew(ctx, s, func(k int) { shares.set(1+k, 1) })
	if ctx.Err() != nil {
		s.Complete = false
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	s.Prediction = &Prediction{Runs: predictions, Confidence: 1 - 2./(predictions+1), Functions: foreseen(runs), Crowding: p.Fit.crowding()}
	return s, nil
}

// anew simulates the plan again and again, the first time as it is. That one is
// the simulation that there is, where it tells functions' latencies apart.
func (p *Plan) anew(ctx context.Context, s *Simulation, done func(k int)) ([][]outcome, error) {
	runs := make([][]outcome, predictions)
	told := s.Engine == sim.EngineEvents && (p.Budget > 0 || s.ByFunction == nil)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for k := range runs {
		group.Go(func() (err error) {
			defer done(k)
			if k == 0 && told {
				runs[k] = s.outcomes()
				return nil
			}
			runs[k], err = p.another(k).outcomes(ctx)
			return err
		})
	}
	return runs, group.Wait()
}

// another is the plan of one of several runs; the first, 0, is as it is.
func (p *Plan) another(k int) *Plan {
	plan := *p
	if k > 0 {
		plan.Options.Seed += uint64(k)
		plan.Fit = p.Fit.again(plan.Options.Seed)
	}
	return &plan
}

// outcome is one simulated run of a function.
type outcome struct {
	function       string
	requests, cold uint64
	latency        *hist.Histogram // nil where functions are not told apart
}

// outcomes are those of all functions together, then each where there are
// several. Functions are simulated one by one, which tells their response
// times, unless they share memory.
func (p *Plan) outcomes(ctx context.Context) ([]outcome, error) {
	if p.Budget > 0 {
		return p.sharing(ctx)
	}
	list := []outcome{{latency: hist.New()}}
	for f, err := range p.Source.Functions(ctx) {
		if err != nil {
			return nil, err
		}
		load, options, err := p.load(f)
		if err != nil {
			return nil, err
		}
		r, err := sim.Events(ctx, load, options)
		if err != nil {
			return nil, err
		}
		list[0].requests += r.Requests
		list[0].cold += r.Cold
		latency := cmp.Or(r.Latency, r.Response)
		list[0].latency.Merge(latency)
		list = append(list, outcome{r.Name, r.Requests, r.Cold, latency})
	}
	if len(list) == 2 {
		list = list[:1]
	}
	return list, nil
}

func (p *Plan) sharing(ctx context.Context) ([]outcome, error) {
	s := &Simulation{}
	if err := p.run(ctx, s); err != nil {
		return nil, err
	}
	return s.outcomes(), nil
}

// outcomes are those that a simulation tells.
func (s *Simulation) outcomes() []outcome {
	list := []outcome{{"", s.Requests, s.Cold, cmp.Or(s.Latency, s.Response)}}
	for _, r := range s.ByFunction {
		list = append(list, outcome{r.Name, r.Requests, r.Cold, nil})
	}
	slices.SortFunc(list, func(a, b outcome) int { return cmp.Compare(a.function, b.function) })
	return list
}

// foreseen are the figures of the first run with the ranges of all.
func foreseen(runs [][]outcome) []Foreseen {
	list := make([]Foreseen, len(runs[0]))
	for i, first := range runs[0] {
		over := func(figure func(o *outcome) int64) Range {
			r := Range{Value: figure(&first), Low: math.MaxInt64}
			for k := range runs {
				v := figure(&runs[k][i])
				r.Low, r.High = min(r.Low, v), max(r.High, v)
			}
			return r
		}
		quantile := func(q float64) *Range {
			if first.latency == nil || first.latency.N() < stats.MinSamples(q, .95) {
				return nil
			}
			r := over(func(o *outcome) int64 { return int64(o.latency.Quantile(q)) })
			return &r
		}
		list[i] = Foreseen{
			Function: first.function, Requests: first.requests,
			Cold: over(func(o *outcome) int64 { return int64(o.cold) }),
			P50:  quantile(.5), P99: quantile(.99),
		}
	}
	return list
}
