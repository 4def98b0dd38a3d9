package stats

import (
	"errors"
	"math"

	moremath "github.com/aclements/go-moremath/stats"
)

// RankSumGreater is the p-value of the Mann-Whitney U test against the
// alternative that head tends to have greater values than base. It is exact for
// up to 50 values a sample without ties and 25 with, by the normal
// approximation with both corrections beyond. 1 where all values are equal, NaN
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
