package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// KeepWarmSchema is the version of a [KeepWarm]'s JSON form.
const KeepWarmSchema = "coldcurve.keepwarm/v1"

// WarmOptions are the ways to have fewer cold starts that are compared.
type WarmOptions struct {
	Option cost.Option
	Region string // "" is the option's own
	Arch   string // "" is x86_64
	// Share of requests that may start cold, 0 to 1: as many instances are kept
	// as it takes.
	Share float64
	// PingEvery is the time between pings, and PingTakes what one is billed.
	PingEvery, PingTakes time.Duration
	// Restore is how long a start from a snapshot takes; 0 is not known, and
	// snapshots are left out.
	Restore time.Duration
}

// KeepWarm is what each avoided cold start costs, as `cost keepwarm --json`
// prints it. Amounts are nano-dollars a month.
type KeepWarm struct {
	Schema   string   `json:"schema"`
	Option   string   `json:"option"`
	Requests uint64   `json:"requests_per_month"`
	Cold     uint64   `json:"cold_per_month"` // with nothing done
	Share    float64  `json:"cold_share"`
	Target   float64  `json:"target_share"`
	Ways     []Warmer `json:"ways"` // the cheapest avoided cold start first
	// Held is the name of the way with the smallest bill that holds the target;
	// "" where none does.
	Held    string   `json:"held"`
	PaysAt  float64  `json:"provisioned_pays_above_use,omitempty"` // share of its time; left out where the book has no such price
	Unable  string   `json:"unable,omitempty"`                     // ways that the product does not have
	Notes   []string `json:"notes"`
	Sources []string `json:"sources"`
}

// Warmer is one way.
type Warmer struct {
	Name    string       `json:"name"`
	Month   units.Money  `json:"month_nano_usd"`
	Extra   units.Money  `json:"extra_nano_usd"` // beyond doing nothing; below 0 saves
	Cold    uint64       `json:"cold"`
	Share   float64      `json:"cold_share"`
	Avoided uint64       `json:"avoided"`
	Each    *units.Money `json:"each_nano_usd"` // of an avoided cold start; null where none is avoided
	Holds   bool         `json:"holds"`         // the target
}

// mostKept is the most instances that are tried.
const mostKept = 1024

// nothing is the way to do nothing.
const nothing = "nothing"

// KeepWarmOf simulates a plan of one function with nothing done and with each
// way, and prices a month of each.
func KeepWarmOf(ctx context.Context, p Plan, o WarmOptions) (*KeepWarm, error) {
	if o.Share < 0 || o.Share > 1 || o.PingEvery <= 0 || o.PingTakes < 0 {
		return nil, fmt.Errorf("keep warm: a share of %v, pings every %v of %v: must be from 0 to 1, above 0, at least 0", o.Share, o.PingEvery, o.PingTakes)
	}
	t := &trial{Plan: p, WarmOptions: o, ctx: ctx}
	if err := t.begin(); err != nil {
		return nil, err
	}
	ways := []cost.Remedy{{Name: nothing, Works: []*cost.Work{&t.work}, Cold: t.work.Cold}}
	for _, kind := range []func(int) (cost.Remedy, float64, error){t.ready, t.pings} {
		more, err := t.fewest(kind)
		if err != nil {
			return nil, err
		}
		ways = append(ways, more...)
	}
	if o.Restore > 0 {
		ways = append(ways, cost.Restores(t.work, cost.Constant(o.Restore)))
	}
	priced, unable, err := cost.Remedies(o.Option, t.work, ways)
	if err != nil {
		return nil, err
	}
	return t.result(priced, unable), nil
}

// trial is a comparison under way.
type trial struct {
	Plan
	WarmOptions
	ctx   context.Context
	base  *Simulation
	work  cost.Work // a month with nothing done
	notes []string
}

// begin simulates the traffic with nothing done.
func (t *trial) begin() error {
	var err error
	if t.base, err = t.simulate(t.Plan.Options.Policy); err != nil {
		return err
	}
	if t.base.Functions != 1 {
		return fmt.Errorf("keep warm: the traffic has %d functions: it takes one", t.base.Functions)
	}
	t.notes = slices.Clone(t.base.Notes)
	for _, w := range t.base.Warnings {
		t.notes = append(t.notes, w.Text)
	}
	works, err := t.base.Works(cost.Month.Seconds() / t.base.Length().Seconds())
	if err != nil {
		return err
	}
	t.work = works[0] // of the only function
	t.work.Region, t.work.Arch, t.work.Fleet = t.Region, t.Arch, nil
	return nil
}

