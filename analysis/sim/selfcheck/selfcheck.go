// Package selfcheck owns the proof that the simulator is right: laws that hold
// exactly, published figures, and requests that were really sent to AWS Lambda.
//
// In: a seed and how much work to spend. Out: a [Check] a figure: what it must
// be and by whom, what the simulator says, and by how many standard errors
// they differ. It judges the event engine; the level engine states its error
// and is held to the event engine by tests.
package selfcheck

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// Sigmas is by how many standard errors a figure may be off.
const Sigmas = 4

// Options say how hard to check.
type Options struct {
	Seed uint64
	// Work multiplies the requests that are simulated; 0 is 1, which is some 60
	// million. Less than 0.05 shows little.
	Work float64
}

// Check is one figure beside what it must be.
type Check struct {
	Law    string  `json:"law"`    // what is simulated
	Figure string  `json:"figure"` // of it
	Source string  `json:"source"`
	Want   float64 `json:"want"`
	Slack  float64 `json:"slack"` // by which Want itself may be off: what was published is rounded, or has an error of its own
	Got    float64 `json:"got"`
	Stderr float64 `json:"stderr"` // of Got; 0 where nothing is drawn
	OK     bool    `json:"ok"`     // they differ by no more than the slack and 4 standard errors
}

// Off is by how many standard errors they differ beyond the slack; 0 where
// nothing is drawn.
func (c *Check) Off() float64 {
	if c.Stderr == 0 {
		return 0
	}
	return max(0, math.Abs(c.Got-c.Want)-c.Slack) / c.Stderr
}

// Run checks one law after the other. It ends early, without an error, when the
// context does.
func Run(ctx context.Context, options Options) iter.Seq2[Check, error] {
	return func(yield func(Check, error) bool) {
		for _, l := range laws() {
			checks, err := l.check(ctx, options)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(Check{Law: l.name}, err)
				return
			}
			for _, c := range checks {
				if !yield(c, nil) {
					return
				}
			}
		}
		for _, r := range replays {
			if ctx.Err() != nil {
				return
			}
			c, err := r.check(ctx)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// law is traffic of which figures are known.
type law struct {
	name    string
	rate    float64
	options sim.Options
	work    float64 // requests in all
	figures []figure
}

type figure struct {
	name, source string
	want, slack  float64
	of           func(*sim.Result) float64
}

// replications are simulated beside each other: their spread is what chance does.
const replications = 24

func (l *law) check(ctx context.Context, options Options) ([]Check, error) {
	work := options.Work
	if work == 0 {
		work = 1
	}
	each := uint64(l.work * work / replications)
	jobs := func(yield func(*sim.Job, error) bool) {
		for k := range replications {
			o := l.options
			o.Seed, o.Requests = options.Seed+uint64(k), each
			if !yield(&sim.Job{Load: poisson(l.name, l.rate), Options: o}, nil) {
				return
			}
		}
	}
	var all []*sim.Result
	if _, err := sim.Run(ctx, jobs, func(r *sim.Result) { all = append(all, r) }); err != nil {
		return nil, err
	}
	var checks []Check
	for _, f := range l.figures {
		c := Check{Law: l.name, Figure: f.name, Source: f.source, Want: f.want, Slack: f.slack}
		squares := 0.
		for k, r := range all { // Welford
			x := f.of(r)
			d := x - c.Got
			c.Got += d / float64(k+1)
			squares += d * (x - c.Got)
		}
		n := float64(len(all))
		c.Stderr = math.Sqrt(squares / (n - 1) / n)
		c.OK = math.Abs(c.Got-c.Want) <= c.Slack+Sigmas*c.Stderr
		checks = append(checks, c)
	}
	return checks, nil
}

func poisson(name string, rate float64) sim.Load {
	return sim.Load{Name: name, Arrivals: func(rng *rand.Rand) iter.Seq[time.Duration] {
		return arrival.Poisson{Rate: units.Rate(rate)}.Times(math.MaxInt64, rng)
	}}
}

// The figures of a result that laws are about.
func pCold(r *sim.Result) float64     { return r.PCold }
func instances(r *sim.Result) float64 { return r.InstancesMean }
func busy(r *sim.Result) float64      { return r.BusyMean }
func idle(r *sim.Result) float64      { return r.InstancesMean - r.BusyMean - r.StartingMean }
func queued(r *sim.Result) float64    { return float64(r.Queued) / float64(r.Served) }
func throttled(r *sim.Result) float64 { return float64(r.Throttled) / float64(r.Requests) }
func wait(r *sim.Result) float64      { return r.WaitMean }
func service(r *sim.Result) float64   { return r.ServiceMean }
func life(r *sim.Result) float64      { return r.InstanceSeconds / float64(r.Started) }

func exponential(seconds float64) dist.Distribution { return dist.Exponential(seconds * 1e9) }
func secs(s float64) time.Duration                  { return time.Duration(s * 1e9) }
