// Package study owns what needs traffic, simulation and bills together: one
// simulation of a traffic source, sweeps over policies, predictions from a
// measured run.
//
// In: a [traffic.Source], a policy, the price book's offers. Out: values that
// reports render: [Simulation], [Sweep], [Prediction]. It decides nothing about
// instances (that is lifecycle's), follows no request (sim's) and knows no
// price (cost's).
package study
