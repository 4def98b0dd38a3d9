package gate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Policy is what is judged, and how strictly.
type Policy struct {
	Rules []Rule
	// Risk is the chance, at most, that a comparison in which nothing got worse
	// than its margin is called a regression, over all rules and looks
	// together, margins and absolute limits; 0 is .05. The chance of a wrong "equivalent" is bounded by the
	// same, and so is that of a wrong "improved".
	Risk float64
	// Looks are the numbers of pairs, ascending, at which the data are looked
	// at; each look spends an equal part of Risk. Empty is 10, 14, 20, 28: with
	// fewer than 8 pairs, a quarter of 5% and two rules no outcome whatever is
	// significant.
	Looks []int
	// Power is the chance with which what is called detectable is detected; 0 is .9.
	Power float64
	// NoBaseline is what a first use does, when there is nothing to compare with.
	NoBaseline Severity
	// Basis is what rules on costs are of.
	Basis Basis

	traceAt strict.Position // where the basis' trace was written
}

// Rule is one figure and what may become of it.
type Rule struct {
	budget.Budget // which figure, and its absolute limits, if any, on the head's side
	// Margin is how much worse the figure may get: for durations, rates and costs a
	// share of the base's (.05 is 5%), for shares and counts a difference in
	// their own unit (.01 of cold_share is one percentage point). 0 judges by
	// the absolute limits alone.
	Margin float64
	// Pairs is the least number of pairs for a verdict; 0 is as many as the
	// statistics need.
	Pairs int
	// Risk is the rule's own, at most the policy's, which 0 is: 1 less it (at each
	// look, the look's part of it) is the confidence of its limits and verdicts.
	Risk     float64
	Severity Severity

	margin                      margin          // as it was written
	phaseAt, functionAt, riskAt strict.Position // where they were written
}

// Severity is what a broken rule does.
type Severity uint8

const (
	Fail Severity = iota // the gate fails
	Warn                 // it is said, and the gate does not fail
)

// String is the severity as policies spell it.
func (s Severity) String() string { return [...]string{"fail", "warn"}[s] }

// Validate gives every fault of the policy, joined, or nil.
func (p *Policy) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(p.Rules) == 0 {
		fault("no rules: give at least one metric with a margin, a max or a min")
	}
	if p.Risk != 0 && !(0 < p.Risk && p.Risk <= .5) {
		fault("risk %v: want a share above 0 and up to .5, .05 for 5%%", p.Risk)
	}
	if p.Power != 0 && !(0 < p.Power && p.Power < 1) {
		fault("power %v: want a share above 0 and below 1, .9 for 90%%", p.Power)
	}
	if !slices.IsSorted(p.Looks) || len(slices.Compact(slices.Clone(p.Looks))) != len(p.Looks) || (len(p.Looks) > 0 && p.Looks[0] < 1) {
		fault("looks %v: want numbers of pairs that ascend, such as 10, 14, 20, 28", p.Looks)
	}
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Risk != 0 && !(0 < r.Risk && r.Risk <= p.risk()) {
			fault("rule %d (%s): risk %v: want a share above 0 and up to the policy's, %v", i+1, r.Subject(), r.Risk, p.risk())
		}
		for _, err := range p.Rules[i].faults() {
			fault("rule %d (%s): %w", i+1, p.Rules[i].Subject(), err)
		}
	}
	return errors.Join(faults...)
}

func (r *Rule) faults() []error {
	var faults []error
	if _, err := metric.Parse(r.Metric); err != nil {
		faults = append(faults, err)
	}
	if r.costs() && r.Start != "" {
		faults = append(faults, fmt.Errorf("start %s: a cost is over all start kinds", r.Start))
	}
	if r.Margin < 0 || math.IsNaN(r.Margin) || math.IsInf(r.Margin, 0) {
		faults = append(faults, fmt.Errorf("margin %v: want a share above 0, .05 for 5%%", r.Margin))
	}
	if r.better() && r.Margin >= 1 {
		faults = append(faults, fmt.Errorf("margin %v: want a share below 1, for more than all of it cannot be lost", r.Margin))
	}
	if r.Margin == 0 && r.Max == nil && r.Min == nil {
		faults = append(faults, errors.New("nothing to judge by: give a margin, a max or a min"))
	}
	if r.Pairs < 0 {
		faults = append(faults, fmt.Errorf("pairs %d: want 0 or more", r.Pairs))
	}
	return faults
}

func (p *Policy) risk() float64 {
	if p.Risk == 0 {
		return .05
	}
	return p.Risk
}

// riskOf is a rule's risk.
func (p *Policy) riskOf(r *Rule) float64 { return cmp.Or(r.Risk, p.risk()) }

func (p *Policy) power() float64 {
	if p.Power == 0 {
		return .9
	}
	return p.Power
}

