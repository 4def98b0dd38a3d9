package study

import (
	"cmp"
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Curves are what options cost over an axis.
type Curves struct {
	Comparison
	Series []Series
	// Breakeven are the places at which two options change places, ascending:
	// the first option against each other, and wherever the cheapest of all
	// changes.
	Breakeven []Breakeven
	// Cheapest is which option is the cheapest one from place to place.
	Cheapest  []Reign
	Here      []CurvePoint // of each series, at the place At
	Tradeoffs []Tradeoff   // there
	// Swings are of Sensitivity, for the point Swung; nil where nobody asked.
	Swings []Swing
	Swung  Breakeven
}

// Series is one option's curve.
type Series struct {
	Option string
	Host   *cost.Host // nil where calls are billed
	Points []CurvePoint
	Limits []Limit    // where it cannot do the work, ascending
	Sample *cost.Bill // of the last place that has one, for sources and notes; nil for none
}

// CurvePoint is one option at one place.
type CurvePoint struct {
	X        float64 // of the axis, in its unit
	Rate     units.Rate
	Requests uint64 // in the month
	// Total and Shares are what the month costs; Err is why there is no cost.
	Total     units.Money
	Shares    map[cost.Share]units.Money
	Err       error
	Instances int   // of a fleet; 0 where calls are billed
	Bound     Bound // that their number follows from
	Busy      float64
	Response  int64 // nanoseconds, at the goal's quantile
}

// Limit is a part of the axis, ends included, where an option cannot do the work.
type Limit struct {
	From, To float64
	Err      error // a [*cost.Impossible] or a [*cost.Missing]
}

// Breakeven is a place at which one option becomes cheaper than another.
type Breakeven struct {
	X        float64
	Rate     units.Rate
	Requests uint64
	// Between are the cheaper one below, and the cheaper one from X on.
	Between [2]string
	// Instances of either from X on, 0 where calls are billed.
	Instances [2]int
	Step      bool // at X one of the two jumps over the other, as when an instance is added
	// Before and After are what both cost a tick below X and at it.
	Before, After [2]units.Money
	Cheapest      bool // the cheapest of all options changes here
}

// Reign is a part of the axis in which one option is the cheapest, From on and
// below To, or with it where the axis ends.
type Reign struct {
	From, To float64
	Option   string // "" where none can do the work
	// Fewest and Most are its instances at both ends, 0 where calls are billed.
	Fewest, Most int
}

// Compare computes the curves, and solves for where they cross.
func (c Comparison) Compare(ctx context.Context) (*Curves, error) {
	c.Over = cmp.Or(c.Over, OverRate)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	run, err := c.begin()
	if err != nil {
		return nil, err
	}
	c.Points, c.At = cmp.Or(c.Points, 121), cmp.Or(c.At, math.Sqrt(c.From*c.To))
	ticks := run.spaced()
	grid, err := run.table(ctx, ticks)
	if err != nil {
		return nil, err
	}
	out := &Curves{Comparison: *run.Comparison}
	s := &solver{comparison: run, ticks: ticks, grid: grid}
	here := run.tick(out.At)
	for i, o := range run.options {
		series, err := s.series(i, o)
		if err != nil {
			return nil, err
		}
		out.Series = append(out.Series, series)
		p, err := run.at(o, here)
		if err != nil {
			return nil, err
		}
		point, err := run.point(here, &p)
		if err != nil {
			return nil, err
		}
		out.Here = append(out.Here, point)
	}
	found, err := s.solve()
	if err != nil {
		return nil, err
	}
	if out.Cheapest, err = s.reigns(found); err != nil {
		return nil, err
	}
	if out.Tradeoffs, err = run.tradeoffs(here); err != nil {
		return nil, err
	}
	for _, f := range found {
		out.Breakeven = append(out.Breakeven, f.Breakeven)
	}
	return out, nil
}

// table is what each option costs at each tick.
func (c *comparison) table(ctx context.Context, ticks []uint64) ([][]priced, error) {
	out := make([][]priced, len(c.options))
	var group errgroup.Group
	for i, o := range c.options {
		group.Go(func() error {
			out[i] = make([]priced, len(ticks))
			for j, t := range ticks {
				if err := ctx.Err(); err != nil {
					return err
				}
				var err error
				if out[i][j], err = c.at(o, t); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out, group.Wait()
}

// solver looks for places between the ticks of a grid.
type solver struct {
	*comparison
	ticks []uint64
	grid  [][]priced // by option and tick
}

// series is an option's points, and where it cannot do the work: to the tick.
func (s *solver) series(i int, o *candidate) (Series, error) {
	out := Series{Option: o.name, Host: o.host}
	for j, t := range s.ticks {
		p := &s.grid[i][j]
		point, err := s.point(t, p)
		if err != nil {
			return out, err
		}
		if p.err == nil {
			out.Sample = p.bill
		}
		out.Points = append(out.Points, point)
		if j == 0 {
			if p.err != nil {
				out.Limits = append(out.Limits, Limit{From: point.X, Err: p.err})
			}
			continue
		}
		if before := &s.grid[i][j-1]; (before.err == nil) != (p.err == nil) {
			edge, at, err := s.edge(o, s.ticks[j-1], t)
			if err != nil {
				return out, err
			}
			if p.err != nil {
				out.Limits = append(out.Limits, Limit{From: s.value(edge), Err: at.err})
			} else {
				out.Limits[len(out.Limits)-1].To = s.value(edge - 1)
			}
		}
	}
	if n := len(out.Limits); n > 0 && out.Limits[n-1].To == 0 {
		out.Limits[n-1].To = s.value(s.ticks[len(s.ticks)-1])
	}
	return out, nil
}

// point is what was priced at a tick, for a reader.
func (c *comparison) point(tick uint64, p *priced) (CurvePoint, error) {
	spot, err := c.spot(tick)
	point := CurvePoint{X: spot.x, Rate: spot.rate, Requests: spot.requests, Err: p.err}
	if p.err == nil && err == nil {
		point.Total, point.Shares = p.total, p.bill.ByShare()
		point.Instances, point.Bound, point.Busy, point.Response = p.fleet.Instances, p.fleet.Bound, p.fleet.Utilisation, int64(p.p99)
	}
	return point, err
}

// edge is the first tick above low that is, as high is and low is not, possible
// or impossible.
func (s *solver) edge(o *candidate, low, high uint64) (uint64, priced, error) {
	at, err := s.at(o, high)
	for err == nil && high-low > 1 {
		middle := low + (high-low)/2
		var p priced
		if p, err = s.at(o, middle); (p.err == nil) == (at.err == nil) {
			high, at = middle, p
		} else {
			low = middle
		}
	}
	return high, at, err
}

// place is two options at one tick.
type place struct {
	tick uint64
	of   [2]priced
}

// side is which of the two is cheaper: -1 the first, 1 the second, 0 neither.
func (p *place) side() int { return cmp.Compare(p.of[0].total, p.of[1].total) }

// found is a break-even point with the tick that it is at.
type found struct {
	Breakeven
	tick uint64
	pair [2]int
}

// solve finds the break-even points of all pairs that a reader asks about.
func (s *solver) solve() ([]found, error) {
	pairs := s.pairs()
	results := make([][]found, len(pairs))
	var group errgroup.Group
	for k, pair := range pairs {
		group.Go(func() error {
			for j := 1; j < len(s.ticks); j++ {
				low := place{s.ticks[j-1], [2]priced{s.grid[pair[0]][j-1], s.grid[pair[1]][j-1]}}
				high := place{s.ticks[j], [2]priced{s.grid[pair[0]][j], s.grid[pair[1]][j]}}
				more, err := s.between(pair, low, high)
				if err != nil {
					return err
				}
				results[k] = append(results[k], more...)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(results...)
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(a.tick, b.tick) })
	return all, nil
}

// pairs are the first option with each other one, and those that follow each
// other as the cheapest.
func (s *solver) pairs() [][2]int {
	var out [][2]int
	for i := 1; i < len(s.options); i++ {
		out = append(out, [2]int{0, i})
	}
	last := -1
	for j := range s.ticks {
		best := s.best(func(i int) priced { return s.grid[i][j] })
		if best < 0 || last == best {
			continue
		}
		if pair := [2]int{min(last, best), max(last, best)}; last >= 0 && !slices.Contains(out, pair) {
			out = append(out, pair)
		}
		last = best
	}
	return out
}

// best is the cheapest option, -1 where none can do the work.
func (s *solver) best(of func(int) priced) int {
	best := -1
	var least units.Money
	for i := range s.options {
		if p := of(i); p.err == nil && (best < 0 || p.total < least) {
			best, least = i, p.total
		}
	}
	return best
}

// between finds where two options change places in (low, high]. Costs do not
// fall along the axis, so that two whose ranges do not meet cannot; where they
// meet and instances are added in between, each half is looked at by itself.
func (s *solver) between(pair [2]int, low, high place) ([]found, error) {
	for k := range low.of {
		if low.of[k].err != nil && high.of[k].err != nil {
			return nil, nil
		}
	}
	if high.tick-low.tick <= 1 {
		return s.neighbours(pair, low, high), nil
	}
	whole, steps := true, false
	for k := range low.of {
		whole = whole && low.of[k].err == nil && high.of[k].err == nil
		steps = steps || low.of[k].fleet.Instances != high.of[k].fleet.Instances
	}
	if whole {
		if low.of[0].total > high.of[1].total || low.of[1].total > high.of[0].total {
			return nil, nil
		}
		if !steps && low.side() == high.side() {
			return nil, nil
		}
	}
	middle, err := s.place(pair, low.tick+(high.tick-low.tick)/2)
	if err != nil {
		return nil, err
	}
	first, err := s.between(pair, low, middle)
	if err != nil {
		return nil, err
	}
	second, err := s.between(pair, middle, high)
	return append(first, second...), err
}

func (s *solver) place(pair [2]int, tick uint64) (p place, err error) {
	p.tick = tick
	for k, i := range pair {
		if p.of[k], err = s.at(s.options[i], tick); err != nil {
			return p, err
		}
	}
	return p, nil
}

// neighbours says whether two options change places from one tick to the next.
func (s *solver) neighbours(pair [2]int, low, high place) []found {
	for k := range low.of {
		if low.of[k].err != nil || high.of[k].err != nil {
			return nil
		}
	}
	if low.side() == high.side() || low.side() == 0 {
		return nil
	}
	first, second := 0, 1 // the cheaper one below, and from here on
	if low.side() > 0 {
		first, second = 1, 0
	}
	spot, err := s.spot(high.tick)
	if err != nil {
		return nil // it was priced there
	}
	b := Breakeven{
		X: spot.x, Rate: spot.rate, Requests: spot.requests,
		Between:   [2]string{s.options[pair[first]].name, s.options[pair[second]].name},
		Instances: [2]int{high.of[first].fleet.Instances, high.of[second].fleet.Instances},
		Before:    [2]units.Money{low.of[first].total, low.of[second].total},
		After:     [2]units.Money{high.of[first].total, high.of[second].total},
	}
	b.Step = !cents(b.Before) && !cents(b.After)
	return []found{{b, high.tick, pair}}
}

// cents says that two amounts differ by less than a cent.
func cents(pair [2]units.Money) bool {
	d := pair[0] - pair[1]
	return -units.Cent < d && d < units.Cent
}

// reigns follows the cheapest option along the axis, and marks the break-even
// points at which it changes.
func (s *solver) reigns(all []found) ([]Reign, error) {
	changes := []uint64{s.ticks[0]}
	for _, f := range all {
		changes = append(changes, f.tick)
	}
	// Where an option ceases to do the work, another may become the cheapest.
	for i, o := range s.options {
		for j := 1; j < len(s.ticks); j++ {
			if (s.grid[i][j-1].err == nil) != (s.grid[i][j].err == nil) {
				edge, _, err := s.edge(o, s.ticks[j-1], s.ticks[j])
				if err != nil {
					return nil, err
				}
				changes = append(changes, edge)
			}
		}
	}
	slices.Sort(changes)
	end := s.ticks[len(s.ticks)-1]
	var out []Reign
	last := -2
	for _, tick := range slices.Compact(changes) {
		best, instances, err := s.bestAt(tick)
		if err != nil {
			return nil, err
		}
		if best == last {
			continue
		}
		if n := len(out); n > 0 {
			out[n-1].To = s.value(tick)
			if _, out[n-1].Most, err = s.instancesAt(last, tick-1); err != nil {
				return nil, err
			}
		}
		for k := range all {
			if f := &all[k]; f.tick == tick && best >= 0 && slices.Contains(f.pair[:], best) && slices.Contains(f.pair[:], last) {
				f.Cheapest = true
			}
		}
		r := Reign{From: s.value(tick), Fewest: instances}
		if best >= 0 {
			r.Option = s.options[best].name
		}
		out, last = append(out, r), best
	}
	var err error
	n := len(out) - 1
	out[n].To = s.value(end)
	_, out[n].Most, err = s.instancesAt(last, end)
	return out, err
}

func (s *solver) bestAt(tick uint64) (best, instances int, err error) {
	list := make([]priced, len(s.options))
	for i, o := range s.options {
		if list[i], err = s.at(o, tick); err != nil {
			return 0, 0, err
		}
	}
	if best = s.best(func(i int) priced { return list[i] }); best >= 0 {
		instances = list[best].fleet.Instances
	}
	return best, instances, nil
}

func (s *solver) instancesAt(option int, tick uint64) (priced, int, error) {
	if option < 0 {
		return priced{}, 0, nil
	}
	p, err := s.at(s.options[option], tick)
	return p, p.fleet.Instances, err
}
