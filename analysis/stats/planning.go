package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// rankEfficiency is how much of its sample the signed-rank (or rank-sum) test
// uses beside the t-test where values are normal: 3/pi. It is never below .864
// and above 1 where tails are heavy, so that plans made with it are safe.
//
// Source: E. L. Lehmann, Nonparametrics, 1975, appendix A.3.
const rankEfficiency = 3 / math.Pi

// LeastPairs is the least number of pairs with which the one-sided signed-rank
// test can be significant at alpha at all, 0 < alpha < 1: its smallest p-value
// is 2^-n.
func LeastPairs(alpha float64) int {
	return max(1, int(math.Ceil(-math.Log2(alpha)-tolerance)))
}

// LeastRuns is the least number of runs of each side with which the one-sided
// rank-sum test can be significant at alpha at all, 0 < alpha < 1: its smallest
// p-value is 1 / (2n choose n).
func LeastRuns(alpha float64) int {
	n, smallest := 1, .5
	for smallest > alpha*(1+tolerance) {
		n++
		smallest *= float64(n) / float64(2*(2*n-1))
	}
	return n
}

// PairsFor is how many pairs the one-sided signed-rank test at alpha takes to
// see with the given power that paired differences of standard deviation sd lie
// effect above the margin that is tested, by the normal approximation, which
// knows nothing of [LeastPairs]. Of two samples sd is sqrt 2 times a side's, and
// the result runs of each side. It is +Inf where effect is not above 0.
//
//	n = ((z_(1-alpha) + z_power) sd / effect)^2 / (3/pi)
//
// Source: G. E. Noether, Sample size determination for some common
// nonparametric tests, JASA 82 (1987) 645-647, under normal differences.
func PairsFor(effect, sd, alpha, power float64) float64 {
	if !(effect > 0) {
		return math.Inf(1)
	}
	return math.Ceil(math.Pow((z(1-alpha)+z(power))*sd/effect, 2)/rankEfficiency - tolerance)
}

// DetectableEffect is the least effect above the margin that n pairs see with
// the given power: the converse of [PairsFor], of at least [LeastPairs] pairs or
// [LeastRuns] of each side.
func DetectableEffect(n int, sd, alpha, power float64) float64 {
	return (z(1-alpha) + z(power)) * sd / math.Sqrt(float64(n)*rankEfficiency)
}

// SamplesFor is how many values a side a two-sided two-sample test at alpha
// takes to see with the given power that means differ by the share change of
// the mean, where the coefficient of variation is cv. +Inf where change is not
// above 0.
//
//	n = 2 ((z_(1-alpha/2) + z_power) cv / change)^2
//
// Source: J. Cohen, Statistical Power Analysis for the Behavioral Sciences,
// 2nd ed. 1988, section 2.4, by the normal approximation.
func SamplesFor(change, cv, alpha, power float64) float64 {
	if !(change > 0) {
		return math.Inf(1)
	}
	return math.Ceil(2*math.Pow((z(1-alpha/2)+z(power))*cv/change, 2) - tolerance)
}

func z(p float64) float64 { return distuv.UnitNormal.Quantile(p) }
