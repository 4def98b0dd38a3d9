// Package stats owns what can be said of a distribution, or of the difference
// of two, from samples of them.
//
// In: values that were drawn independently, or only how many there were, and
// what is asked. Out: estimates, how far they can be trusted (intervals,
// p-values), and how many draws an answer needs. It assumes nothing of a
// distribution's shape where it does not say so. It does not know what the
// values are of, decides nothing (that is gate's work) and draws random numbers
// from the source that it is given only.
//
//	quantile.go     the ranks that hold a quantile, from the sample's size alone
//	location.go     Harrell-Davis quantiles, Hodges-Lehmann shifts
//	spread.go       a standard deviation that a few wild values do not move
//	sign.go         a median by how many values lie on a side of a bound
//	signedrank.go   paired differences: exact test and interval
//	ranksum.go      two independent samples
//	permutation.go  paired differences by their mean, without ranks
//	proportion.go   a rate from successes among trials
//	multiple.go     several tests at once
//	planning.go     how many pairs or samples it takes
package stats
