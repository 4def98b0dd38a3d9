package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// ExactFlips is the most values for which [SignFlipGreater] goes through all
// patterns of signs.
const ExactFlips = 20

// SignFlipGreater is the p-value of the permutation test of paired differences
// against the alternative that their mean lies above 0: the share of patterns
// of signs whose mean is at least as great as the one found. Up to ExactFlips
// values all patterns are tried; beyond, draws patterns drawn from rng, and the
// p-value is (1 + as great) / (1 + draws), which never is smaller than it can
// know. 1 for an empty sample, NaN where a value is NaN.
//
// Source: R. A. Fisher, The Design of Experiments, 1935, section 21; B. Phipson
// and G. K. Smyth, Permutation p-values should never be zero, Statistical
// Applications in Genetics and Molecular Biology 9 (2010) 39.
func SignFlipGreater(differences []float64, draws int, rng *rand.Rand) float64 {
	if slices.ContainsFunc(differences, math.IsNaN) {
		return math.NaN()
	}
	found, size := 0.0, 0.0
	for _, d := range differences {
		found += d
		size += math.Abs(d)
	}
	found -= tolerance * size // sums in another order must not look smaller
	n := len(differences)
	if n <= ExactFlips {
		patterns := 1 << n
		great := 0
		for signs := range patterns {
			if flipped(differences, func(i int) bool { return signs>>i&1 == 1 }) >= found {
				great++
			}
		}
		return float64(great) / float64(patterns)
	}
	great := 1
	for range draws {
		if flipped(differences, func(int) bool { return rng.Uint64()&1 == 1 }) >= found {
			great++
		}
	}
	return float64(great) / float64(draws+1)
}

func flipped(differences []float64, minus func(i int) bool) float64 {
	sum := 0.0
	for i, d := range differences {
		if minus(i) {
			d = -d
		}
		sum += d
	}
	return sum
}
