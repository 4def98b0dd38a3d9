package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	metered "github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

// stage is a platform with a scenario's functions on it.
type stage struct {
	platform    platform.Platform
	description platform.Description
	deployments map[string]platform.Deployment
	cast        *cast
	accounted   metered.Account // of the runs before, as far as they were read
	strike      func() error    // takes everything down again; idempotent
}

// setUp builds and deploys what the scenario names, as far as this machine can
// run it.
func setUp(ctx context.Context, w *World, s *scenarios.Scenario, c *runCmd) (*stage, error) {
	functions, err := castOf(ctx, w, s, c.Cache)
	if err != nil {
		return nil, err
	}
	p, err := openPlatform(ctx, w, s, functions, c)
	if err != nil {
		return nil, err
	}
	st := &stage{platform: p, cast: functions, deployments: make(map[string]platform.Deployment)}
	st.strike = sync.OnceValue(st.remove)
	for _, f := range slices.Clone(functions.present) {
		d, err := p.Deploy(ctx, f)
		switch {
		case err == nil:
			st.deployments[f.Name] = d
		case functions.spare(f.Name, s):
			functions.leave(f.Name, err)
		default:
			return nil, errors.Join(err, st.strike())
		}
	}
	st.description.Name = s.Platform.Name
	if d, ok := p.(platform.Describer); ok {
		if st.description, err = d.Describe(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("describe %s: %w", s.Platform.Name, err), st.strike())
		}
	}
	return st, nil
}

func (st *stage) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), removalLimit)
	defer cancel()
	failed := st.removeAll(ctx)
	if p, ok := st.platform.(platform.Closer); ok {
		failed = errors.Join(failed, p.Close(ctx))
	}
	return failed
}

// removeAll takes all functions away at once: who does not answer is waited for
// once, however many functions there are.
func (st *stage) removeAll(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(st.deployments))
	errs := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { errs[i] = st.deployments[name].Remove(ctx) })
	}
	all.Wait()
	var left []string
	var first *platform.Error
	for i, err := range errs {
		failed, told := errors.AsType[*platform.Error](err)
		switch {
		case err == nil:
			continue
		case !told:
			errs[i] = fmt.Errorf("remove %s: %w", names[i], err)
		case first == nil:
			first = &platform.Error{Kind: failed.Kind, Op: failed.Op, Err: failed.Err, Hint: failed.Hint}
			errs[i] = first
		}
		left = append(left, names[i])
	}
	if k, kept := st.platform.(keeper); kept && first != nil {
		first.Hint = remains(left, k.Where(), first.Hint)
	}
	return errors.Join(errs...)
}

// remains says of functions that could not be removed that they are still there,
// and how to have them taken away later, before what else there is to do.
func remains(left []string, where, hint string) string {
	what := fmt.Sprintf("%s may still be there, at %s: `coldcurve cleanup` removes what is left", strings.Join(left, ", "), where)
	if hint != "" {
		what += "; " + hint
	}
	return what
}

// clear puts away what the run before has left, where the platform can: the
// next one then begins as the first did, without an instance.
func (st *stage) clear(ctx context.Context) error {
	for name, d := range st.deployments {
		if e, ok := d.(platform.Evicter); ok {
			if err := e.Evict(ctx); err != nil {
				return fmt.Errorf("put away %s: %w", name, err)
			}
		}
	}
	return nil
}

// logs stores what the functions have printed where the platform keeps it, and
// says so in a warning where it should have and could not.
func (st *stage) logs(writer *rundir.Writer) (warnings []string) {
	l, ok := st.platform.(platform.Logger)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), clearUpLimit)
	defer cancel()
	logs, err := l.Logs(ctx)
	if err == nil {
		err = writer.Logs(logs)
	}
	if err != nil {
		return []string{fmt.Sprintf("the functions' logs are missing: %v", err)}
	}
	return nil
}

// usage stores who has used what where the platform tells it, and says so in a
// warning where it should have and could not.
func (st *stage) usage(writer *rundir.Writer) (warnings []string) {
	m, ok := st.platform.(platform.Meter)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), clearUpLimit)
	defer cancel()
	account, err := m.Usage(ctx)
	if err == nil {
		err = writer.Usage(account.Since(st.accounted))
		st.accounted = account
	}
	if err != nil {
		return []string{fmt.Sprintf("the platform's account of usage is missing: %v", err)}
	}
	return nil
}

