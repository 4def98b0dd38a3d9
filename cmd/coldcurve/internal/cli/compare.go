package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
	"github.com/coldcurve/coldcurve/scenarios/pairs"
)

type compareCmd struct {
	Scenario string `arg:"" optional:"" help:"Scenario file, or a name of the embedded suite: what both sides go through."`

	Base string `sep:"none" placeholder:"SIDE" help:"What head is held against: a folder with a function's code (NAME=FOLDER where there are several functions), rev:REVISION or rev:REVISION:FOLDER, set:KEY=VALUE,..., platform:URL or platform:NAME. Without it: the scenario as it stands."`
	Head string `sep:"none" placeholder:"SIDE" help:"What is judged: as --base."`

	Build      string   `placeholder:"COMMAND" help:"Shell command that builds a folder or a revision, run in it. Go code without an executable is built anyway."`
	Policy     string   `placeholder:"FILE" help:"What is judged, how strictly, and at which numbers of pairs (coldcurve schema policy); without it, coldcurve's own."`
	Budget     duration `help:"Begin no pair that would end after this, such as 10m. Without it: until every rule has its verdict, or the last look."`
	Out        string   `type:"path" placeholder:"DIR" help:"Directory of the comparison. The default is a new one in runs."`
	Resume     string   `placeholder:"DIR" help:"Go on with a comparison that ended before its verdicts, by what it was begun with."`
	storeFlags `embed:""`

	JSON bool `name:"json" help:"Print one JSON document (coldcurve schema comparison) instead of tables."`

	overrideFlags   `embed:""`
	calibrationFlag `embed:""`
	consent         `embed:""`

	referenceFlags `embed:""`
}

// Run makes pairs until there are verdicts.
func (c *compareCmd) Run(ctx context.Context, w *World) error {
	if c.Resume != "" {
		return c.resume(ctx, w)
	}
	if err := c.check(); err != nil {
		return err
	}
	contest, err := c.ready(ctx, w)
	if err != nil {
		return err
	}
	return errors.Join(c.begin(ctx, w, contest), contest.close())
}

func (c *compareCmd) check() error {
	switch {
	case c.Scenario == "":
		return &failure{code: exitUsage, err: errors.New("compare what? give a scenario"), hint: "for example: coldcurve compare --base ./old --head ./new cold.yaml; coldcurve compare --help tells what a side can be"}
	case c.Base == c.Head:
		return &failure{code: exitUsage, err: errors.New("both sides are the same"), hint: "give --base or --head, for example --head set:memory=256MB"}
	}
	return nil
}

// contest is two sides that are ready to be run.
type contest struct {
	command    *compareCmd
	w          *World
	base, head pairs.Side
	plans      [2]*plan // with the first pair's seed
	policy     []byte
	usual      bool // the policy is coldcurve's own
	looks      []int
	blind      string   // which looks can have no verdict, and why
	calibrated []string // how often it is wrong, a note
	workshop   *pairs.Workshop
	alter      func(side string, s *scenarios.Scenario) // changes a side beyond what can be asked for; nil for not at all
}

func (t *contest) close() error { return t.workshop.Close() }

