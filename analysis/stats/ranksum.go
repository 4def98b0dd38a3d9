package stats

import (
	"errors"
	"math"

	moremath "github.com/aclements/go-moremath/stats"
)

// RankSumGreater is the p-value of the Mann-Whitney U test against the
// alternative that head tends to have greater values than base. It is exact for
// up to 50 values a sample without ties. With ties, up to 25, half a rank more
// than is exact is counted, so that p is never too small (.00022 for .00019).
// Beyond, it is by the normal approximation with both corrections. 1 where all values are equal, NaN
// where a sample is empty.
//
// It is a test of single draws. Requests of one run are no independent draws of
// what a version does (runs differ more than their requests): for runs, use
// pairs of them and [SignedRankGreater].
func RankSumGreater(base, head []float64) float64 {
	result, err := moremath.MannWhitneyUTest(head, base, moremath.LocationGreater)
	switch {
	case errors.Is(err, moremath.ErrSamplesEqual):
		return 1
	case err != nil:
		return math.NaN()
	}
	return result.P
}

// RankSumLimits are the one-sided lower and upper confidence limits, each at
// the given confidence, of how far the values of head lie above those of base:
// the shifts that the exact Mann-Whitney test does not refuse at 1-confidence
// reach from lower to upper. An end that samples of these sizes cannot have is
// infinite. Equal values make the limits wider than need be, never narrower.
// NaN where a sample is empty or has a value that is NaN.
//
// The limits are the differences that lie as many places from the ends as the
// statistic may fall short of its greatest value.
//
// Source: J. D. Gibbons and S. Chakraborti, Nonparametric Statistical
// Inference, 4th ed. 2003, section 6.6.
func RankSumLimits(base, head []float64, confidence float64) (lower, upper float64) {
	differences := gaps(base, head)
	if len(differences) == 0 || math.IsNaN(differences[0]) || !(0 < confidence && confidence < 1) {
		return math.NaN(), math.NaN()
	}
	chance := rankSumChances(len(base), len(head))
	k, tail := 0, 0.0 // the greatest k with P(U <= k-1) <= alpha
	for k < len(differences) {
		if tail += chance[k]; tail > (1-confidence)*(1+tolerance) {
			break
		}
		k++
	}
	if k == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return differences[k-1], differences[len(differences)-k]
}

// rankSumChances are P(U = u) for samples of m and n values without ties. With
// the last of m+n places in order taken by either sample, a chance is made of
// those of one value fewer:
//
//	P_{m,n}(u) = m/(m+n) P_{m-1,n}(u-n) + n/(m+n) P_{m,n-1}(u)
//
// Source: H. B. Mann and D. R. Whitney, On a test of whether one of two random
// variables is stochastically larger than the other, Annals of Mathematical
// Statistics 18 (1947) 50-60.
func rankSumChances(m, n int) []float64 {
	rows := make([][]float64, n+1) // of the present m, by n
	for j := range rows {
		rows[j] = []float64{1}
	}
	for i := 1; i <= m; i++ {
		before := rows
		rows = make([][]float64, n+1)
		rows[0] = []float64{1}
		for j := 1; j <= n; j++ {
			row := make([]float64, i*j+1)
			for u := range row {
				if u >= j && u-j < len(before[j]) {
					row[u] += float64(i) / float64(i+j) * before[j][u-j]
				}
				if u < len(rows[j-1]) {
					row[u] += float64(j) / float64(i+j) * rows[j-1][u]
				}
			}
			rows[j] = row
		}
	}
	return rows[n]
}