// afterthoughts are what the platform notes of itself by now beside what it did
// before the run. A fact that it had no value of then has one now, if it knows.
func (st *stage) afterthoughts() (notes []string) {
	d, ok := st.platform.(platform.Describer)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), clearUpLimit)
	defer cancel()
	now, err := d.Describe(ctx)
	if err != nil {
		return []string{fmt.Sprintf("what the platform had to say after the run is missing: %v", err)}
	}
	for name, value := range now.Facts {
		if before, there := st.description.Facts[name]; there && before == "" {
			st.description.Facts[name] = value
		}
	}
	for _, note := range now.Notes {
		if !slices.Contains(st.description.Notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// history stores the lives of the instances that were there at an instant on
// CLOCK_MONOTONIC or after it, where the platform tells them, and says so in a
// warning where it should have and could not.
func (st *stage) history(writer *rundir.Writer, from int64) (warnings []string) {
	h, ok := st.platform.(platform.Historian)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), clearUpLimit)
	defer cancel()
	records, err := h.Instances(ctx)
	if err == nil {
		records = slices.DeleteFunc(records, func(r platform.InstanceRecord) bool { return r.Gone != 0 && r.Gone < from })
		err = writer.Instances(records)
	}
	if err != nil {
		return []string{fmt.Sprintf("the platform's record of its instances is missing: %v", err)}
	}
	return nil
}

// readings store what the functions' processes used where the platform tells
// it, and say so in a warning where it should have and could not.
func (st *stage) readings(writer *rundir.Writer) (warnings []string) {
	g, ok := st.platform.(platform.Gauge)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), clearUpLimit)
	defer cancel()
	readings, err := g.Readings(ctx)
	if err == nil {
		err = writer.Readings(readings)
	}
	if err != nil {
		return []string{fmt.Sprintf("what the servers used is missing: %v", err)}
	}
	return nil
}

// buildFunction makes a function of the scenario deployable. On a platform that
// runs what is already there nothing is built.
func buildFunction(ctx context.Context, w *World, s *scenarios.Scenario, f *scenarios.Function, cache string) (platform.Function, error) {
	pf := platform.Function{
		Name: f.Name, Runtime: f.Runtime, Code: f.Code, Image: f.Image, Handler: f.Handler,
		Memory: f.Memory, Timeout: f.Timeout, Env: f.Env, Reserved: f.Reserved,
		Storage: f.Storage, Sandbox: f.Sandbox, Start: f.Start, Existing: f.Existing,
	}
	if s.Platform.Name == "openwhisk" && !f.MemoryGiven {
		pf.Memory = 0 // OpenWhisk's own: it gives less than the scenario's default
	}
	if s.Platform.Name == "http" || f.Existing != "" {
		return pf, nil
	}
	var err error
	if f.Fixture != "" {
		var built fixtures.Built
		built, err = build(ctx, w, fixtures.Spec{Name: f.Fixture, Runtime: f.Runtime, PackageSize: f.PackageSize, Server: s.Platform.Name == "server", Cache: cache})
		pf.Code, pf.Handler = built.Code, built.Handler
	} else if f.Runtime == platform.NodeJS || f.Runtime == platform.Python {
		_, err = fixtures.Find(ctx, f.Runtime)
	}
	if err != nil {
		return pf, fmt.Errorf("function %s: %w", f.Name, err)
	}
	return pf, nil
}

// slowBuild is how long a build may take without a word.
const slowBuild = 2 * time.Second

// build makes a fixture, and says so when it takes its time.
func build(ctx context.Context, w *World, spec fixtures.Spec) (fixtures.Built, error) {
	stderr := &talk{w: w.Stderr}
	spec.Log = stderr
	defer stderr.end(stderr.notice(fmt.Sprintf("building %s (%s) ...", spec.Name, spec.Runtime)))
	return fixtures.Build(ctx, spec)
}

// talk is stderr for several goroutines, a line a call, until end.
type talk struct {
	mu    sync.Mutex
	w     io.Writer
	ended bool
}

func (t *talk) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		if _, err := fmt.Fprintf(t.w, "coldcurve: %s", line); err != nil {
			return 0, err
		}
	}
	return len(line), nil
}

// notice says text when slowBuild has gone by.
func (t *talk) notice(text string) *time.Timer {
	return time.AfterFunc(slowBuild, func() { fmt.Fprintln(t, text) })
}

// end stops the notice, also one that is about to be written.
func (t *talk) end(notice *time.Timer) {
	notice.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// advised adds what the reader can do about a function that cannot be built or
// run here.
func advised(err error) error {
	if missing, ok := errors.AsType[*fixtures.MissingError](err); ok {
		return hinted(err, missing.Hint())
	}
	if errors.Is(err, fixtures.ErrNoCache) {
		return hinted(err, "say where built functions are to be kept: --cache DIR")
	}
	return err
}
