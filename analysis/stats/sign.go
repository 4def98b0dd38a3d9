package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// MedianLimits are the one-sided lower and upper confidence limits, each at the
// given confidence, of a distribution's median: the order statistics beyond
// which the exact sign test refuses it at 1-confidence. An end that no sample of
// this size can have is infinite, as where 2^-n is above 1-confidence. NaN where
// the confidence is not within 0 and 1, or a value is NaN.
//
// Source: W. J. Conover, Practical Nonparametric Statistics, 3rd ed. 1999,
// sections 3.2 and 3.4.
func MedianLimits(values []float64, confidence float64) (lower, upper float64) {
	if !(0 < confidence && confidence < 1) || slices.ContainsFunc(values, math.IsNaN) {
		return math.NaN(), math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(lowerRank(uint64(len(sorted)), .5, 1-confidence))
	if rank == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return sorted[rank-1], sorted[len(sorted)-rank]
}

// SignNeeded is how many values it takes until the limits that [MedianLimits]
// has at 1-alpha lie on one side of a bound with the given power, where a value
// falls on that side with chance p, 0 < alpha, power < 1: the fewest with which
// the exact test has that power, and beyond 200 Noether's approximation, which
// is within 1% there.
// It is +Inf where p is not above one half.
//
//	n = (z_(1-alpha) + z_power)^2 / (4 (p - 1/2)^2)
//
// Source: G. E. Noether, Sample size determination for some common
// nonparametric tests, JASA 82 (1987) 645-647.
func SignNeeded(p, alpha, power float64) float64 {
	if !(p > .5) {
		return math.Inf(1)
	}
	const most = 200
	for n := LeastPairs(alpha); n <= most; n++ {
		if signPower(n, p, alpha) >= power {
			return float64(n)
		}
	}
	return max(most, math.Ceil(math.Pow((z(1-alpha)+z(power))/(2*p-1), 2)))
}

// signPower is the chance that the sign test of n values at alpha, at least
// [LeastPairs] of them, finds them on the side on which one falls with chance p.
func signPower(n int, p, alpha float64) float64 {
	enough := n + 1 - int(lowerRank(uint64(n), .5, alpha))
	if p >= 1 {
		return 1
	}
	return mathext.RegIncBeta(float64(enough), float64(n-enough+1), p)
}