func (t *trial) simulate(policy lifecycle.Policy) (*Simulation, error) {
	p := t.Plan
	p.Options.Policy, p.Option = policy, nil
	// All leave the same warm-up out.
	if t.base != nil {
		p.Options.Warmup = cmp.Or(time.Duration(t.base.Warmup*float64(time.Second)), -1)
	}
	s, err := Simulate(t.ctx, p)
	if err == nil && !s.Complete {
		err = cmp.Or(t.ctx.Err(), errors.New("interrupted"))
	}
	return s, err
}

// month is a number of the simulated requests in a month.
func (t *trial) month(n uint64, s *sim.Result) uint64 {
	if s.Served == 0 {
		return 0
	}
	return uint64(math.Round(float64(n) / float64(s.Served) * float64(t.work.Requests)))
}

func (t *trial) ready(n int) (cost.Remedy, float64, error) {
	policy := t.Plan.Options.Policy
	policy.Provisioned = []lifecycle.Level{{Count: n}}
	s, err := t.simulate(policy)
	if err != nil {
		return cost.Remedy{}, 0, err
	}
	return cost.Ready(t.work, uint64(n), t.month(s.Ahead, &s.Result), t.month(s.Cold, &s.Result)), s.PCold, nil
}

func (t *trial) pings(n int) (cost.Remedy, float64, error) {
	policy := t.Plan.Options.Policy
	policy.Ping = lifecycle.Pings{Every: t.PingEvery, Count: n}
	s, err := t.simulate(policy)
	if err != nil {
		return cost.Remedy{}, 0, err
	}
	return cost.Pings(t.work, uint64(n), t.PingEvery, t.PingTakes, t.month(s.Cold, &s.Result)), s.PCold, nil
}

// fewest tries more and more instances until the target is held, and finds the
// fewest that hold it between the last two. It gives all that it tried.
func (t *trial) fewest(way func(n int) (cost.Remedy, float64, error)) ([]cost.Remedy, error) {
	tried := make(map[int]cost.Remedy)
	holds := func(n int) (bool, error) {
		r, share, err := way(n)
		tried[n] = r
		return share <= t.Share, err
	}
	low, high, most := 0, 1, max(1, min(t.base.InstancesPeak, mostKept))
	for {
		ok, err := holds(high)
		if err != nil {
			return nil, err
		}
		if ok {
			break
		}
		if high >= most {
			low = high // more than ever worked at once would not help
			break
		}
		low, high = high, min(2*high, most)
	}
	for low+1 < high {
		middle := (low + high) / 2
		ok, err := holds(middle)
		if err != nil {
			return nil, err
		}
		if ok {
			high = middle
		} else {
			low = middle
		}
	}
	var list []cost.Remedy
	for _, r := range tried {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b cost.Remedy) int { return cmp.Compare(b.Cold, a.Cold) })
	return list, nil
}

func (t *trial) result(priced []cost.Remedied, unable error) *KeepWarm {
	k := &KeepWarm{Schema: KeepWarmSchema, Option: t.WarmOptions.Option.Name(), Requests: t.work.Requests, Cold: t.work.Cold, Share: t.base.PCold,
		Target: t.Share, Ways: []Warmer{}, Notes: append([]string{}, t.notes...), Sources: []string{}}
	if unable != nil {
		k.Unable = unable.Error()
	}
	for _, p := range priced {
		w := Warmer{Name: p.Name, Month: p.Bill.Total, Extra: p.Extra, Cold: p.Cold, Share: p.Share, Avoided: p.Avoided, Holds: p.Share <= t.Share}
		if p.Avoided > 0 {
			w.Each = new(p.Each)
		}
		k.Ways = append(k.Ways, w)
		for _, s := range sources(p.Bill) {
			if !slices.Contains(k.Sources, s) {
				k.Sources = append(k.Sources, s)
			}
		}
	}
	if best, ok := cost.Hold(priced, t.Share); ok {
		k.Held = best.Name
	}
	k.PaysAt = provisionedPaysAt(priced)
	return k
}

// provisionedPaysAt is the share of its time that a ready instance must be in
// use to cost no more than the same calls on demand: what waiting costs, over
// what its calls cost less. 0 where no bill has these lines.
func provisionedPaysAt(priced []cost.Remedied) float64 {
	wait, call, served := 0., 0., 0.
	for _, p := range priced {
		for _, l := range p.Bill.Lines {
			price, _ := l.UnitPrice.Float64()
			switch {
			case l.Free:
			case strings.HasPrefix(l.Dimension, "provisioned_concurrency"):
				wait = price
			case strings.HasPrefix(l.Dimension, "provisioned_duration"):
				served = price
			case strings.HasPrefix(l.Dimension, "duration"):
				call = price
			}
		}
	}
	if wait == 0 || served == 0 || call <= served {
		return 0
	}
	return wait / (call - served)
}
