// Package charge owns what runs would cost on one fixed traffic.
//
// In: a policy's basis (whose traffic, kept how long, by whose prices of which
// day), and runs with how long their instances worked and started. Out: on each
// run a way to price its requests, and what a reader must know of it. The
// traffic and every random choice are the same for each run, so that two runs
// which measured the same cost the same to the nano-dollar. It judges nothing,
// and makes no price up: what a run does not tell is an error.
package charge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// Ledger prices runs on one basis. It serves one goroutine.
type Ledger struct {
	basis  gate.Basis
	source traffic.Source
	option cost.Option
	newest prices.Date // of the prices that were charged
	region string
}

// Open opens the basis' traffic and its product's prices.
func Open(ctx context.Context, basis gate.Basis) (*Ledger, error) {
	l := &Ledger{basis: basis.Filled()}
	var err error
	if l.option, err = cost.New(prices.Open(), l.basis.Product, cost.Terms{On: l.basis.On}); err != nil {
		return nil, fmt.Errorf("price runs: %w", err)
	}
	if l.source, err = open(ctx, l.basis.Trace); err != nil {
		return nil, fmt.Errorf("price runs: trace %s: %w", l.basis.Trace, err)
	}
	return l, nil
}

// open reads a file, or what is shipped under the name.
func open(ctx context.Context, trace string) (traffic.Source, error) {
	if _, err := os.Stat(trace); err == nil {
		return traffic.Open(ctx, trace)
	}
	if instead, is := Missing(trace); is {
		return nil, fmt.Errorf("there is no such file, and coldcurve ships no such trace: %s", instead)
	}
	return traffic.OpenShipped(ctx, trace)
}

// Missing says of a trace that is neither a file nor shipped what to write in its
// place.
func Missing(trace string) (instead string, is bool) {
	if _, err := os.Stat(trace); err == nil {
		return "", false
	}
	names := fixtures.TraceNames()
	return strict.Instead(trace, names), !slices.Contains(names, trace)
}

// Close gives back what the traffic holds. No ledger holds nothing.
func (l *Ledger) Close() error {
	if l == nil {
		return nil
	}
	return l.source.Close()
}

// Price gives a run its costs, each worked out when it is first asked for.
func (l *Ledger) Price(t *gate.Trial) {
	type priced struct {
		cost gate.Cost
		err  error
	}
	known := make(map[summary.Selection]priced)
	t.Cost = func(s summary.Selection) (gate.Cost, error) {
		p, ok := known[s]
		if !ok {
			p.cost, p.err = l.cost(t, s)
			known[s] = p
		}
		return p.cost, p.err
	}
}

// server is what knows how instances served requests.
type server interface {
	Served(summary.Selection) summary.Served
}

func (l *Ledger) cost(t *gate.Trial, s summary.Selection) (gate.Cost, error) {
	served, ok := t.Figures.(server)
	if !ok {
		return gate.Cost{}, errors.New("how long requests were served is not known of this run")
	}
	o, err := l.options(served.Served(s))
	if err != nil {
		return gate.Cost{}, err
	}
	if o.Memory, err = l.memory(t, s.Function); err != nil {
		return gate.Cost{}, err
	}
	// It takes a second at most, and nobody waits to interrupt it.
	simulated, err := study.Simulate(context.Background(), study.Plan{Source: l.source, Options: o, Override: true, Until: l.basis.Until})
	if err != nil {
		return gate.Cost{}, err
	}
	bill, err := simulated.MonthlyBill(l.option)
	if err != nil {
		return gate.Cost{}, err
	}
	for i := range bill.Lines {
		l.newest = max(l.newest, bill.Lines[i].AsOf)
	}
	l.region = bill.Region
	requests := float64(simulated.Served) * cost.Month.Seconds() / simulated.Length().Seconds()
	return gate.Cost{Month: bill.Total, Million: bill.PerMillion(uint64(requests + .5))}, nil
}

// options are how the traffic's requests are served: as the run's were.
func (l *Ledger) options(served summary.Served) (sim.Options, error) {
	o := sim.Options{Policy: lifecycle.Policy{KeepAlive: l.basis.KeepAlive}, Seed: uint64(l.basis.Seed)}
	warm, cold := served.Warm, served.Cold
	if warm.N() == 0 {
		warm = cold
	}
	if warm.N() == 0 {
		return o, errors.New("no request says how long an instance worked for it")
	}
	for _, d := range []struct {
		of    *hist.Histogram
		least uint64
		into  *dist.Distribution
	}{{warm, 1, &o.Service}, {cold, leastCold, &o.ColdService}, {served.Start, 1, &o.StartDelay}} {
		if d.of.N() < d.least {
			continue
		}
		measured, err := dist.NewEmpirical(d.of)
		if err != nil {
			return o, err
		}
		*d.into = measured
	}
	return o, nil
}

// leastCold is how many cold requests make a distribution of their own.
const leastCold = 10

// memory is an instance's: the basis', or that of the run's functions, if it is
// the same.
func (l *Ledger) memory(t *gate.Trial, function string) (units.Bytes, error) {
	if l.basis.Memory > 0 {
		return l.basis.Memory, nil
	}
	var one units.Bytes
	for name, m := range t.Memory {
		switch {
		case function != "" && name != function || m == one:
		case one > 0:
			return 0, errors.New("functions differ in memory: name a function in the rule, or give the policy's cost a memory")
		default:
			one = m
		}
	}
	if one == 0 {
		return 0, errors.New("how much memory instances had is not known of this run: give the policy's cost a memory")
	}
	return one, nil
}

// Words say what costs are of, as far as runs have been priced.
func (l *Ledger) Words() string {
	b := &l.basis
	day := "of " + b.On.String()
	if b.On == 0 {
		day = "as of " + l.newest.String() + ", the newest"
	}
	whose := b.Product
	if l.region != "" {
		whose += " in " + l.region
	}
	memory := "the memory that the runs had"
	if b.Memory > 0 {
		memory = b.Memory.String()
	}
	words := []string{
		fmt.Sprintf("costs are of a month like the first %s of %s, simulated with keep-alive %s, %s and seed %d", length(b.Until), b.Trace, length(b.KeepAlive), memory, b.Seed),
		fmt.Sprintf("at list prices of %s, %s", whose, day),
		"all that is fixed; measured are only how long instances worked and started",
	}
	return strings.Join(words, "; ")
}

// length is a duration as people say it: whole days as such.
func length(d time.Duration) string {
	const day = 24 * time.Hour
	if d > day && d%day == 0 {
		return units.FormatNoun(int(d/day), "day")
	}
	return units.FormatDuration(d)
}
