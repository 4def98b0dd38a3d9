package study

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Swing is what one input does to the answer: to the place where the first
// option ceases to be cheaper than another.
type Swing struct {
	Input string `json:"input"`
	Base  string `json:"base"`
	// Less, More and Twice are the break-even places with 10% less of it, 10%
	// more and twice as much; null where there is none on the axis, or no such
	// input.
	Less  *float64 `json:"x_less_10"`
	More  *float64 `json:"x_more_10"`
	Twice *float64 `json:"x_twice"`
	// Most is the greatest change that 10% make, as a share of the place; 1 where
	// they make it disappear.
	Most float64 `json:"most_share"`
}

// Sensitivity varies one input of a comparison at a time, and looks at its first
// break-even point that takes the first option's place: into Swings, the input
// that moves it most first. Where there is no such point they stay nil.
func (c *Curves) Sensitivity(ctx context.Context) (err error) {
	i := slices.IndexFunc(c.Breakeven, func(b Breakeven) bool { return b.Between[0] == c.Options[0] })
	if i < 0 {
		return nil
	}
	between := c.Breakeven[i]
	var swings []Swing
	base := c.Comparison
	base.Options, base.Points = between.Between[:], 31
	for _, in := range inputs(&base) {
		s := Swing{Input: in.name, Base: in.base}
		for _, change := range []struct {
			factor float64
			at     **float64
		}{{.9, &s.Less}, {1.1, &s.More}, {2, &s.Twice}} {
			varied, ok := in.vary(base, change.factor)
			if !ok {
				continue
			}
			if *change.at, err = varied.first(ctx, between.Between); err != nil {
				return fmt.Errorf("vary %s by %v: %w", in.name, change.factor, err)
			}
			if change.factor > 1.5 {
				continue
			}
			if *change.at == nil {
				s.Most = 1
			} else {
				s.Most = max(s.Most, math.Abs(**change.at/between.X-1))
			}
		}
		swings = append(swings, s)
	}
	slices.SortStableFunc(swings, func(a, b Swing) int { return cmp.Compare(b.Most, a.Most) })
	c.Swings, c.Swung = swings, between
	return nil
}

// first is the first place at which one option becomes cheaper than the other.
func (c Comparison) first(ctx context.Context, between [2]string) (*float64, error) {
	curves, err := c.Compare(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range curves.Breakeven {
		if b.Between == between {
			return &b.X, nil
		}
	}
	return nil, nil
}

// input is one thing that a comparison rests on.
type input struct {
	name, base string
	// vary multiplies it in a copy; false where it comes in steps that the factor
	// does not reach.
	vary func(c Comparison, factor float64) (Comparison, bool)
}

func inputs(c *Comparison) []input {
	scaled := func(d time.Duration, factor float64) time.Duration {
		return max(1, time.Duration(float64(d)*factor))
	}
	list := []input{
		{"duration", units.FormatDuration(c.Work.Durations.Mean()), func(c Comparison, factor float64) (Comparison, bool) {
			d, err := c.Work.Durations.Scaled(factor)
			c.Work.Durations = d
			return c, err == nil
		}},
		{"memory", c.Work.Memory.String(), func(c Comparison, factor float64) (Comparison, bool) {
			c.Work.Memory = units.Bytes(math.Round(float64(c.Work.Memory)*factor/float64(units.MB))) * units.MB
			return c, true
		}},
		{"min instances", fmt.Sprint(c.MinInstances), func(c Comparison, factor float64) (Comparison, bool) {
			before := c.MinInstances
			c.MinInstances = int(math.Round(float64(before) * factor))
			return c, c.MinInstances != before && c.MinInstances > 0
		}},
	}
	if c.CPU > 0 {
		list = append(list, input{"CPU time", units.FormatDuration(c.CPU), func(c Comparison, factor float64) (Comparison, bool) {
			c.CPU = scaled(c.CPU, factor)
			return c, true
		}})
	}
	if c.Goal.Within > 0 {
		list = append(list, input{"target", units.FormatDuration(c.Goal.Within), func(c Comparison, factor float64) (Comparison, bool) {
			c.Goal.Within = scaled(c.Goal.Within, factor)
			return c, true
		}})
	}
	if c.Work.Cold > 0 {
		share := float64(c.Work.Cold) / float64(max(1, c.Work.Requests))
		list = append(list, input{"cold share", units.FormatShare(share), func(c Comparison, factor float64) (Comparison, bool) {
			c.Work.Cold = min(c.Work.Requests, uint64(math.Round(float64(c.Work.Cold)*factor)))
			return c, true
		}})
	}
	if c.Over != OverRate {
		list = append(list, input{"rate", units.FormatRate(c.Rate), func(c Comparison, factor float64) (Comparison, bool) {
			c.Rate *= units.Rate(factor)
			return c, true
		}})
	}
	return list
}
