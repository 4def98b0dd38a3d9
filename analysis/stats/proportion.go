package stats

import "gonum.org/v1/gonum/mathext"

// ClopperPearson is the two-sided, equal-tailed, exact interval of a rate of
// which hits among trials were seen, 0 <= hits <= trials; it holds the rate
// with at least the confidence, 0 < confidence < 1. With no trials it is 0 to 1.
//
//	lower: the p with P(B >= hits) = (1-confidence)/2, upper: with P(B <= hits)
//	the same, B ~ Binomial(trials, p); 0 and 1 where hits is 0 or trials
//
// Source: C. J. Clopper and E. S. Pearson, The use of confidence or fiducial
// limits illustrated in the case of the binomial, Biometrika 26 (1934) 404-413.
func ClopperPearson(hits, trials uint64, confidence float64) (lower, upper float64) {
	tail := (1 - confidence) / 2
	return binomialLower(hits, trials, tail), 1 - binomialLower(trials-hits, trials, tail)
}

// RateAtMost is the one-sided upper limit of a rate of which hits among trials
// were seen, at the given confidence: no hit in 59 trials bounds it by 5% at
// 95%, none in 299 by 1%.
func RateAtMost(hits, trials uint64, confidence float64) float64 {
	return 1 - binomialLower(trials-hits, trials, 1-confidence)
}

// binomialLower is the rate at which hits or more among trials have the chance tail.
func binomialLower(hits, trials uint64, tail float64) float64 {
	if hits == 0 {
		return 0
	}
	return mathext.InvRegIncBeta(float64(hits), float64(trials-hits)+1, tail)
}
