package stats

import (
	"math"
	"slices"
)

// Spread estimates the standard deviation of values from a normal distribution,
// by Rousseeuw and Croux's Qn: about the quarter of all distances between two
// values that are smallest end there. Up to half of the values may be arbitrarily
// wrong; of ten and more normal ones it needs a fifth to a third more than the
// standard deviation does for the same precision. Where more than that quarter
// of the distances are 0, as where most values are equal, it says nothing, and
// the standard deviation is given. +Inf for fewer than two values.
//
// Source: P. J. Rousseeuw and C. Croux, Alternatives to the median absolute
// deviation, Journal of the American Statistical Association 88 (1993)
// 1273-1283; the factors for small samples are C. Croux and P. J. Rousseeuw's,
// Time-efficient algorithms for two highly robust estimators of scale, COMPSTAT
// 1992, 411-428.
func Spread(values []float64) float64 {
	n := len(values)
	if n < 2 {
		return math.Inf(1)
	}
	distances := make([]float64, 0, n*(n-1)/2)
	for i, x := range values {
		for _, y := range values[:i] {
			distances = append(distances, math.Abs(x-y))
		}
	}
	slices.Sort(distances)
	half := n/2 + 1
	at := distances[half*(half-1)/2-1]
	if at == 0 {
		return deviation(values)
	}
	// The distance of two normal values has this quarter.
	return at / (math.Sqrt2 * z(5./8)) * unbiased(n)
}

// unbiased is what Qn of n normal values has to be multiplied by.
func unbiased(n int) float64 {
	small := []float64{2: .399, .994, .512, .844, .611, .857, .669, .872}
	switch {
	case n < len(small):
		return small[n]
	case n%2 == 1:
		return float64(n) / (float64(n) + 1.4)
	}
	return float64(n) / (float64(n) + 3.8)
}

// deviation is the standard deviation of two values or more, by Welford's way.
func deviation(values []float64) float64 {
	mean, m2 := 0.0, 0.0
	for i, v := range values {
		delta := v - mean
		mean += delta / float64(i+1)
		m2 += delta * (v - mean)
	}
	return math.Sqrt(m2 / float64(len(values)-1))
}
