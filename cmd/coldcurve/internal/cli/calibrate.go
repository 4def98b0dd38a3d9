package cli

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/calibration"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports/text"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// experiment is one comparison of a truth with what the harness said.
type experiment struct {
	Name     string `json:"name"`
	Truth    string `json:"truth"`
	Measured string `json:"measured"`
	Error    string `json:"error"`
	OK       bool   `json:"ok"`
}

// truthScenario has cold starts that the runtime counts, and handlers whose
// time it records.
const truthScenario = `name: calibration
platform: {name: reference, keep_alive: 150ms}
functions:
  - {name: hello, fixture: hello}
  - {name: sleep, fixture: sleep, payload: {json: {ms: 20}}}
phases:
  - {name: gaps, duration: 6s, arrivals: {process: gap, gap: 300ms, function: hello}}
  - {name: steady, duration: 5s, arrivals: [{process: poisson, rate: 200/s, function: hello}, {process: constant, rate: 20/s, function: sleep}]}
`

// stallTolerance is how far the reported p99 of the stalled server may be off.
const stallTolerance = .05

func calibrate(ctx context.Context, w *World, c *doctorCmd) ([]experiment, error) {
	fmt.Fprintln(w.Stderr, "coldcurve: calibrating, about half a minute")
	stall, err := drive.Stall{}.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("stalled server: %w", err)
	}
	list := []experiment{
		{
			Name:  fmt.Sprintf("server stalled for %s at 2000/s: p99 of what callers waited", units.FormatDuration(stall.Stalled)),
			Truth: units.FormatDuration(stall.True), Measured: units.FormatDuration(stall.Reported),
			Error: signedShare(stall.Error()), OK: stall.Error() < stallTolerance && stall.Error() > -stallTolerance && stall.Failed == 0,
		},
		{
			Name: "the same: load generator's lag, p99", Truth: "0 s", Measured: units.FormatDuration(stall.LagP99),
			Error: units.FormatDuration(stall.LagP99), OK: true,
		},
	}
	truth, err := againstRuntime(ctx, w, c)
	return append(list, truth...), err
}

// againstRuntime drives the reference runtime and compares with its record.
func againstRuntime(ctx context.Context, w *World, c *doctorCmd) ([]experiment, error) {
	s, err := scenarios.Parse("calibration", []byte(truthScenario), scenarios.Overrides{})
	if err != nil {
		return nil, err
	}
	out, err := os.MkdirTemp("", "coldcurve-calibration-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	run, err := execute(ctx, w, s, &runCmd{Out: out, JSON: true, NoCgroups: c.NoCgroups, Cache: c.Cache, overrideFlags: overrideFlags{Scale: 1, TimeScale: 1}})
	if err != nil {
		return nil, err
	}
	dir, err := rundir.Open(run.Dir)
	if err != nil {
		return nil, err
	}
	tally := calibration.New()
	for s, err := range dir.Samples() {
		if err != nil {
			return nil, err
		}
		tally.Add(s)
	}
	instances, err := dir.Instances()
	if err != nil {
		return nil, err
	}
	var started []string
	for _, i := range instances {
		started = append(started, i.ID)
	}
	return describeTruth(tally.Compare(started), len(started), run.Cold), nil
}

func describeTruth(e calibration.Error, started int, cold uint64) []experiment {
	list := []experiment{
		{
			Name: "cold starts, each with its instance", Truth: units.FormatCount(int64(started)), Measured: units.FormatCount(int64(cold)),
			Error: fmt.Sprintf("%d missed, %d invented", e.Unaccounted, e.Invented), OK: e.Unaccounted+e.Invented == 0,
		},
		{
			Name: "answers seen before the runtime gave them", Truth: "0", Measured: units.FormatCount(int64(e.Early)),
			Error: units.FormatCount(int64(e.Early)), OK: e.Early == 0,
		},
	}
	kinds := []sample.Start{}
	for kind := range e.Beyond {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		spread := e.Beyond[kind]
		list = append(list, experiment{
			Name:  fmt.Sprintf("%s requests: service beyond the runtime's own record (the way there and back)", kind),
			Truth: "0 s", Measured: units.FormatDuration(spread.P50),
			Error: fmt.Sprintf("p50 %s, p99 %s of %s", units.FormatDuration(spread.P50), units.FormatDuration(spread.P99), units.FormatCount(int64(spread.N))),
			OK:    true,
		})
	}
	return list
}

// advice is what is so, and what would change it.
func advice(f *finding) string {
	if f.Remedy == "" {
		return f.Detail
	}
	return f.Detail + "; " + f.Remedy
}

func signedShare(share float64) string {
	if share < 0 {
		return "-" + units.FormatShare(-share)
	}
	return "+" + units.FormatShare(share)
}

func printDiagnosis(w *World, doc diagnosis) error {
	o := text.For(w.Terminal.Out, w.Terminal.Width, w.Env)
	var items []text.Item
	for _, f := range doc.Findings {
		items = append(items, text.Item{Name: f.Part, State: f.Status, Detail: advice(&f)})
	}
	if err := text.List(w.Stdout, o, items); err != nil || len(doc.Calibration) == 0 {
		return err
	}
	var rows [][]string
	for _, e := range doc.Calibration {
		verdict := "ok"
		if !e.OK {
			verdict = "WRONG"
		}
		rows = append(rows, []string{e.Name, e.Truth, e.Measured, e.Error, verdict})
	}
	fmt.Fprintln(w.Stdout)
	return text.Table(w.Stdout, o, []string{"experiment", "truth", "measured", "error", ""}, rows)
}
