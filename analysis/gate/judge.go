package gate

import (
	"cmp"
	"math"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Trial is one run of one side.
type Trial struct {
	Name    string // its directory, or its name in a baseline
	Figures Source
	// Kind is all that two runs must share to be compared, by name: the
	// scenario and its seed, the processor, the number of cores.
	Kind map[string]string
	// Invalid says why the run's figures must not be used; empty if they may.
	Invalid []string
	// Memory is that of a function's instances, where the platform tells.
	Memory map[string]units.Bytes
	// Cost prices a selection on the policy's basis; nil where nobody does.
	Cost func(summary.Selection) (Cost, error)
}

// Comparison is the runs of two sides.
type Comparison struct {
	Base, Head []Trial
	// Paired says that Base[i] and Head[i] were made one right after the other,
	// for each i. Then what the machine was like at the time falls out of each
	// pair. Runs that were made at other times are compared as two samples,
	// and what the machine was like stays in.
	Paired bool
	// Plans keeps what planning took, for further judgements; nil keeps nothing.
	Plans *stats.Planner
}

// Look is one of the times at which a comparison is judged.
type Look struct{ Number, Of int } // from 1; the zero value is 1 of 1

// Judge gives a finding for each rule of the policy, in their order. The unit of
// the statistics is the run: y is the logarithm of a run's figure (of shares and
// counts, the figure), the sign turned where more is better. With d the
// logarithm of 1 + margin (where more is better, of 1/(1 - margin); of shares
// and counts, the margin), an exact one-sided rank test is asked three things of
// how much higher head's ys lie than base's:
//
//	regressed   by more than d
//	equivalent  by less than d: no worse by the margin
//	improved    by less than -d
//
// Each is answered by yes if its p-value, adjusted by Holm's method, is at most
// the look's part of the rule's risk; one that is less than the policy's makes
// fewer calls than Holm's method allows, never more. The test is the signed-rank test of the pairs'
// differences where runs are paired, and the rank-sum test where not. An
// absolute limit is broken if the whole interval of the median of head's runs
// lies beyond it, and held if none of it does; it is a test among the others,
// with an equal part of the risk that Holm's method hands on to none. Costs that
// all runs of a side agree on have no chance in them: they are compared as they
// are, without a test. Runs that must not be used and runs without the figure
// are left out; where head lost a greater share of its runs so than base did,
// equivalent and improved are invalid.
//
// Source: equivalence by two one-sided tests is D. J. Schuirmann's, Journal of
// Pharmacokinetics and Biopharmaceutics 15 (1987) 657-680; equal parts of the
// risk for each look are Bonferroni's bound; for the tests see package stats.
func Judge(p *Policy, c Comparison, look Look) []Finding {
	plans := cmp.Or(c.Plans, &stats.Planner{})
	findings := make([]Finding, len(p.Rules))
	tests := p.tests()
	worse, same, better := untested(tests), untested(tests), untested(tests)
	unlike := c.unlike()
	for i := range p.Rules {
		f := &findings[i]
		f.Rule, f.unlike = p.Rules[i], unlike
		f.gather(c)
		worse[i], same[i], better[i] = f.test()
	}
	worse, same, better = stats.Holm(worse), stats.Holm(same), stats.Holm(better)
	for i := range findings {
		f := &findings[i]
		f.PWorse, f.PSame, f.PBetter = worse[i], same[i], better[i]
		alpha := p.riskOf(&f.Rule) / float64(max(look.Of, 1))
		f.estimate(p, alpha, plans)
		f.hold(alpha/float64(tests), p.power())
		f.decide(alpha)
		f.sift()
	}
	return findings
}

// untested are the p-values of tests that find nothing.
func untested(n int) []float64 { return slices.Repeat([]float64{1}, n) }

// gather reads the rule's figure in the runs that can be used.
func (f *Finding) gather(c Comparison) {
	var base, head []float64
	if c.Paired {
		for i := range min(len(c.Base), len(c.Head)) {
			if b, h, ok := f.pair(&c.Base[i], &c.Head[i]); ok {
				base, head = append(base, b), append(head, h)
			}
		}
	} else {
		base, head = f.side(c.Base, 0), f.side(c.Head, 1)
	}
	f.Runs = [2]int{len(base), len(head)}
	f.Base, f.Head, f.head = stats.Median(base), stats.Median(head), head
	f.exact = f.Rule.costs() && still(base) && still(head)
	f.evidence = unpaired{f.Rule.scaled(base), f.Rule.scaled(head)}
	if c.Paired {
		f.evidence = differences(f.Rule.scaled(base), f.Rule.scaled(head))
	}
}

// pair reads both runs of a pair, which counts if both have the figure.
func (f *Finding) pair(base, head *Trial) (b, h float64, ok bool) {
	b, bok := f.read(base, 0)
	h, hok := f.read(head, 1)
	return b, h, bok && hok
}

func (f *Finding) side(trials []Trial, side int) []float64 {
	var values []float64
	for i := range trials {
		if v, ok := f.read(&trials[i], side); ok {
			values = append(values, v)
		}
	}
	return values
}

// read is the rule's figure in one run of a side; where it has none the run is
// left out, and the reason kept.
func (f *Finding) read(t *Trial, side int) (value float64, ok bool) {
	left := &f.Left[side]
	left.Of++
	if len(t.Invalid) > 0 {
		left.Runs = append(left.Runs, Out{Run: t.Name, Why: t.Invalid[0], Unusable: true})
		return 0, false
	}
	value, limited, why := f.Rule.figure(t)
	if why != "" {
		left.Runs = append(left.Runs, Out{Run: t.Name, Why: why, Missing: !limited})
		return 0, false
	}
	return value, true
}

// Figure reads the rule's figure in a run, in the metric's own unit; where it
// has none that can be compared, why says so in words.
func (r *Rule) Figure(t *Trial) (value float64, why string) {
	value, _, why = r.figure(t)
	return value, why
}

// figure is Figure; limited says that there would be one, and that it is the
// load generator's more than the platform's.
func (r *Rule) figure(t *Trial) (value float64, limited bool, why string) {
	selection := summary.Selection{Phase: r.Phase, Function: r.Function, Start: r.Start}
	pool := t.Figures.Select(selection)
	if r.costs() {
		value, why = r.cost(t, selection)
	} else {
		value, why = figure(r.Metric, &pool)
	}
	if lagged(r.Metric, &pool) {
		return 0, true, r.Subject() + " is limited by the load generator, which was late"
	}
	if why == "" && r.relative() && value <= 0 {
		why = "a figure of 0 has no ratio"
	}
	return value, false, why
}

// cost is a run's cost in nano-dollars.
func (r *Rule) cost(t *Trial, s summary.Selection) (value float64, why string) {
	if t.Cost == nil {
		return 0, "nobody has priced it"
	}
	c, err := t.Cost(s)
	switch {
	case err != nil:
		return 0, err.Error()
	case r.Metric == "cost.month":
		return float64(c.Month), ""
	}
	return float64(c.Million), ""
}

// scaled are the ys of a side's figures.
func (r *Rule) scaled(figures []float64) []float64 {
	ys := make([]float64, len(figures))
	for i, v := range figures {
		if r.relative() {
			v = math.Log(v)
		}
		if r.better() {
			v = -v
		}
		ys[i] = v
	}
	return ys
}

// fewestStill runs can show that nothing is left to chance; one agrees with
// itself and tells nothing.
const fewestStill = 2

// still says that runs agree to the last digit.
func still(values []float64) bool {
	return len(values) >= fewestStill && slices.Min(values) == slices.Max(values)
}
