package stats

import (
	"math"
	"slices"
)

// SignedRankGreater is the p-value of Wilcoxon's signed-rank test against the
// alternative that the values lie above 0: the chance of ranks as high as
// these on the positive side or higher, had every value been as likely to have
// the other sign. It is exact, also where values are equal or 0: the chance is
// over the signs, given the sizes. Values of 0 take part in the ranking and
// then count for no side (Pratt's way; leaving them out before would make the
// rest look surer than it is). 1 for an empty sample, NaN where a value is NaN.
//
// Source: F. Wilcoxon, Individual comparisons by ranking methods, Biometrics
// Bulletin 1 (1945) 80-83; J. W. Pratt, Remarks on zeros and ties in the
// Wilcoxon signed rank procedures, JASA 54 (1959) 655-667.
func SignedRankGreater(values []float64) float64 {
	if slices.ContainsFunc(values, math.IsNaN) {
		return math.NaN()
	}
	ranks, positive := signedRanks(values)
	return upperTail(ranks, positive)
}

// signedRanks are twice the ranks of the sizes of the values that are not 0
// (twice, so that the mean rank of equals is whole), and the sum of those of
// values above 0.
func signedRanks(values []float64) (ranks []int, positive int) {
	byS := slices.SortedFunc(slices.Values(values), func(a, b float64) int {
		switch a, b := math.Abs(a), math.Abs(b); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	for from := 0; from < len(byS); {
		to := from + 1
		for to < len(byS) && math.Abs(byS[to]) == math.Abs(byS[from]) {
			to++
		}
		rank := from + 1 + to // twice the mean of from+1 .. to
		for _, v := range byS[from:to] {
			if v != 0 {
				ranks = append(ranks, rank)
			}
			if v > 0 {
				positive += rank
			}
		}
		from = to
	}
	return ranks, positive
}

// firstRanks are those of n values without ties.
func firstRanks(n int) []int {
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	return ranks
}

// upperTail is the chance that those of ranks which a fair coin picks sum to at
// least at.
func upperTail(ranks []int, at int) float64 {
	chance := sumChances(ranks)
	tail := 0.0
	for sum := len(chance) - 1; sum >= max(at, 0); sum-- {
		tail += chance[sum]
	}
	return min(tail, 1)
}

// sumChances are the chances of the sums of those of ranks which a fair coin
// picks. They are built up one rank after the other, in floats that are all
// positive, so that small tails keep their precision.
func sumChances(ranks []int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	chance := make([]float64, total+1)
	chance[0] = 1
	reached := 0
	for _, r := range ranks {
		reached += r
		for sum := reached; sum >= 0; sum-- {
			with := 0.0
			if sum >= r {
				with = chance[sum-r]
			}
			chance[sum] = chance[sum]/2 + with/2
		}
	}
	return chance
}

// SignedRankLimits are the one-sided lower and upper confidence limits, each at
// the given confidence, of the centre of symmetry of a distribution: the values
// m that the exact signed-rank test of values-m does not refuse at
// 1-confidence reach from lower to upper. (Both together hold it with
// 2 confidence - 1.) An end that no sample of this size can have is infinite, as
// where 2^-n is above 1-confidence. Equal values make the limits wider than need
// be, never narrower.
//
// The limits are the Walsh means (of two values each) that lie as many places
// from the ends as the statistic may fall short of its greatest value.
//
// Source: J. D. Gibbons and S. Chakraborti, Nonparametric Statistical
// Inference, 4th ed. 2003, section 5.7.
func SignedRankLimits(values []float64, confidence float64) (lower, upper float64) {
	lower, upper = math.Inf(-1), math.Inf(1)
	if !(0 < confidence && confidence < 1) || slices.ContainsFunc(values, math.IsNaN) {
		return math.NaN(), math.NaN()
	}
	ranks := firstRanks(len(values))
	means := walsh(values)
	// The greatest k with P(W <= k-1) <= alpha; by symmetry P(W <= k-1) is
	// P(W >= total-k+1).
	k := 0
	for k < len(means) && upperTail(ranks, len(means)-k) <= (1-confidence)*(1+tolerance) {
		k++
	}
	if k == 0 {
		return lower, upper
	}
	return means[k-1], means[len(means)-k]
}
