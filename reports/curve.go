package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Curves is a comparison of options over an axis, in words.
type Curves struct{ *study.Curves }

// mostReigns is how many changes of the cheapest option a sentence can carry.
const mostReigns = 4

// Answer is what the curves say: which option is the cheapest from where on,
// where one cannot go on, and the first break-even point in money.
func (c Curves) Answer() []string {
	reigns := c.reigns()
	parts := make([]string, 0, len(reigns))
	for i, r := range reigns {
		if i == mostReigns && len(reigns) > mostReigns+1 {
			parts = append(parts, fmt.Sprintf("and so on: %d more changes up to %s", len(reigns)-i, c.Name(c.To)))
			break
		}
		parts = append(parts, c.reign(r, i == 0, i == len(reigns)-1))
	}
	answer := []string{sentenceOf(strings.Join(parts, "; ")) + "."}
	for _, b := range c.Breakeven {
		if b.Cheapest {
			answer = append(answer, c.breakeven(&b))
			break
		}
	}
	if len(c.Breakeven) == 0 && len(c.Series) > 1 {
		answer = append(answer, fmt.Sprintf("No two of them change places with %s from %s to %s.", c.Series[0].Option, c.Name(c.From), c.Name(c.To)))
	}
	return answer
}

func sentenceOf(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// reigns are the cheapest options from place to place; neighbours of the same
// option are one.
func (c Curves) reigns() []study.Reign {
	var out []study.Reign
	for _, r := range c.Cheapest {
		if n := len(out); n > 0 && out[n-1].Option == r.Option {
			out[n-1].To, out[n-1].Most = r.To, r.Most
			continue
		}
		out = append(out, r)
	}
	return out
}

func (c Curves) reign(r study.Reign, first, last bool) string {
	who := Instances(r.Option, r.Fewest, r.Most)
	if r.Option == "" {
		who = "none of them can do the work"
	}
	switch {
	case first && last && r.Option == "":
		return fmt.Sprintf("%s from %s to %s", who, c.Name(r.From), c.Name(r.To))
	case first && last:
		return fmt.Sprintf("%s is the cheapest of %d all the way from %s to %s", who, len(c.Series), c.Name(r.From), c.Name(r.To))
	case r.Option == "":
		return fmt.Sprintf("above %s %s", c.Name(r.From), who)
	case first:
		return fmt.Sprintf("below %s %s is the cheapest of %d", c.Name(r.To), who, len(c.Series))
	}
	return fmt.Sprintf("above %s %s is cheaper", c.Name(r.From), who)
}

func (c Curves) breakeven(b *study.Breakeven) string {
	below, above := Instances(b.Between[0], b.Instances[0], b.Instances[0]), Instances(b.Between[1], b.Instances[1], b.Instances[1])
	if b.Step {
		return fmt.Sprintf("At %s %s goes from %v to %v a month and passes %s at %v.", c.Name(b.X), below, b.Before[0], b.After[0], above, b.After[1])
	}
	return fmt.Sprintf("At %s %s and %s both cost %v a month.", c.Name(b.X), below, above, b.After[1])
}

// Instances is an option with the number of its instances: "2 x aws/fargate".
func Instances(option string, fewest, most int) string {
	switch {
	case most == 0 && fewest == 0:
		return option
	case fewest == most:
		return fmt.Sprintf("%d x %s", fewest, option)
	}
	return fmt.Sprintf("%d to %d x %s", fewest, most, option)
}

// Name is a place on the axis in words: "41.2 requests/s".
func (c Curves) Name(x float64) string {
	if c.Over == study.OverRate {
		number, _, _ := strings.Cut(units.FormatRate(units.Rate(x)), "/")
		return number + " requests/s"
	}
	return c.Place(x)
}

// Place is a place on the axis for a table: "41.2/s".
func (c Curves) Place(x float64) string {
	switch c.Over {
	case study.OverDuty:
		return units.FormatShare(x)
	case study.OverMemory:
		return units.Bytes(x).String()
	case study.OverDuration:
		return units.FormatDuration(time.Duration(x * 1e9))
	}
	return units.FormatRate(units.Rate(x))
}

// Axis is what the curves are drawn over, in words.
func (c Curves) Axis() string {
	switch c.Over {
	case study.OverDuty:
		return fmt.Sprintf("share of the month in which %s come", strings.Replace(units.FormatRate(c.Rate), "/s", " requests/s", 1))
	case study.OverMemory:
		return "memory"
	case study.OverDuration:
		return "duration of a request"
	}
	return "requests a second"
}

// Breakevens are those of the cheapest option, and of the first one with each
// of the others.
func (c Curves) Breakevens() []study.Breakeven {
	first := c.Series[0].Option
	return slices.DeleteFunc(slices.Clone(c.Breakeven), func(b study.Breakeven) bool {
		return !b.Cheapest && !slices.Contains(b.Between[:], first)
	})
}

// Sources are where the prices and the limits are from, each once.
func (c Curves) Sources() []string {
	var out []string
	for i := range c.Series {
		out = addSources(out, c.Series[i].Sample, c.Series[i].Host)
	}
	return out
}

// addSources adds where a bill's prices and an instance's size are from, each
// once; both may be nil.
func addSources(out []string, b *cost.Bill, h *cost.Host) []string {
	add := func(s string) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if b != nil {
		for i := range b.Lines {
			l := &b.Lines[i]
			add(fmt.Sprintf("%s %s in %s: %s; %s, %v", l.Product, l.Dimension, l.Region, priceOf(l), l.Source, l.AsOf))
		}
	}
	if h != nil && h.Source != "" {
		add(fmt.Sprintf("%s has %g vCPU and %v of memory: %s, %v", h.Product, float64(h.MilliCPU)/1000, h.Memory, h.Source, h.AsOf))
	}
	return out
}

// Impossible is where an option cannot do the work, in words.
func (c Curves) Impossible(s *study.Series, l study.Limit) string {
	return fmt.Sprintf("%s cannot do it from %s to %s: %s.", s.Option, c.Name(l.From), c.Name(l.To), reasonOf(l.Err))
}

// Quantile is the response time that is told: "p99".
func (c Curves) Quantile() string { return quantileName(&c.Comparison) }

func quantileName(c *study.Comparison) string {
	if c.Goal.Quantile == 0 {
		return "p99"
	}
	return fmt.Sprintf("p%g", 100*c.Goal.Quantile)
}

// fleetsOf is how fleets were sized.
func fleetsOf(c *study.Comparison) string {
	holds := "carry the load, without a target (--target p99=300ms)"
	if c.Goal.Within > 0 {
		holds = fmt.Sprintf("hold %s within %s", quantileName(c), units.FormatDuration(c.Goal.Within))
	}
	if c.Goal.Timeout > 0 {
		holds += fmt.Sprintf(" and lose at most %s to a timeout of %s", units.FormatShare(c.Goal.ErrorBudget), units.FormatDuration(c.Goal.Timeout))
	}
	text := fmt.Sprintf("Fleets %s with %s of CPU time a request, %s, taken to be the same on every vCPU, by queueing theory with Poisson arrivals; at least %s",
		holds, units.FormatDuration(c.CPU), c.CPUBasis, units.FormatNoun(uint64(c.MinInstances), "instance"))
	if c.MinInstances > 1 {
		text += ", so that one can fail"
	}
	if c.Sizing.Balancing == study.Split {
		return text + "; a request waits for the instance that chance gave it, about the worst that a balancer can do (--balancing pooled: the best)."
	}
	return text + "; a request waits for whichever instance is free, the best that a balancer can do (--balancing split: about the worst)."
}

// Notes are what a reader of the curves must know.
func (c Curves) Notes() []string {
	notes := []string{fmt.Sprintf("A request takes %s with %v; a month has 730 hours of the same load.", units.FormatDuration(c.Work.Durations.Mean()), c.Work.Memory)}
	if c.Over == study.OverDuty {
		notes[0] = fmt.Sprintf("A request takes %s with %v; fleets are there all month.", units.FormatDuration(c.Work.Durations.Mean()), c.Work.Memory)
	}
	if slices.ContainsFunc(c.Series, func(s study.Series) bool { return s.Host != nil }) {
		notes = append(notes, fleetsOf(&c.Comparison))
	}
	if slices.ContainsFunc(c.Series, func(s study.Series) bool { return s.Host == nil }) && c.Work.Cold == 0 {
		notes = append(notes, "Functions are priced without cold starts: --cold-share 1% --init 300ms counts them.")
	}
	if c.Over == study.OverMemory {
		notes = append(notes, "A request takes as long with every size of memory, which is seldom so: measure it with several sizes.")
	}
	for i := range c.Series {
		s := &c.Series[i]
		for _, l := range s.Limits {
			notes = append(notes, c.Impossible(s, l))
		}
		if s.Sample != nil {
			for _, n := range s.Sample.Notes {
				if !slices.Contains(notes, n) {
					notes = append(notes, n)
				}
			}
		}
	}
	return notes
}
