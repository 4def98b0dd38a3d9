package study

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
)

// SweepSchema is the version of a sweep's JSON form.
const SweepSchema = "coldcurve.sweep/v1"

// Axis is one key of a policy with the values that it is to have.
type Axis struct {
	Key    string   `json:"key"` // as in a policy file: keep_alive
	Values []string `json:"values"`
}

// ParseAxis reads "keep-alive=1m,5m,10m". A comma within brackets does not
// separate: "provisioned=0,[{from: 0s, count: 2}]".
func ParseAxis(text string) (Axis, error) {
	key, values, found := strings.Cut(text, "=")
	a := Axis{Key: strings.ReplaceAll(strings.TrimSpace(key), "-", "_")}
	if !found || a.Key == "" {
		return a, fmt.Errorf("%q: write a key of the policy and its values, such as keep-alive=1m,10m", text)
	}
	depth, start := 0, 0
	for i, c := range values + "," {
		switch {
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			a.Values = append(a.Values, strings.TrimSpace(values[start:i]))
			start = i + 1
		}
	}
	if start <= len(values) || slices.Contains(a.Values, "") {
		return a, fmt.Errorf("%q: a value is missing, or a bracket does not close", text)
	}
	for i, v := range a.Values {
		if slices.Contains(a.Values[:i], v) {
			return a, fmt.Errorf("%q: %s stands twice", text, v)
		}
	}
	return a, nil
}

// Sweep is one traffic on many policies, as `simulate --sweep --json` prints it.
// Every point meets the same requests, with the same service times.
type Sweep struct {
	Schema   string   `json:"schema"`
	Complete bool     `json:"complete"` // false: interrupted, and Points are those that were done or under way
	Traffic  Traffic  `json:"traffic"`
	Seed     uint64   `json:"seed"`
	Axes     []Axis   `json:"axes"`
	Points   []Point  `json:"points"` // the last axis changes fastest
	Wall     float64  `json:"wall_s"`
	Notes    []string `json:"notes"`
}

// Point is one policy of a sweep.
type Point struct {
	Values []string `json:"values"` // of the axes, in their order
	sim.Result
	Responses
	IdleHours float64 `json:"idle_instance_h"` // instances ready and serving nobody
	// Excluded says why a point is compared with no other; "" where it is.
	Excluded string `json:"excluded,omitempty"`
	// Pareto says that no other point that is compared has both fewer cold starts
	// and fewer idle instance hours.
	Pareto bool  `json:"pareto"`
	Bill   *Bill `json:"bill,omitempty"` // of a month of such traffic
}

// mostPoints is more than a person reads.
const mostPoints = 400

// AxesError is axes that make no sweep.
type AxesError struct{ Problem string }

func (e *AxesError) Error() string { return "sweep: " + e.Problem }

// combinations are the values of every point.
func combinations(axes []Axis) ([][]string, error) {
	all := [][]string{nil}
	for i, a := range axes {
		if slices.ContainsFunc(axes[:i], func(b Axis) bool { return b.Key == a.Key }) {
			return nil, &AxesError{a.Key + " is swept twice"}
		}
		var next [][]string
		for _, before := range all {
			for _, v := range a.Values {
				next = append(next, append(slices.Clone(before), v))
			}
		}
		if all = next; len(all) > mostPoints {
			return nil, &AxesError{fmt.Sprintf("%d points and more: the most is %d", len(all), mostPoints)}
		}
	}
	return all, nil
}

// Sweeping simulates a plan's traffic once for each combination of the axes'
// values. The plan of a point is what planOf makes of its values; all are made
// before the first is simulated. They leave the same warm-up out, the longest
// that any of them needs. Several points are under way at once, and where they
// have many functions the processors go to the first of them, so that an
// interrupt leaves as many as can be whole. Those it finds under way are kept, too.
func Sweeping(ctx context.Context, axes []Axis, planOf func(values []string) (Plan, error), progress func(share float64)) (*Sweep, error) {
	values, err := combinations(axes)
	if err != nil {
		return nil, err
	}
	plans := make([]Plan, len(values))
	for i, v := range values {
		if plans[i], err = planOf(v); err != nil {
			return nil, err
		}
	}
	warmup := sharedWarmup(plans)
	for i := range plans {
		plans[i].Options.Warmup = warmup
	}
	sims, err := sideBySide(ctx, plans, progress)
	if err != nil {
		return nil, err
	}
	return gather(axes, values, sims)
}