// ready reads and builds what both sides need.
func (c *compareCmd) ready(ctx context.Context, w *World) (*contest, error) {
	policy, text, err := readPolicy(c.Policy)
	if err != nil {
		return nil, err
	}
	overrides, err := c.overrides(w)
	if err != nil {
		return nil, err
	}
	calibrated, err := c.notes(w, true)
	if err != nil {
		return nil, err
	}
	t := &contest{command: c, w: w, policy: text, usual: c.Policy == "", looks: policy.LookAt(), blind: policy.Blind(), calibrated: calibrated, workshop: &pairs.Workshop{
		Scenario: c.Scenario, Build: c.Build, Log: func(line string) { fmt.Fprintf(w.Stderr, "coldcurve: %s\n", line) },
	}}
	for _, given := range []string{c.Base, c.Head} {
		if err := t.workshop.Check(ctx, given, overrides); err != nil {
			return nil, sideError(err)
		}
	}
	for i, side := range []struct {
		given string
		into  *pairs.Side
	}{{c.Base, &t.base}, {c.Head, &t.head}} {
		if *side.into, err = t.workshop.Ready(ctx, side.given, overrides); err == nil {
			t.plans[i], err = planOf(side.into, c.Seed)
		}
		if err != nil {
			return nil, errors.Join(sideError(err), t.close())
		}
	}
	phases, functions := t.scope()
	if err := policy.CheckScope(c.Policy, phases, functions); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// scope are the phases and functions that either side's runs will have figures of.
func (t *contest) scope() (phases, functions []string) {
	for _, p := range t.plans {
		for i := range p.Phases {
			if !p.Phases[i].Warmup {
				phases = append(phases, p.Phases[i].Name)
			}
		}
		for i := range p.Functions {
			functions = append(functions, p.Functions[i].Name)
		}
	}
	return phases, functions
}

// planOf is a side's scenario with its schedule; a seed of nil is the scenario's.
func planOf(s *pairs.Side, seed *uint64) (*plan, error) {
	return scheduled(s.Parse(seed))
}

// sideError is what is wrong with a side, as a fault of the command line where
// it is one.
func sideError(err error) error {
	if _, ok := errors.AsType[*pairs.UsageError](err); ok {
		return &failure{code: exitUsage, err: err, hint: "coldcurve compare --help tells what a side can be"}
	}
	return err
}

// begin makes the comparison's directory and its pairs.
func (c *compareCmd) begin(ctx context.Context, w *World, t *contest) error {
	dir := c.Out
	if dir == "" {
		dir = rundir.DefaultDir("runs", "compare-"+t.plans[0].Name, w.Now())
	}
	if err := t.foresee(ctx, t.plans[0].Seed, 1); err != nil {
		return err
	}
	made, err := t.create(dir, t.plans[0].Seed)
	if err != nil {
		return err
	}
	defer made.Close()
	return t.carryOn(ctx, made)
}

// create makes the comparison's directory.
func (t *contest) create(dir string, seed uint64) (*comparison.Comparison, error) {
	folder, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	scenario := t.plans[0].Scenario
	d := comparison.Document{
		Version: buildVersion(), Scenario: scenario.Name, Source: scenario.Source, Started: t.w.Now(), Seed: seed,
		Base: sideOf(&t.base, t.plans[0]), Head: sideOf(&t.head, t.plans[1]), Notes: t.notes(), Command: t.w.Args, Folder: folder,
		UsualPolicy: t.usual,
	}
	if budget := t.command.Budget.value; budget != nil {
		d.Budget = *budget
	}
	made, err := comparison.Create(dir, d, t.policy, scenario.Text)
	if err != nil {
		return nil, &failure{code: exitUsage, err: err}
	}
	return made, nil
}

func sideOf(s *pairs.Side, p *plan) comparison.Side {
	return comparison.Side{Given: s.Given, What: s.What, Notes: p.Notes}
}

// notes say how the runs are made.
func (t *contest) notes() []string {
	notes := []string{"both runs of a pair have the same seed and follow each other; which comes first is left to chance"}
	if t.plans[0].Platform.Name == "reference" {
		notes = append(notes, "each run has a reference runtime of its own: nothing is left of the run before",
			"no instance is evicted during a run: what is forced-cold is the first start of its version there")
	}
	return append(notes, t.calibrated...)
}

// resume goes on with a comparison by the command that began it.
func (c *compareCmd) resume(ctx context.Context, w *World) error {
	old, err := comparison.Open(c.Resume)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	defer old.Close()
	d := &old.Document
	var g grammar
	parser, err := kong.New(&g, kong.Exit(func(int) {}))
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	if folder, err := os.Getwd(); err != nil || folder != d.Folder {
		return usage("resume %s in the folder where it was begun: cd %s", c.Resume, d.Folder)
	}
	if _, err := parser.Parse(d.Command); err != nil {
		return usage("resume %s: its command cannot be read any more: %w", c.Resume, err)
	}
	first := &g.Compare
	first.Budget, first.JSON, first.storeFlags = c.Budget, c.JSON, c.storeFlags
	t, err := first.ready(ctx, w)
	if err != nil {
		return err
	}
	if err := t.same(old); err != nil {
		return errors.Join(err, t.close())
	}
	if c.Budget.value != nil {
		d.Budget = *c.Budget.value
	} else {
		d.Budget = 0
	}
	err = t.foresee(ctx, d.Seed, len(d.Pairs)+1)
	if err == nil {
		err = old.Resume()
	}
	if err == nil {
		err = t.carryOn(ctx, old)
	}
	return errors.Join(err, t.close())
}

// same refuses to go on with other things than those of the pairs so far.
func (t *contest) same(old *comparison.Comparison) error {
	d := &old.Document
	for _, side := range [][2]string{{d.Base.What, t.base.What}, {d.Head.What, t.head.What}} {
		if side[0] != side[1] {
			return usage("resume %s: it was begun with %s, which is %s now", old.Path, side[0], side[1])
		}
	}
	for name, text := range map[string][]byte{"scenario.yaml": t.plans[0].Text, "policy.yaml": t.policy} {
		if kept, err := os.ReadFile(filepath.Join(old.Path, name)); err != nil || !bytes.Equal(kept, text) {
			return usage("resume %s: %s has changed since it was begun", old.Path, name)
		}
	}
	return nil
}

// carryOn makes the pairs that are missing and shows what was found.
func (t *contest) carryOn(ctx context.Context, c *comparison.Comparison) error {
	fmt.Fprintf(t.w.Stderr, "coldcurve: %s\n", t.intention(c))
	err := t.makePairs(ctx, c, newPairProgress(t.w, c))
	report, presentErr := presentComparison(t.w, c, t.command.store(), t.command.JSON)
	if t.alter == nil { // else the directory goes, too
		presentErr = errors.Join(presentErr, sayReport(t.w, c.Path, t.command.JSON))
	}
	switch {
	case err != nil || presentErr != nil:
		return errors.Join(err, presentErr)
	case c.Document.State == comparison.Interrupted:
		return &failure{code: exitFailure, err: errors.New("interrupted; the pairs so far are kept"), hint: "coldcurve compare --resume " + c.Path + " goes on"}
	}
	return verdictError(report)
}

// makePairs makes the pairs that are missing.
func (t *contest) makePairs(ctx context.Context, c *comparison.Comparison, show *pairProgress) error {
	defer show.end()
	return pairs.Make(ctx, c, pairs.Options{
		Measure: t.measure(show), Now: t.w.Now, Budget: c.Document.Budget, Expected: t.pace(), Progress: show.next,
	})
}

// measure makes one run.
func (t *contest) measure(show *pairProgress) func(context.Context, string, uint64, string) error {
	return func(ctx context.Context, side string, seed uint64, dir string) error {
		s := &t.base
		if side == comparison.Head {
			s = &t.head
		}
		p, err := planOf(s, &seed)
		if err != nil {
			return err
		}
		if t.alter != nil {
			t.alter(side, p.Scenario)
		}
		p.Notes = append(p.Notes, fmt.Sprintf("%s of a comparison: %s", side, s.What))
		c := &runCmd{overrideFlags: t.command.overrideFlags, consent: t.command.consent, referenceFlags: t.command.referenceFlags}
		_, err = measure(ctx, t.w, p, c, dir, func(now drive.Progress) { show.within(now) })
		return err
	}
}

// intention says what is going to be done, and how long it takes.
func (t *contest) intention(c *comparison.Comparison) string {
	words := fmt.Sprintf("%s on %s against %s: two runs of %s a pair; %s; into %s", t.head.What, t.plans[0].Name, t.base.What,
		units.FormatDuration(t.plans[0].length()), pairs.Outlook(t.pace(), t.looks), c.Path)
	if t.blind != "" {
		words += "\ncoldcurve: warning: " + t.blind
	}
	if hint := pairs.Shortage(t.pace(), t.looks, c.Document.Budget); hint != "" {
		words += "\ncoldcurve: hint: " + hint + ": raise --budget, shorten the runs with --time-scale, or give a policy with earlier looks"
	}
	return words
}

// pace is how long a pair is expected to take.
func (t *contest) pace() time.Duration {
	return pairs.Expected(t.plans[0].length(), t.plans[1].length())
}
