package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

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
	Limit    string `json:"limit"` // of the error; "" for a figure without a truth, which is told and not judged
	OK       bool   `json:"ok"`
}

// truthScenario has cold starts that the runtime counts, and handlers whose
// time it records and is known: sleep takes 20 ms.
const truthScenario = `name: calibration
platform: {name: reference, keep_alive: 150ms}
functions:
  - {name: hello, fixture: hello}
  - {name: sleep, fixture: sleep, payload: {json: {ms: 20}}}
phases:
  - {name: gaps, duration: 6s, arrivals: {process: gap, gap: 300ms, function: hello}}
  - {name: steady, duration: 5s, arrivals: [{process: poisson, rate: 200/s, function: hello}, {process: constant, rate: 20/s, function: sleep}]}
`

// tolerance is how far a figure may be off, as a share of the true one.
const tolerance = .05

// sleepTolerance is the same for a sleep of 20 ms, to which Go's timers alone
// may add 1 ms.
const sleepTolerance = .1

// stalls are the servers that are stalled: one whose answers cost little, for
// the driver's own error, and one behind the adapter that users' servers are
// behind. That one gets fewer requests. At 2000/s, 600 answers are due at once
// when the stall is over; to serve them takes two busy cores 10 to 30 ms, which
// callers do wait and which is no error, but which the truth does not know of.
func stalls() []namedStall {
	return []namedStall{
		{"tcp", drive.Stall{Rate: 2000}},
		{"http", drive.Stall{Rate: 500, Serve: serveStalled}},
	}
}

type namedStall struct {
	name string
	drive.Stall
}

func calibrate(ctx context.Context, w *World, c *doctorCmd) ([]experiment, error) {
	fmt.Fprintln(w.Stderr, "coldcurve: calibrating, about 40 seconds")
	var list []experiment
	for _, s := range stalls() {
		result, err := s.Run(ctx)
		if err != nil {
			return list, err
		}
		list = append(list, describeStall(fmt.Sprintf("%s stalled, %s", s.name, units.FormatRate(units.Rate(s.Rate))), &result)...)
	}
	truth, err := againstRuntime(ctx, w, c)
	return append(list, truth...), err
}

func describeStall(name string, r *drive.StallResult) []experiment {
	return []experiment{
		{
			Name:  name + ": p99 waited",
			Truth: units.FormatDuration(r.True), Measured: units.FormatDuration(r.Reported),
			Error: signedShare(r.Error()), Limit: units.FormatShare(tolerance), OK: math.Abs(r.Error()) <= tolerance,
		},
		{
			Name:  name + ": own lag, p99",
			Truth: "0 s", Measured: units.FormatDuration(r.LagP99),
			Error: units.FormatShare(r.LagShare()), Limit: units.FormatShare(tolerance), OK: r.LagShare() <= tolerance,
		},
		counted(name+": unanswered", r.Failed),
	}
}

// counted is an experiment of something that must not happen.
func counted(name string, n uint64) experiment {
	return experiment{Name: name, Truth: "0", Measured: units.FormatCount(n), Error: units.FormatCount(n), Limit: "0", OK: n == 0}
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
	run, err := execute(ctx, w, s, &runCmd{Out: out, JSON: true, referenceFlags: c.referenceFlags, overrideFlags: overrideFlags{Scale: 1, TimeScale: 1}})
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

// slept is what the sleep function of the truth scenario takes at least.
const slept = 20 * time.Millisecond

func describeTruth(e calibration.Error, started int, cold uint64) []experiment {
	list := []experiment{
		{
			Name: "cold starts", Truth: units.FormatCount(started), Measured: units.FormatCount(cold),
			Error: fmt.Sprintf("%+d", int64(cold)-int64(started)), Limit: "0", OK: cold == uint64(started),
		},
		counted("cold starts that no sample tells of", e.Unaccounted),
		counted("cold samples of no start", e.Invented),
		counted("answers without the runtime's record", e.Missing),
		counted("answers seen before they were given", e.Early),
	}
	sleep := e.Groups[calibration.Group{Function: "sleep", Start: sample.Warm}]
	list = append(list, describeSleep(&sleep)...)
	for _, start := range []sample.Start{sample.Cold, sample.Warm} {
		if hello, ok := e.Groups[calibration.Group{Function: "hello", Start: start}]; ok {
			list = append(list, experiment{
				Name:  fmt.Sprintf("hello %s: wire and front end, p50", start),
				Truth: "-", Measured: units.FormatDuration(hello.BeyondP50),
				Error: "p99 " + units.FormatDuration(hello.BeyondP99), OK: true,
			})
		}
	}
	return list
}

// describeSleep compares the times of a function that is known to take a while:
// the client's with the runtime's, and the runtime's with the function's own.
func describeSleep(t *calibration.Times) []experiment {
	long := float64(t.Handler-slept) / float64(slept)
	return []experiment{
		{
			Name:  "sleep: service against record, p50",
			Truth: units.FormatDuration(t.Record), Measured: units.FormatDuration(t.Service),
			Error: signedShare(t.Share()), Limit: units.FormatShare(tolerance), OK: t.N > 0 && t.Share() <= tolerance,
		},
		{
			Name:  "sleep: recorded handler, p50",
			Truth: units.FormatDuration(slept), Measured: units.FormatDuration(t.Handler),
			Error: signedShare(long), Limit: units.FormatShare(sleepTolerance), OK: t.N > 0 && math.Abs(long) <= sleepTolerance,
		},
		{
			Name:  "sleep: recorded handler, shortest",
			Truth: units.FormatDuration(slept), Measured: units.FormatDuration(t.LeastHandler),
			Error: units.FormatDuration(max(0, slept-t.LeastHandler)), Limit: "0 s", OK: t.LeastHandler >= slept,
		},
	}
}

// wrong is the error of experiments that are not within their limits, nil if all are.
func wrong(list []experiment) error {
	var names []string
	for _, e := range list {
		if !e.OK {
			names = append(names, e.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return hinted(fmt.Errorf("calibration: %d of %d figures are beyond their limits: %s", len(names), len(list), strings.Join(names, "; ")),
		"other work on this machine disturbs it; repeat it on a quiet one before trusting figures from here")
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
	fmt.Fprintln(w.Stdout)
	return printCalibration(w.Stdout, o, doc.Calibration)
}

func printCalibration(w io.Writer, o text.Options, list []experiment) error {
	var rows [][]string
	for _, e := range list {
		verdict := "ok"
		switch {
		case !e.OK:
			verdict = "WRONG"
		case e.Limit == "":
			verdict = "-"
		}
		rows = append(rows, []string{e.Name, e.Truth, e.Measured, e.Error, e.Limit, verdict})
	}
	return text.Table(w, o, []string{"experiment", "truth", "measured", "error", "limit", "verdict"}, rows)
}
