package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios"
)

// fileLoad tells a run directory by its manifest and a scenario by its name:
// one of the embedded suite, or a file of YAML.
func (c *costBillCmd) fileLoad(ctx context.Context) (*costLoad, error) {
	if study.IsOutcome(c.Traffic) {
		return c.simulatedLoad()
	}
	if _, err := os.Stat(filepath.Join(c.Traffic, "manifest.json")); err == nil {
		return c.runLoad()
	}
	yaml := slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(filepath.Ext(c.Traffic)))
	if _, err := os.Stat(c.Traffic); yaml || err != nil && slices.Contains(scenarios.Suite(), c.Traffic) {
		return c.scenarioLoad()
	}
	return c.traceLoad(ctx)
}

// simulatedLoad prices what simulate --out has kept.
func (c *costBillCmd) simulatedLoad() (*costLoad, error) {
	o, err := study.OpenOutcome(c.Traffic)
	if err != nil {
		return nil, &failure{code: exitUsage, err: err}
	}
	if o.Sweep != nil {
		return nil, &failure{code: exitUsage, err: fmt.Errorf("%s is a sweep, which has a bill for each of its policies", c.Traffic),
			hint: "simulate the policy of your choice alone, with --out"}
	}
	s := o.Simulation
	if m := c.Memory.value; m > 0 {
		s.Memory = []units.Bytes{m}
	}
	times, repeated := 1., time.Duration(0)
	if !c.Once && s.Length() > 0 {
		times, repeated = cost.Month.Seconds()/s.Length().Seconds(), s.Length()
	}
	works, err := s.Works(times)
	if err != nil {
		return nil, &failure{code: exitUsage, err: fmt.Errorf("%s: %w", c.Traffic, err), hint: "coldcurve simulate takes --memory 512MB, and so does cost"}
	}
	for i := range works {
		c.settings(&works[i])
	}
	l := &costLoad{works: works, traffic: cost.TrafficOf(c.Traffic, works)}
	l.traffic.Repeated = repeated
	l.traffic.Notes = append(l.traffic.Notes, "The traffic was simulated, not measured; its warm-up is left out.")
	for _, p := range s.Provisos() {
		l.traffic.Notes = append(l.traffic.Notes, strings.ToUpper(p[:1])+p[1:]+".")
	}
	for _, e := range s.Account().Entries {
		l.users = append(l.users, cost.User{Entry: e})
	}
	return l, nil
}

// runLoad prices what a run measured.
func (c *costBillCmd) runLoad() (*costLoad, error) {
	m, err := openMeasured(c.Traffic)
	if err != nil {
		return nil, err
	}
	works, err := m.works(c.Memory.value)
	if err != nil {
		return nil, err
	}
	lasted := span(&m.dir.Manifest)
	kept := cost.Month
	if c.Once {
		kept = lasted
	}
	l, err := c.month(c.Traffic, works, lasted, append(m.notes(), m.standby(works, kept)...))
	if err != nil {
		return nil, err
	}
	if c.By != string(cost.ByVersion) {
		l.users = m.Users(m.memory(c.Memory.value))
		return l, nil
	}
	for _, e := range m.account.Entries { // samples do not know of versions
		l.users = append(l.users, cost.User{Entry: e})
	}
	l.traffic.Notes = append(l.traffic.Notes, "Shared out by the platform's own account of versions, warm-up included.")
	return l, nil
}

// scenarioLoad prices the mean number of a scenario's arrivals, warm-up left out.
func (c *costBillCmd) scenarioLoad() (*costLoad, error) {
	s, err := scenarios.Find(c.Traffic, scenarios.Overrides{})
	if err != nil {
		if _, faults := errors.AsType[scenarios.Faults](err); faults {
			return nil, err
		}
		return nil, &failure{code: exitUsage, err: err}
	}
	if c.Duration.value == nil {
		return nil, usage("a scenario does not say how long its functions take: write --duration 120ms")
	}
	expected, span := s.Expected()
	if span <= 0 {
		return nil, usage("%s has no phase but warm-up: nothing of it is priced", s.Source)
	}
	repeated, months := span, cost.Month.Seconds()/span.Seconds()
	if c.Once {
		repeated, months = 0, 1
	}
	var works []cost.Work
	for _, f := range s.Functions {
		// Rounded only here: half a request in a scenario is many in a month.
		if n := uint64(expected[f.Name]*months + .5); n > 0 {
			works = append(works, c.given(cost.Work{Name: f.Name, Requests: n, Memory: f.Memory, In: units.Bytes(len(f.Payload.Data))}))
		}
	}
	return c.priceable(s.Source, works, repeated, []string{"The mean number of the scenario's arrivals, which no seed moves."}), nil
}

// given completes a work with the durations and the cold share of the flags.
func (c *costBillCmd) given(w cost.Work) cost.Work {
	if w.Durations == nil || c.Duration.value != nil {
		w.Durations = c.Duration.value
	}
	if c.Cold.value > 0 && c.Init.value != nil {
		w.Cold, w.Init = shareOf(w.Requests, c.Cold.value), cost.Constant(*c.Init.value)
	}
	return w
}

// traceLoad prices recorded traffic, with the durations and the memory that it
// has on record or the flags'.
func (c *costBillCmd) traceLoad(ctx context.Context) (*costLoad, error) {
	source, err := openTrace(ctx, c.Traffic)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	var works []cost.Work
	var span time.Duration
	for f, err := range source.Functions(ctx) {
		if err != nil {
			return nil, &failure{code: exitUsage, err: err}
		}
		w := cost.Work{Name: f.Name, Requests: uint64(f.Expected + .5), Memory: f.Memory}
		if w.Requests == 0 {
			continue
		}
		if f.Timed && c.Duration.value == nil {
			if w.Durations, err = recordedDurations(f); err != nil {
				return nil, err
			}
		}
		if w = c.given(w); w.Durations == nil {
			return nil, usage("%s does not say how long requests take: write --duration 120ms", c.Traffic)
		}
		span = max(span, f.Span)
		works = append(works, w)
	}
	return c.month(c.Traffic, works, span, source.About().Notes)
}

// recordedDurations are those that a trace has on record.
func recordedDurations(f *traffic.Function) (*cost.Durations, error) {
	counts := make(map[time.Duration]uint64)
	for r := range f.Requests(nil) {
		if r.Service != traffic.Unknown {
			counts[r.Service]++
		}
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return cost.Counted(counts)
}
