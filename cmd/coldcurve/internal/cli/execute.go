package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// clearUpLimit bounds what is done after a run, interrupted or not.
const clearUpLimit = 30 * time.Second

// removalLimit bounds the removal of all functions together. It is longer than an
// adapter waits for an answer, so that who did not answer is told in its words.
const removalLimit = 45 * time.Second

// execute drives one scenario and leaves its run directory.
func execute(ctx context.Context, w *World, s *scenarios.Scenario, c *runCmd) (*summary.Run, error) {
	schedule, err := s.Schedule()
	if err != nil {
		return nil, err
	}
	return carryOut(ctx, w, &plan{s, schedule}, c)
}

// carryOut drives a plan and leaves its run directory. The run is given beside
// an error too, as far as it came: nothing measured is lost.
func carryOut(ctx context.Context, w *World, s *plan, c *runCmd) (*summary.Run, error) {
	progress := newProgress(w, s.Name)
	dir, err := measure(ctx, w, s, c, rundir.DefaultDir(c.Out, s.Name, w.Now()), progress.show)
	progress.end()
	if dir == nil {
		return nil, err
	}
	run, presentErr := present(w, dir, c.pricing, c.JSON)
	return run, errors.Join(err, presentErr)
}

// measure drives a plan into a run directory, and shows nothing of it but how
// it is getting on. The directory is given beside an error too.
func measure(ctx context.Context, w *World, s *plan, c *runCmd, path string, show func(drive.Progress)) (*rundir.Dir, error) {
	stage, err := setUp(ctx, w, s.Scenario, c)
	if err != nil {
		return nil, err
	}
	defer stage.strike()
	if s, err = s.without(stage.cast, w.Stderr); err != nil {
		return nil, err
	}
	return stage.perform(ctx, w, s, c, path, show, stage.strike)
}

// perform drives a plan at the functions that are on the stage. What is last is
// done before the directory is finished, which says if that failed.
func (st *stage) perform(ctx context.Context, w *World, s *plan, c *runCmd, path string, show func(drive.Progress), last func() error) (*rundir.Dir, error) {
	manifest := manifestOf(s, st.description, w.Now(), &c.overrideFlags)
	writer, err := rundir.Create(path, manifest, s.Text)
	if err != nil {
		return nil, err
	}
	monotonic := clock.New()
	begun := monotonic.Now()
	outcome, driveErr := drive.Run(ctx, drive.Plan{
		Schedule:    s.schedule,
		Deployments: st.deployments,
		Payloads:    payloads(s.Scenario),
		InFlight:    s.InFlight,
		Clock:       monotonic,
	}, writer, show)

	evicted, evictErr := evictions(&outcome)
	manifest.Warnings = append(manifest.Warnings, evicted...)
	manifest.Warnings = append(manifest.Warnings, st.history(writer, begun)...)
	manifest.Warnings = append(manifest.Warnings, st.readings(writer)...)
	manifest.Warnings = append(manifest.Warnings, st.logs(writer)...)
	manifest.SoFar = st.afterthoughts()
	manifest.Warnings = append(manifest.Warnings, st.usage(writer)...)
	struck := last()
	failed := errors.Join(evictErr, struck)
	err = errors.Join(driveErr, failed, writer.Finish(func(m *rundir.Manifest) {
		m.Platform, m.Warnings, m.SoFar = st.description, manifest.Warnings, manifest.SoFar
		m.MonotonicOrigin = outcome.MonotonicOrigin
		m.Ended = w.Now()
		m.Interrupted = outcome.Interrupted
		m.Complete = driveErr == nil && !outcome.Interrupted
		if failed != nil {
			m.Failure = inWords(failed, outcome.Causes)
		}
		m.Generator = outcome.Generator
		for _, c := range outcome.Causes {
			m.Causes = append(m.Causes, rundir.Cause{Function: c.Function, Kind: c.Kind, N: c.N, Message: c.Text, Hint: c.Hint})
		}
	}))
	dir, openErr := rundir.Open(writer.Dir())
	return dir, errors.Join(err, openErr)
}

