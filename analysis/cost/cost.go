// Package cost owns bills: what a month of work costs, and who pays for it.
//
// In: [Work], quantities before any rounding, and the price book. Out: a
// [Bill] of lines, each with its quantity, unit price, rule and source, in whole
// nano-dollars; an [*Impossible] with its limit where a product cannot do the
// work; an [Attribution] of a bill to those who used what it bills; the
// [Crossing]s of two options' curves.
//
//  1. Every call's duration is rounded as the provider rounds it, and minimums
//     applied: call by call, or group by group of calls that took equally long.
//     A mean is never rounded in their place.
//  2. What the works of an account used is summed by region and dimension.
//  3. Free tiers and what is included come off the sums, then tiers price them,
//     and each line is rounded once, half to even, to the nano-dollar.
//
// It reads no files and no clock, it estimates no traffic and sizes no fleet:
// what comes in is measured, given or simulated elsewhere. What is not priced is
// an error and never 0.
package cost
