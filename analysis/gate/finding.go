package gate

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Verdict is what is found of a rule.
type Verdict string

const (
	Regressed    Verdict = "regressed"    // worse by more than the margin, or beyond an absolute limit
	Improved     Verdict = "improved"     // better by more than the margin
	Equivalent   Verdict = "equivalent"   // not worse by the margin
	Inconclusive Verdict = "inconclusive" // the data do not tell: more runs may
	Incomparable Verdict = "incomparable" // the sides are of different scenarios, seeds or machines
	Invalid      Verdict = "invalid"      // the runs' figures must not be used
)

// Decided says whether more runs would not change the verdict.
func (v Verdict) Decided() bool { return v != Inconclusive && v != Invalid }

// Finding is the verdict on a rule and what it rests on. The change, its limits
// and what is detectable are shares of base's figure where the margin is one
// (.1: head's is a tenth more), else differences in the figure's unit.
type Finding struct {
	Rule    Rule
	Verdict Verdict
	Why     string // in words
	Look    int    // number of pairs at which a [Sequence] reached the verdict; 0 without one

	Runs       [2]int  // of base and of head that the finding rests on
	Left       [2]Left // runs of base and of head that were left out
	Base, Head float64 // the median of the runs' figures; NaN where there is none
	// Change is Hodges and Lehmann's estimate, Lower and Upper its one-sided
	// limits, each at the confidence level Confidence, which is 1 - the look's part
	// of the risk, and 1 where nothing is left to chance; infinite where so few
	// runs have none, NaN where nothing is compared.
	Change, Lower, Upper, Confidence float64
	// Standing is where the median of head's runs lies by the absolute limits, ""
	// without any. HeadLower and HeadUpper are its one-sided limits, each at the
	// confidence level HeadConfidence, which is 1 - the look's part of the risk over
	// the number of tests; infinite where so few runs have none. HeadNeeded is how
	// many runs it takes to tell with the policy's power, infinite where as many
	// lie on one side as on the other.
	Standing                         Standing
	HeadLower, HeadUpper, HeadNeeded float64
	HeadConfidence                   float64
	// PWorse, PSame and PBetter are the p-values of regressed, equivalent and
	// improved by the margin, adjusted over all tests; 1 where nothing was tested.
	PWorse, PSame, PBetter float64
	// Detectable is the change for the worse that DetectableAt pairs (or runs of
	// each side) call a regression with the policy's power, in the unit of
	// Change: so many as there are, or where those are too few for any verdict,
	// the fewest that are not. Needed is how many it takes to call no change at
	// all equivalent, with the same power. Infinite where there are too few to
	// tell how much runs vary.
	Detectable, Needed float64
	DetectableAt       int

	evidence  evidence
	head      []float64 // figures of head's runs
	exact     bool      // nothing of the figures is left to chance
	least     int       // pairs, or runs of each side, that a verdict by the margin takes
	leastHead int       // runs of head that one by the absolute limits takes
	unlike    []string
}

// test gives the p-values of the three questions.
func (f *Finding) test() (worse, same, better float64) {
	if f.Rule.Margin == 0 || f.evidence.size() == 0 || f.exact {
		return 1, 1, 1
	}
	d := f.Rule.step()
	return f.evidence.above(d), f.evidence.below(d), f.evidence.below(-d)
}

// estimate fills in the change and what so many runs could have shown.
func (f *Finding) estimate(p *Policy, alpha float64, plans *stats.Planner) {
	f.Change, f.Lower, f.Upper = math.NaN(), math.NaN(), math.NaN()
	f.Detectable, f.Needed = math.Inf(1), math.Inf(1)
	if f.Rule.Margin == 0 {
		return
	}
	share := alpha / float64(p.tests()) // the first, strictest step of Holm's method
	f.least = max(f.Rule.Pairs, f.evidence.least(share))
	f.DetectableAt = max(f.evidence.size(), f.least)
	if f.evidence.size() == 0 {
		return
	}
	if f.exact {
		f.Change = f.Rule.shown(f.evidence.shift())
		f.Lower, f.Upper, f.Confidence = f.Change, f.Change, 1
		f.Detectable, f.DetectableAt, f.Needed = f.Rule.Margin, f.evidence.size(), fewestStill
		return
	}
	f.Confidence = 1 - alpha
	lower, upper := f.evidence.limits(f.Confidence)
	f.Change, f.Lower, f.Upper = f.Rule.shown(f.evidence.shift()), f.Rule.shown(lower), f.Rule.shown(upper)
	if f.Rule.better() {
		f.Lower, f.Upper = f.Upper, f.Lower
	}
	sd, test := f.evidence.spread(), f.evidence.test()
	f.Needed = float64(f.least)
	if sd > 0 {
		f.Needed = max(f.Needed, plans.Needed(test, f.Rule.step()/sd, share, p.power()))
	}
	f.Detectable = f.Rule.shown(f.Rule.step() + sd*plans.Detectable(test, f.DetectableAt, share, p.power()))
}