// evictions are what a reader must know of those that the scenario wanted. It
// is an error if none came about: the run has measured something else.
func evictions(o *drive.Outcome) (warnings []string, err error) {
	e := &o.Evictions
	if e.Failed > 0 {
		warnings = append(warnings, fmt.Sprintf("%d of %d evictions failed, so that starts after them may be warm: %s",
			e.Failed, e.Failed+e.Done, inWords(e.Err, o.Causes)))
		if e.Done == 0 {
			err = e.Err
		}
	}
	if e.Late > 0 {
		warnings = append(warnings, fmt.Sprintf("%s came while the eviction ahead of it was under way: --time-scale 3 gives each more time",
			count(e.Late, "request")))
	}
	return warnings, err
}

// inWords is an error on a line, with what the reader can do about it where no
// cause of failed requests says the same.
func inWords(err error, causes []drive.Cause) string {
	words, hint := drive.OneLine(err.Error()), drive.OneLine(platform.HintOf(err))
	if hint == "" || slices.ContainsFunc(causes, func(c drive.Cause) bool { return c.Hint == hint }) {
		return words
	}
	return words + "; " + hint
}

func manifestOf(s *plan, d platform.Description, now time.Time, f *overrideFlags) rundir.Manifest {
	m := rundir.Manifest{
		Schema:      rundir.Schema,
		Version:     buildVersion(),
		Scenario:    s.Name,
		Source:      s.Source,
		Description: s.Description,
		Seed:        s.Seed,
		Scale:       f.Scale,
		TimeScale:   f.TimeScale,
		Flags:       f.given(),
		Platform:    d,
		Offered:     uint64(len(s.schedule.Times)),
		InFlight:    rundir.InFlight(s.InFlight),
		Started:     now,
		Host:        rundir.HostFacts(),
		Warnings:    append([]string{}, s.Notes...),

		EmulatedStarts: len(s.Platform.StartDelay) > 0,
	}
	if s.Platform.Name == "server" {
		m.Capacity = &rundir.Capacity{VCPUs: s.Platform.Workers, Target: s.Platform.Target}
	}
	for i, p := range s.Phases {
		span := s.schedule.Phases[i]
		m.Phases = append(m.Phases, rundir.Phase{
			Name: p.Name, Start: span.Start, End: span.End, Warmup: p.Warmup, Offered: span.Offered, Gap: shortestGap(p),
		})
	}
	for _, f := range s.Functions {
		m.Functions = append(m.Functions, f.Name)
	}
	m.Tiers = tiersOf(s.Functions)
	m.Expect = s.Expect
	return m
}

// shortestGap is the idle probe's gap in a phase, 0 where it has none.
func shortestGap(p scenarios.Phase) time.Duration {
	var shortest time.Duration
	for _, a := range p.Arrivals {
		if a.Gap > 0 && (shortest == 0 || a.Gap < shortest) {
			shortest = a.Gap
		}
	}
	return shortest
}

func payloads(s *scenarios.Scenario) map[string]platform.Request {
	requests := make(map[string]platform.Request, len(s.Functions))
	for _, f := range s.Functions {
		requests[f.Name] = platform.Request{Payload: f.Payload.Data}
	}
	return requests
}

// tiersOf says by function how its instances are isolated and started; nil
// where it is the same for all.
func tiersOf(functions []scenarios.Function) map[string]string {
	tiers, first, several := make(map[string]string), "", false
	for i, f := range functions {
		tier := f.Sandbox
		switch {
		case f.Start == "" || f.Start == "plain":
		case f.Sandbox == "process": // the usual one
			tier = f.Start
		default:
			tier += ", " + f.Start
		}
		if i == 0 {
			first = tier
		}
		tiers[f.Name], several = tier, several || tier != first
	}
	if !several {
		return nil
	}
	return tiers
}