// sideBySide simulates plans; nil is one that the context ended before it said anything.
func sideBySide(ctx context.Context, plans []Plan, progress func(share float64)) ([]*Simulation, error) {
	sims := make([]*Simulation, len(plans))
	shares := &shares{of: make([]float64, len(plans)), tell: progress}
	processors := runtime.GOMAXPROCS(0)
	turns := newTurns(processors, len(plans))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(processors)
	for i, plan := range plans {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			plan.Progress = func(share float64) { shares.set(i, share) }
			plan.turn = func() func() { return turns.take(i) }
			s, err := Simulate(within, plan)
			if err != nil {
				return err
			}
			shares.set(i, 1)
			sims[i] = s
			return nil
		})
	}
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return nil, err
	}
	return sims, nil
}

// gather makes points of the simulations of which there is something to say.
func gather(axes []Axis, values [][]string, sims []*Simulation) (*Sweep, error) {
	sweep := &Sweep{Schema: SweepSchema, Axes: axes}
	whole := 0
	for i, s := range sims {
		if s == nil || !s.Complete && s.Requests == 0 {
			continue
		}
		if sweep.Points == nil {
			sweep.Seed, sweep.Traffic, sweep.Notes = s.Seed, s.Traffic, s.Notes
		}
		if s.Complete {
			whole++
		}
		sweep.Points = append(sweep.Points, *pointOf(values[i], s))
	}
	n, all := len(sweep.Points), len(sims)
	if n == 0 {
		return nil, errors.New("interrupted before any point had a request after the warm-up")
	}
	if sweep.Complete = whole == all; !sweep.Complete {
		sweep.Notes = append(sweep.Notes, fmt.Sprintf("interrupted: of %d policies %d done, %d under way, and nothing known of %d", all, whole, n-whole, all-n))
	}
	markPareto(sweep.Points)
	return sweep, nil
}

// pointOf is what a sweep keeps of a simulation.
func pointOf(values []string, s *Simulation) *Point {
	p := &Point{
		Values: values, Result: s.Result, Responses: s.Responses, IdleHours: s.IdleShare * s.InstanceSeconds / 3600, Bill: s.Bill,
		Excluded: excluded(&s.Result, s.Target),
	}
	p.Timeline = nil
	return p
}

// sharedWarmup is the warm-up that all of the plans leave out: the first one's
// where that says, else the longest that any of them needs.
func sharedWarmup(plans []Plan) time.Duration {
	longest := plans[0].Options.Warmup
	if longest != 0 {
		return longest
	}
	for i := range plans {
		o := plans[i].Options
		if o.Service == nil { // each function's own: what it adds is short beside keep-alives
			o.Service = dist.Constant(0)
		}
		longest = max(longest, o.DefaultWarmup(plans[i].span()))
	}
	return longest
}

// excluded says why a policy is no choice. Of one that was interrupted only a
// part is known, and not the same part as of others. Who refuses requests, or lets them
// queue for hours, has few cold starts and few idle instances for that. Waiting
// is too long where the target says so, or where on average it takes longer
// than to start an instance and be served, which needs nobody to say what is long.
func excluded(r *sim.Result, target *Target) string {
	switch {
	case r.Interrupted:
		return "was interrupted, so that its figures are of what was done until then"
	case r.Throttled+r.Unserved > 0:
		return "refuses requests"
	case target != nil && target.Functions != nil && !target.Functions.Holds:
		return "misses the target"
	case r.Queued > 0 && r.WaitMean > r.StartMean+r.ServiceMean:
		return "has requests wait longer than a start and their service take, on average"
	}
	return ""
}

// markPareto finds the points that no other one beats in both, of those that
// are compared.
func markPareto(points []Point) {
	for i := range points {
		a := &points[i]
		a.Pareto = a.Excluded == "" && !slices.ContainsFunc(points, func(b Point) bool {
			return b.Excluded == "" && b.PCold <= a.PCold && b.IdleHours <= a.IdleHours && (b.PCold < a.PCold || b.IdleHours < a.IdleHours)
		})
	}
}

// shares adds up how far several simulations are.
type shares struct {
	mu   sync.Mutex
	of   []float64
	tell func(float64)
}

func (s *shares) set(i int, share float64) {
	if s.tell == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[i] = share
	sum := 0.
	for _, x := range s.of {
		sum += x
	}
	s.tell(sum / float64(len(s.of)))
}
