package study

import (
	"slices"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Tradeoff is what an option costs and how long it takes, at one place of the
// axis, with a number of instances.
type Tradeoff struct {
	Option    string    `json:"option"`
	Instances int       `json:"instances,omitempty"` // of a fleet
	USD       units.USD `json:"usd_month"`
	Response  int64     `json:"response_ns"` // at the goal's quantile
	Front     bool      `json:"pareto"`      // no other is both cheaper and faster
}

// Money is what a month costs.
func (t *Tradeoff) Money() units.Money { return units.Money(t.USD) }

// spare are how many instances beyond the fewest are looked at.
func spare() []int { return []int{1, 2, 4, 8} }

// tradeoffs are the options at a place, fleets with some more instances, too.
func (c *comparison) tradeoffs(tick uint64) ([]Tradeoff, error) {
	var out []Tradeoff
	for _, o := range c.options {
		first, err := c.at(o, tick)
		if err != nil {
			return nil, err
		}
		if first.err != nil {
			continue
		}
		out = append(out, Tradeoff{Option: o.name, Instances: first.fleet.Instances, USD: units.USD(first.total), Response: int64(first.p99)})
		if o.host == nil {
			continue
		}
		larger := *c.Comparison
		for _, n := range spare() {
			larger.MinInstances = first.fleet.Instances + n
			run := &comparison{Comparison: &larger, cpu: c.cpu, idle: c.idle}
			p, err := run.at(o, tick)
			if err != nil {
				return nil, err
			}
			if p.err == nil {
				out = append(out, Tradeoff{Option: o.name, Instances: p.fleet.Instances, USD: units.USD(p.total), Response: int64(p.p99)})
			}
		}
	}
	for i := range out {
		t := &out[i]
		t.Front = !slices.ContainsFunc(out, func(o Tradeoff) bool {
			return o.USD <= t.USD && o.Response <= t.Response && (o.USD < t.USD || o.Response < t.Response)
		})
	}
	return out, nil
}
