package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/text"
)

type gateCalibrateCmd struct {
	Comparisons int     `default:"60" placeholder:"K" help:"How many comparisons of each effect, with those that the file has (${default})."`
	Effects     []share `default:"0%,10%,5%,20%" placeholder:"SHARE" help:"By how much of base's figure head's starts are slowed down, really; 0% compares a function with itself. In this order (${default})."`
	Detect      share   `default:"10%" placeholder:"SHARE" help:"The effect that is promised to be found (${default})."`
	Power       share   `default:"90%" placeholder:"SHARE" help:"In how many comparisons, at least, it is (${default})."`
	Metric      string  `default:"init.mean" placeholder:"METRIC" help:"What is compared, of cold starts: init.mean, or one of latency or service (${default})."`
	Margin      share   `default:"5%" placeholder:"SHARE" help:"How much worse the figure may get (${default})."`
	Risk        share   `default:"5%" placeholder:"SHARE" help:"Nominal level: the chance, at most, of a false alarm (${default})."`
	Looks       []int   `default:"10,14,20,28" placeholder:"PAIRS" help:"Numbers of pairs at which the data are looked at (${default})."`

	calibrationFlag `embed:""`
	JSON            bool `name:"json" help:"Print one JSON document (coldcurve schema calibration) instead of tables."`

	referenceFlags `embed:""`
}

// share is a share on the command line: "5%", "0.05".
type share float64

// UnmarshalText parses it.
func (s *share) UnmarshalText(text []byte) error {
	v, err := units.ParseShare(string(text))
	*s = share(v)
	return err
}

// calibrationScenario is as short as a median takes: six cold starts, each of
// which is over long before the next.
const calibrationScenario = `name: calibration
description: How often is the gate wrong?
platform: {name: reference, keep_alive: 0s, sandbox: process}
functions: [{name: heavyinit, fixture: heavyinit, runtime: go, env: {INIT_MS: "40", INIT_MB: "8"}}]
phases: [{name: cold, duration: 450ms, arrivals: {process: gap, gap: 75ms}}]
`

// Run makes the comparisons that are missing, and says what all come to.
func (c *gateCalibrateCmd) Run(ctx context.Context, w *World) error {
	if err := c.check(); err != nil {
		return err
	}
	log, err := calibration.Open(c.Calibration, c.header(w.Now()))
	if foreign, ok := errors.AsType[*calibration.ForeignError](err); ok {
		return &failure{code: exitUsage, err: foreign, hint: "begin another: --calibration FILE"}
	}
	if err != nil {
		return err
	}
	err = c.carryOn(ctx, w, log)
	doc := log.Document()
	if c.JSON {
		err = errors.Join(err, printJSON(w.Stdout, doc))
	} else {
		err = errors.Join(err, text.Calibration(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), reports.CalibrationOf(doc)))
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return &failure{code: exitFailure, err: errors.New("interrupted; the comparisons so far are kept in " + log.Path), hint: "the same command goes on"}
	case err != nil:
		return err
	case !doc.Held:
		return &failure{code: exitRegression, err: errors.New("the gate does not keep what it promises here"), hint: "other work on this machine disturbs it: a quiet machine, or a wider margin"}
	}
	return nil
}

func (c *gateCalibrateCmd) check() error {
	m, err := metric.Parse(c.Metric)
	what, _, _ := strings.Cut(c.Metric, ".")
	switch {
	case err != nil:
		return usage("--metric: %w", err)
	case !slices.Contains([]string{"init", "latency", "service"}, what):
		return usage("--metric: a slow start does not show in %s: write init.mean, or one of latency or service", m)
	case c.Comparisons < 1:
		return usage("--comparisons: %d: write 1 or more", c.Comparisons)
	}
	for _, effect := range c.Effects {
		if effect > 100 {
			return usage("--effects: %v: a start that takes a hundred times as long needs no gate", effect)
		}
	}
	// The other flags are the policy's, which knows what they may be.
	_, err = c.policy()
	return err
}

