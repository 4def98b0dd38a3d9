package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// contestant is one of the platforms that a scenario goes through in turn.
type contestant struct {
	plan    *plan
	command *runCmd // as if it were the only one
	stage   *stage  // nil where it could not be set up
	left    int     // runs that are still to be made
}

func (c *contestant) name() string { return c.plan.Platform.Title() }

// turns takes a scenario through several platforms.
type turns struct {
	w           *World
	command     *runCmd
	contestants []*contestant
	matrix      *matrix.Matrix
}

// inTurn takes a scenario through several platforms. All are set up first, one
// after the other; then they take turns, and nothing runs on one while another
// is measured. The document is given beside an error, too; it is nil where no
// run was begun.
func (c *runCmd) inTurn(ctx context.Context, w *World, t task) (*matrix.Document, error) {
	r := &turns{w: w, command: c}
	defer r.strike()
	absent, err := r.setUp(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := r.create(t, absent); err != nil {
		return nil, err
	}
	measured := r.make(ctx)
	state := matrix.Complete
	if ctx.Err() != nil {
		state = matrix.Interrupted
	}
	r.strike()
	ended := r.matrix.End(state, w.Now())
	shown := presentMatrix(w, r.matrix, c.pricing, c.JSON)
	return &r.matrix.Document, errors.Join(measured, ended, r.renderRuns(), shown, failuresOf(&r.matrix.Document))
}

// failuresOf is an error if a platform failed.
func failuresOf(d *matrix.Document) error {
	var names []string
	for _, p := range d.Failures() {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("not measured as it should be: %s; the report says why", strings.Join(names, ", "))
}

// absent says why a platform cannot run, and what the reader can do about it.
type absent struct{ why, hint string }

func absentFor(err error) absent {
	hint := platform.HintOf(err)
	if f, ok := errors.AsType[*failure](err); ok {
		hint = cmp.Or(f.hint, hint)
	}
	return absent{drive.OneLine(err.Error()), hint}
}

// setUp gets every platform ready. One that cannot be is told of at once and
// keeps none of the others from being measured, as long as there is one.
func (r *turns) setUp(ctx context.Context, t task) (map[string]absent, error) {
	var all []scenarios.Listed
	var names []string
	for _, p := range t {
		all = append(all, p.Platform.Listed())
		names = append(names, p.Platform.Title())
	}
	overrides, err := r.command.overrides(r.w)
	if err != nil {
		return nil, err
	}
	times, missing := r.command.rounds(), make(map[string]absent)
	for _, p := range t {
		command := *r.command
		command.overrideFlags = r.command.overrideFlags.on(overrides.On(p.Platform.Listed(), all))
		command.stay = t.stay(p, times)
		c := &contestant{plan: p, command: &command, left: times}
		r.contestants = append(r.contestants, c)
		if err := r.ready(ctx, c); err != nil {
			missing[c.name()] = absentFor(err)
			r.say(c, missing[c.name()])
		}
		if ctx.Err() != nil {
			return nil, errors.New("interrupted before the first request")
		}
	}
	if len(missing) == len(t) {
		return nil, fmt.Errorf("none of %s can run", strings.Join(names, ", "))
	}
	return missing, nil
}

// stay is what one of several platforms is there for.
func (t task) stay(p *plan, times int) stay {
	functions := 0
	for _, other := range t {
		functions += len(other.Functions)
	}
	return stay{times: uint64(times), length: time.Duration(times*len(t)) * p.length(), others: functions - len(p.Functions)}
}

func (r *turns) ready(ctx context.Context, c *contestant) error {
	fmt.Fprintf(r.w.Stderr, "coldcurve: %s: getting ready\n", c.name())
	st, err := setUp(ctx, r.w, c.plan.Scenario, c.command)
	if err != nil {
		return err
	}
	c.stage = st
	c.plan, err = c.plan.without(st.cast, r.w.Stderr)
	return err
}

// say tells of a platform that cannot go on, in a line.
func (r *turns) say(c *contestant, a absent) {
	line := fmt.Sprintf("coldcurve: %s cannot be measured: %s", c.name(), a.why)
	if a.hint != "" {
		line += "; " + a.hint
	}
	fmt.Fprintln(r.w.Stderr, line)
}

// create makes the matrix's directory.
func (r *turns) create(t task, missing map[string]absent) error {
	s := t[0]
	d := matrix.Document{
		Version: buildVersion(), Scenario: s.Name, Description: s.Description, Source: s.Source, Started: r.w.Now(),
		Seed: s.Seed, Rounds: r.command.rounds(), Length: s.length(),
	}
	for _, p := range t {
		why := missing[p.Platform.Title()]
		d.Platforms = append(d.Platforms, matrix.Platform{Name: p.Platform.Title(), Failure: why.why, Hint: why.hint})
	}
	path := rundir.DefaultDir(r.command.Out, s.Name+"-matrix", r.w.Now())
	var err error
	r.matrix, err = matrix.Create(path, d, s.Text)
	return err
}

// make makes the runs in their order. A platform that fails is left out of the
// rest; the error is of what keeps the whole from going on.
func (r *turns) make(ctx context.Context) error {
	for _, run := range r.matrix.Document.Runs {
		c, p := r.contestant(run.Platform), r.matrix.Document.Platform(run.Platform)
		if p.Failure != "" {
			continue
		}
		c.left--
		failed := r.makeRun(ctx, c, run)
		if err := r.matrix.Add(run.Number); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		if failed != nil {
			why := absentFor(failed)
			if err := r.matrix.Fail(c.name(), why.why, why.hint); err != nil {
				return err
			}
		}
		if p.Failure != "" {
			r.say(c, absent{p.Failure, p.Hint})
			r.strikeOne(c)
		}
	}
	return nil
}

func (r *turns) makeRun(ctx context.Context, c *contestant, run matrix.Run) error {
	progress := newProgress(r.w, fmt.Sprintf("run %d of %d, %s on %s", run.Number, len(r.matrix.Document.Runs), c.plan.Name, c.name()))
	defer progress.end()
	last := func() error { return nil }
	if c.left == 0 {
		last = c.stage.strike
	}
	if run.Round > 1 {
		if err := c.stage.clear(ctx); err != nil {
			return err
		}
	}
	_, err := c.stage.perform(ctx, r.w, c.plan, c.command, filepath.Join(r.matrix.Path, run.Dir), progress.show, last)
	return err
}

func (r *turns) contestant(name string) *contestant {
	return r.contestants[slices.IndexFunc(r.contestants, func(c *contestant) bool { return c.name() == name })]
}

// strike takes everything down again.
func (r *turns) strike() {
	for _, c := range r.contestants {
		r.strikeOne(c)
	}
}

// strikeOne takes one platform down. That this failed is the platform's failure,
// if it has no other.
func (r *turns) strikeOne(c *contestant) {
	if c.stage == nil {
		return
	}
	stage := c.stage
	c.stage = nil
	err := stage.strike()
	if err == nil {
		return
	}
	why := absentFor(fmt.Errorf("clear up: %w", err))
	r.say(c, why)
	if r.matrix != nil {
		err = r.matrix.Fail(c.name(), why.why, why.hint)
	}
	if err != nil {
		fmt.Fprintf(r.w.Stderr, "coldcurve: warning: %v\n", err)
	}
}

// renderRuns gives each run its own report.
func (r *turns) renderRuns() error {
	var failed error
	for _, dir := range r.matrix.Dirs() {
		_, err := present(r.w, dir, r.command.pricing, true)
		failed = errors.Join(failed, err)
	}
	return failed
}
