package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// HarrellDavis estimates the q-quantile, 0 < q < 1, as a mean of all order
// statistics, each weighted by the chance that the quantile of a resample of
// the same size is just that one. It varies less than a single order statistic
// does, most of all in small samples. NaN for an empty sample, a q out of range
// or a value that is NaN.
//
//	sum over i of x_(i) (I_{i/n} - I_{(i-1)/n}),  I the regularised incomplete
//	beta function with a = (n+1) q and b = (n+1) (1-q)
//
// Source: F. E. Harrell and C. E. Davis, A new distribution-free quantile
// estimator, Biometrika 69 (1982) 635-640.
func HarrellDavis(values []float64, q float64) float64 {
	n := float64(len(values))
	if n == 0 || !(0 < q && q < 1) || slices.ContainsFunc(values, math.IsNaN) {
		return math.NaN()
	}
	a, b := (n+1)*q, (n+1)*(1-q)
	sum, below := 0.0, 0.0
	for i, x := range slices.Sorted(slices.Values(values)) {
		upTo := mathext.RegIncBeta(a, b, float64(i+1)/n)
		if weight := upTo - below; weight > 0 {
			sum += weight * x
		}
		below = upTo
	}
	return sum
}

// HodgesLehmann estimates the centre of symmetry of a distribution, of paired
// differences above all: the median of the n(n+1)/2 means of two values, a
// value with itself included. Up to 29% of the values may be arbitrarily wrong.
// NaN for an empty sample and where a value is NaN.
//
// Source: J. L. Hodges and E. L. Lehmann, Estimates of location based on rank
// tests, Annals of Mathematical Statistics 34 (1963) 598-611.
func HodgesLehmann(values []float64) float64 {
	return median(walsh(values))
}

// Shift is Hodges and Lehmann's estimate of how far the values of head lie
// above those of base, where the samples are independent: the median of all
// differences. NaN if either is empty or has a value that is NaN.
func Shift(base, head []float64) float64 {
	return median(gaps(base, head))
}

// gaps are the differences of each value of head from each of base, ascending;
// NaN comes first.
func gaps(base, head []float64) []float64 {
	differences := make([]float64, 0, len(base)*len(head))
	for _, h := range head {
		for _, b := range base {
			differences = append(differences, h-b)
		}
	}
	slices.Sort(differences)
	return differences
}

// walsh is the means of two values each, ascending; NaN comes first.
func walsh(values []float64) []float64 {
	means := make([]float64, 0, len(values)*(len(values)+1)/2)
	for i, x := range values {
		for _, y := range values[:i+1] {
			means = append(means, x/2+y/2)
		}
	}
	slices.Sort(means)
	return means
}

// Median is the middle value, or the mean of the two in the middle; NaN for an
// empty sample and where a value is NaN.
func Median(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }

// median is that of values in ascending order.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 || math.IsNaN(sorted[0]) {
		return math.NaN()
	}
	return sorted[(n-1)/2]/2 + sorted[n/2]/2
}