// policy is one rule, whose every look can have a verdict: one that cannot makes
// no false alarm, either.
func (c *gateCalibrateCmd) policy() ([]byte, error) {
	looks := make([]string, len(c.Looks))
	for i, n := range c.Looks {
		looks[i] = strconv.Itoa(n)
	}
	flagOf := map[int]string{1: "--risk", 2: "--power", 3: "--looks", 5: "--margin"} // by the line of
	text := fmt.Appendf(nil, "risk: %s\npower: %s\nlooks: [%s]\nrules:\n- {metric: %s, start: cold, margin: %s}\n",
		percent(c.Risk), percent(c.Power), strings.Join(looks, ", "), c.Metric, percent(c.Margin))
	policy, err := gate.ParsePolicy("", text)
	if faults, ok := errors.AsType[strict.Faults](err); ok {
		for i := range faults {
			faults[i].File, faults[i].Line = flagOf[faults[i].Line], 0
		}
		return nil, faults
	}
	if err != nil {
		return nil, err
	}
	if blind := policy.Blind(); blind != "" {
		return nil, usage("--looks: %s: there, it would never be wrong", blind)
	}
	return text, nil
}

// percent writes a share so that it is read as the same.
func percent(s share) string { return strconv.FormatFloat(float64(s), 'g', -1, 64) }

func (c *gateCalibrateCmd) header(now time.Time) calibration.Header {
	return calibration.Header{Started: now, Host: rundir.HostFacts(), Setup: calibration.Setup{
		Metric: c.Metric, Start: "cold", Margin: float64(c.Margin), Risk: float64(c.Risk), Power: float64(c.Power), Detect: float64(c.Detect),
		Looks: c.Looks, Scenario: calibrationScenario,
	}}
}

// carryOn makes the comparisons that are missing as compare does.
func (c *gateCalibrateCmd) carryOn(ctx context.Context, w *World, log *calibration.Log) (err error) {
	dir, err := os.MkdirTemp("", "coldcurve-calibration-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "calibration.yaml")
	if err := os.WriteFile(path, []byte(calibrationScenario), 0o644); err != nil {
		return err
	}
	command := &compareCmd{Scenario: path, referenceFlags: c.referenceFlags}
	command.Scale, command.TimeScale = 1, 1
	t, err := command.ready(ctx, w)
	if err != nil {
		return err
	}
	if t.policy, err = c.policy(); err != nil {
		return err
	}
	t.usual, t.looks = false, c.Looks
	o := calibration.Options{
		Comparisons: c.Comparisons,
		Compare: func(ctx context.Context, task calibration.Task) (calibration.Outcome, error) {
			return c.compare(ctx, t, task, filepath.Join(dir, "comparison"))
		},
		Progress: func(p calibration.Progress) { fmt.Fprintf(w.Stderr, "coldcurve: %s\n", progressOf(p)) },
	}
	for _, effect := range c.Effects {
		o.Effects = append(o.Effects, float64(effect))
	}
	return errors.Join(calibration.Make(ctx, log, o), t.close())
}

// compare makes one comparison, whose directory goes when its outcome is known.
func (c *gateCalibrateCmd) compare(ctx context.Context, t *contest, task calibration.Task, dir string) (calibration.Outcome, error) {
	t.alter = slowed(task.Delay)
	made, err := t.create(dir, task.Seed)
	if err != nil {
		return calibration.Outcome{}, err
	}
	defer made.Close()
	show := newPairProgress(t.w, made)
	show.of = fmt.Sprintf("comparison %d of %d at +%s: ", task.Number, c.Comparisons, units.FormatShare(task.Effect))
	err = errors.Join(t.makePairs(ctx, made, show), os.RemoveAll(dir))
	if err == nil && made.Document.State != comparison.Complete {
		err = fmt.Errorf("a comparison is %s", made.Document.State)
	}
	return calibration.Of(task, &made.Document, rundir.Load()), err
}

// progressOf says what became of a comparison, and how much is left.
func progressOf(p calibration.Progress) string {
	o := &p.Outcome
	words := fmt.Sprintf("%d of %d at +%s: %s after %s, %s", o.Number, p.Of, units.FormatShare(o.Effect), o.Verdict,
		units.FormatNoun(len(o.Pairs), "pair"), units.FormatDuration(o.Ended.Sub(o.Began)))
	if o.Change != nil {
		words += fmt.Sprintf(", measured %+.1f%%", 100**o.Change)
	}
	if p.Left > 0 {
		words += fmt.Sprintf("; %d to go, about %s", p.Left, p.Estimate.Round(time.Second))
	}
	return words
}
