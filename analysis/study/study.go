// Package study owns what needs traffic, simulation and bills together: one
// simulation of a traffic source, sweeps over policies, predictions from a
// measured run, fleets of machines that hold a target.
//
// In: a [traffic.Source], a policy, the price book's offers. Out: values that
// reports render: [Simulation], [Sweep], [Prediction], [Fleet]. It decides nothing about
// instances (that is lifecycle's), follows no request (sim's) and knows no
// price (cost's).
package study