// step is the margin on the scale of the ys.
func (r *Rule) step() float64 {
	switch {
	case r.relative() && r.better():
		return -math.Log1p(-r.Margin) // a twentieth less is .95 of it, not 1/1.05
	case r.relative():
		return math.Log1p(r.Margin)
	}
	return r.Margin
}

// shown is a difference of ys as the figure moved.
func (r *Rule) shown(y float64) float64 {
	if r.better() {
		y = -y
	}
	if r.relative() && !math.IsInf(y, 0) { // no limit is none, and not -100%
		return math.Expm1(y)
	}
	return y
}

// decide reaches the verdict.
func (f *Finding) decide(alpha float64) {
	switch {
	case len(f.unlike) > 0:
		f.Verdict, f.Why = Incomparable, "the two sides differ in "+strings.Join(f.unlike, ", ")
	case min(f.Runs[0], f.Runs[1]) == 0 && f.reason(1, false) != "":
		f.Verdict, f.Why = Invalid, f.reason(1, false)
	case min(f.Runs[0], f.Runs[1]) == 0:
		f.Verdict, f.Why = Inconclusive, "there are no runs to compare"+f.because(1)
	case f.Rule.Margin == 0:
		f.Verdict, f.Why = f.Standing.verdict(), f.standing()
	default:
		f.Verdict, f.Why = f.compare(alpha)
		f.join()
	}
}

// join adds what the absolute limits say to what the margin does: the worse of
// both is the verdict, and its reason comes first.
func (f *Finding) join() {
	switch {
	case f.Standing == "":
	case f.Standing == Within, f.Standing == Astride && f.Verdict == Regressed:
		f.Why += "; " + f.standing()
	default:
		f.Verdict, f.Why = f.Standing.verdict(), f.standing()+"; "+f.Why
	}
}

func (f *Finding) compare(alpha float64) (Verdict, string) {
	margin, n, unit := f.Rule.format(f.Rule.Margin), f.evidence.size(), f.evidence.unit()
	if f.exact {
		return f.compareExactly(margin)
	}
	switch {
	case n < f.least:
		return Inconclusive, fmt.Sprintf("%d of the %d %s that a verdict takes%s", n, f.least, unit, f.because(f.least))
	case f.PWorse <= alpha:
		return Regressed, "worse by more than " + margin
	case f.PBetter <= alpha:
		return Improved, "better by more than " + margin
	case f.PSame <= alpha:
		return Equivalent, "not worse by " + margin
	case f.Needed > float64(n):
		return Inconclusive, fmt.Sprintf("%d %s do not tell; if nothing changed, to rule out a change of %s takes about %s", n, unit, margin, Runs(f.Needed))
	}
	return Inconclusive, fmt.Sprintf("%d %s do not tell: the change is close to %s", n, unit, margin)
}

// compareExactly needs no test: each side's runs agree to the nano-dollar.
func (f *Finding) compareExactly(margin string) (Verdict, string) {
	const how = ", exactly: the runs of each side agree to the nano-dollar"
	switch change, d := f.evidence.shift(), f.Rule.step(); {
	case change > d+digits:
		return Regressed, "worse by more than " + margin + how
	case change < -d-digits:
		return Improved, "better by more than " + margin + how
	}
	return Equivalent, "not worse by " + margin + how
}

// because is why runs were left out of a side that has fewer than it takes, after
// a colon; "" where such a side lost none.
func (f *Finding) because(takes int) string {
	if why := cmp.Or(f.reason(takes, false), f.reason(takes, true)); why != "" {
		return ": " + why
	}
	return ""
}

// reason is why the first run was left out that lacks the figure (missing), or
// that has one which must not be used, of a side that has fewer than it takes;
// "" where none was.
func (f *Finding) reason(takes int, missing bool) string {
	for i := range f.Left {
		if f.Runs[i] >= takes {
			continue // its losses are not what is wanting
		}
		for _, out := range f.Left[i].Runs {
			if out.Missing == missing {
				return out.Run + ": " + out.Why
			}
		}
	}
	return ""
}

// Runs writes how many pairs or runs something takes: "1,926".
func Runs(needed float64) string {
	const most = 1e9 // beyond, the figure is of no use to anybody
	if needed > most {
		return "more than " + units.FormatCount(int64(most))
	}
	return units.FormatCount(int64(math.Ceil(needed)))
}

// format writes a change in the unit of the rule's margin.
func (r *Rule) format(change float64) string {
	if r.relative() || metric.Metric(r.Metric).Unit() == metric.Share {
		return fmt.Sprintf("%.3g%%", 100*change)
	}
	return fmt.Sprintf("%.3g", change)
}