// CheckScope sees to it that there are the phases and functions that rules name,
// among those given; the error is a [strict.Faults] of the policy's file. Where
// none are known at all, none is missed.
func (p *Policy) CheckScope(file string, phases, functions []string) error {
	var faults strict.Faults
	report := faults.Collect(file)
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, of := range []struct {
			what, name string
			at         strict.Position
			known      []string
		}{{"phase", r.Phase, r.phaseAt, phases}, {"function", r.Function, r.functionAt, functions}} {
			if of.name != "" && len(of.known) > 0 && !slices.Contains(of.known, of.name) {
				report(of.at, "no run has figures of "+of.what+" "+strict.Quote(of.name), strict.Instead(of.name, of.known))
			}
		}
	}
	return faults.Err()
}

// CheckTrace sees to it that there is the traffic that the basis names; missing
// says what to write in its place where it is not. The error is a [strict.Faults]
// of the policy's file.
func (p *Policy) CheckTrace(file string, missing func(trace string) (instead string, is bool)) error {
	var faults strict.Faults
	if instead, is := missing(p.Basis.Filled().Trace); is {
		faults.Collect(file)(p.traceAt, "trace "+strict.Quote(p.Basis.Trace)+": there is no such file, and coldcurve ships no such trace", instead)
	}
	return faults.Err()
}

// tests is how many tests the policy is: one a margin, and one an absolute limit.
func (p *Policy) tests() int {
	n := 0
	for i := range p.Rules {
		of := len(p.Rules[i].limits())
		if p.Rules[i].Margin > 0 {
			of++
		}
		n += max(of, 1)
	}
	return n
}

// Fitting is the policy without the rules on requests that neither side has at
// all, and those rules: coldcurve's own policy has one for warm starts, and a
// scenario may have none. With no rule left it is the policy as it was.
func (p *Policy) Fitting(c Comparison) (fitting *Policy, left []Rule) {
	fitting = new(Policy)
	*fitting, fitting.Rules = *p, nil
	for i := range p.Rules {
		if p.Rules[i].selects(c.Base) || p.Rules[i].selects(c.Head) {
			fitting.Rules = append(fitting.Rules, p.Rules[i])
		} else {
			left = append(left, p.Rules[i])
		}
	}
	if len(fitting.Rules) == 0 {
		return p, nil
	}
	return fitting, left
}

// same says whether another rule asks the same, so that one of them tells nothing
// and makes all others stricter.
func (r *Rule) same(other Rule) bool {
	bound := func(b *budget.Bound) float64 {
		if b == nil {
			return math.Inf(1)
		}
		return b.Value
	}
	return r.Subject() == other.Subject() && r.Margin == other.Margin && bound(r.Max) == bound(other.Max) && bound(r.Min) == bound(other.Min)
}

// NotJudged says of a rule that [Policy.Fitting] has left out that it was.
func (r *Rule) NotJudged() string {
	return r.Subject() + " is not judged: neither side has such requests"
}

// selects says whether a run has any request that the rule is about.
func (r *Rule) selects(trials []Trial) bool {
	return slices.ContainsFunc(trials, func(t Trial) bool {
		return t.Figures.Select(summary.Selection{Phase: r.Phase, Function: r.Function, Start: r.Start}).N > 0
	})
}

// LookAt are the numbers of pairs at which a comparison is judged, ascending.
func (p *Policy) LookAt() []int {
	if len(p.Looks) == 0 {
		return []int{10, 14, 20, 28}
	}
	return p.Looks
}

// Blind says which of the looks come at so few pairs that no rule can have its
// verdict there, whatever the data say, and what one takes; "" for none.
func (p *Policy) Blind() string {
	least := math.MaxInt
	for i := range p.Rules {
		least = min(least, p.leastPairs(&p.Rules[i]))
	}
	var blind []string
	for _, n := range p.LookAt() {
		if n < least {
			blind = append(blind, strconv.Itoa(n))
		}
	}
	if len(blind) == 0 {
		return ""
	}
	return fmt.Sprintf("looks at %s pairs can have no verdict, which takes %d or more at a risk of %s over %s and %s", strings.Join(blind, ", "),
		least, units.FormatShare(p.risk()), units.FormatNoun(len(p.LookAt()), "look"), units.FormatNoun(len(p.Rules), "rule"))
}

// leastPairs is the least number of pairs with which a rule can have its verdict.
func (p *Policy) leastPairs(r *Rule) int {
	if r.costs() {
		return fewestStill
	}
	return max(r.Pairs, stats.LeastPairs(p.riskOf(r)/float64(len(p.LookAt())*p.tests())))
}

// relative says whether the rule's margin is a share of the base's figure.
func (r *Rule) relative() bool {
	m := metric.Metric(r.Metric)
	return m.Unit() == metric.Duration || m.Unit() == metric.PerSecond || m.Unit() == metric.Money
}

// better says whether more of the figure is better.
func (r *Rule) better() bool { return better(r.Metric) }

// better says whether more of a figure is better, as it is of a throughput.
func better(name string) bool { return strings.HasPrefix(name, "throughput") }
