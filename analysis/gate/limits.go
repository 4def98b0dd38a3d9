package gate

import (
	"fmt"
	"math"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/stats"
)

// Standing is where the median of head's runs lies by a rule's absolute limits.
type Standing string

const (
	Within  Standing = "within"  // its whole interval is within them
	Astride Standing = "astride" // its interval holds one, or the runs are too few
	Beyond  Standing = "beyond"  // its whole interval is beyond one
)

func (s Standing) verdict() Verdict {
	switch s {
	case Within:
		return Equivalent
	case Beyond:
		return Regressed
	}
	return Inconclusive
}

// limits are the rule's absolute limits, each alone.
func (r *Rule) limits() []budget.Budget {
	var list []budget.Budget
	if r.Max != nil {
		list = append(list, budget.Budget{Max: r.Max})
	}
	if r.Min != nil {
		list = append(list, budget.Budget{Min: r.Min})
	}
	return list
}

// hold holds head's median against the absolute limits. A limit is a test of its
// own: each end of the median's interval is wrong with a chance of at most alpha.
func (f *Finding) hold(alpha, power float64) {
	f.HeadLower, f.HeadUpper, f.HeadNeeded = math.NaN(), math.NaN(), math.Inf(1)
	limits := f.Rule.limits()
	if len(limits) == 0 || len(f.head) == 0 {
		return
	}
	f.leastHead = max(f.Rule.Pairs, stats.LeastPairs(alpha))
	f.HeadConfidence = 1 - alpha
	f.HeadLower, f.HeadUpper = stats.MedianLimits(f.head, f.HeadConfidence)
	exact := f.Rule.costs() && still(f.head)
	if exact {
		f.leastHead, f.HeadLower, f.HeadUpper, f.HeadConfidence = fewestStill, f.Head, f.Head, 1
	}
	f.Standing, f.HeadNeeded = Within, float64(f.leastHead)
	for i := range limits {
		switch f.stand(&limits[i]) {
		case Beyond:
			f.Standing = Beyond
		case Astride:
			if f.Standing == Within {
				f.Standing = Astride
			}
		}
		if !exact {
			f.HeadNeeded = max(f.HeadNeeded, stats.SignNeeded(f.agreed(&limits[i]), alpha, power))
		}
	}
}

// stand is where the median lies by one limit.
func (f *Finding) stand(limit *budget.Budget) Standing {
	lower, upper := limit.Breaks(f.HeadLower), limit.Breaks(f.HeadUpper)
	switch {
	case len(f.head) < f.leastHead || lower != upper:
		return Astride
	case lower:
		return Beyond
	}
	return Within
}

// agreed is the share of head's runs on that side of a limit where most are.
func (f *Finding) agreed(limit *budget.Budget) float64 {
	broken := 0
	for _, v := range f.head {
		if limit.Breaks(v) {
			broken++
		}
	}
	return float64(max(broken, len(f.head)-broken)) / float64(len(f.head))
}

// standing says where head's median lies, and what it takes to tell where that
// is open; "" for a rule without absolute limits.
func (f *Finding) standing() string {
	show := func(v float64) string { return metric.FormatValue(metric.Metric(f.Rule.Metric), v) }
	median, allowed := show(f.Head), f.Rule.Allowed()
	if !math.IsInf(f.HeadLower, 0) && f.HeadLower < f.HeadUpper {
		median += fmt.Sprintf(" (%s to %s)", show(f.HeadLower), show(f.HeadUpper))
	}
	switch f.Standing {
	case Within:
		return "within " + allowed + ": " + median
	case Beyond:
		return median + ", allowed " + allowed
	case Astride:
		return median + ", allowed " + allowed + ": " + f.open()
	}
	return ""
}

// open is what it takes to tell on which side of a limit the median lies.
func (f *Finding) open() string {
	n, of := len(f.head), "runs of head"
	if _, ok := f.evidence.(paired); ok {
		of = "pairs"
	}
	switch {
	case n < f.leastHead:
		return fmt.Sprintf("%d of the %d %s that a verdict takes", n, f.leastHead, of)
	case math.IsInf(f.HeadNeeded, 1):
		return fmt.Sprintf("%d %s do not tell, and lie as often on one side as on the other", n, of)
	}
	return fmt.Sprintf("%d %s do not tell; to tell takes about %s", n, of, Runs(f.HeadNeeded))
}
