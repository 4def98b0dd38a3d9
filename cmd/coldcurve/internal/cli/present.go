package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/digest"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/text"
)

// unsavedError tells of a run that was shown and whose summary, charts or page
// could not be stored.
type unsavedError struct{ err error }

func (e *unsavedError) Error() string { return "the report was not stored: " + e.err.Error() }
func (e *unsavedError) Unwrap() error { return e.err }

// present reads a run directory, prints the tables unless quiet, and puts the
// summary, charts and page into it; where only that fails, the error is an
// [*unsavedError]. A run that has just ended and one that was killed last week
// go the same way.
func present(w *World, dir *rundir.Dir, given pricing, quiet bool) (*summary.Run, error) {
	run, data, err := reportData(dir, given)
	if err != nil {
		return nil, err
	}
	report := &reports.Report{
		Document: summary.Document{Schema: summary.Schema, Runs: []summary.Run{*run}},
		Runs:     []reports.Run{*data},
	}
	if !quiet {
		if err := text.Write(w.Stdout, report, text.For(w.Terminal.Out, w.Terminal.Width, w.Env)); err != nil {
			return run, err
		}
	}
	if err := render(dir, report); err != nil {
		return run, &unsavedError{err}
	}
	if quiet {
		return run, nil
	}
	_, err = fmt.Fprintf(w.Stdout, "\nReport: %s\n", filepath.Join(dir.Path, "report.html"))
	return run, err
}

// reportData makes the summary and the pictures' data of a directory, in one pass
// over its samples.
func reportData(dir *rundir.Dir, given pricing) (*summary.Run, *reports.Run, error) {
	m := &dir.Manifest
	collector := reports.NewCollector(digest.Phases(m))
	priced, err := newMeasured(dir, coarse())
	if err != nil {
		return nil, nil, err
	}
	builder, err := digest.Read(dir, collector.Add, priced.add)
	if err != nil {
		return nil, nil, err
	}
	run := builder.Run()
	run.Expect = gate.Expect(builder, m.Expect)

	capacities, err := capacities(dir, builder)
	if err != nil {
		return nil, nil, err
	}
	run.Capacity = capacities
	if run.Cost, err = priced.month(&run, builder.Select(summary.Selection{}).Latency.P99, given); err != nil {
		return nil, nil, err
	}
	if len(priced.account.Entries) > 0 {
		run.Usage = &priced.account
	}
	instances, err := dir.Instances()
	if err != nil {
		return nil, nil, err
	}
	addLives(collector, m, instances)
	data := &reports.Run{
		Description: m.Description, Started: m.Started, Version: m.Version,
		Environment: environment(m), Method: method(m),
	}
	collector.Collect(data)
	return &run, data, nil
}

// capacities are those of a run's servers, nil on other platforms.
func capacities(dir *rundir.Dir, builder *summary.Builder) ([]capacity.Capacity, error) {
	m := &dir.Manifest
	if m.Capacity == nil {
		return nil, nil
	}
	readings, err := dir.Readings()
	if err != nil {
		return nil, err
	}
	var list []capacity.Capacity
	for _, f := range m.Functions {
		in := capacity.Input{Function: f, VCPUs: m.Capacity.VCPUs, Target: m.Capacity.Target, Origin: m.MonotonicOrigin, Readings: readings}
		for _, p := range m.Phases {
			if p.Warmup {
				continue
			}
			pool := builder.Select(summary.Selection{Phase: p.Name, Function: f})
			in.Steps = append(in.Steps, capacity.Step{
				Phase: p.Name, Start: p.Start, End: p.End, Sent: pool.N, Errors: pool.Errors,
				Refused: pool.ErrorKinds[sample.Throttled.String()], P99: pool.Latency.P99, Limited: pool.LimitedAt("p99"),
			})
		}
		list = append(list, capacity.Of(in))
	}
	return list, nil
}

// addLives turns instances' lives into offsets. Without a common clock, or
// without an origin (the run was killed), they cannot be placed.
func addLives(c *reports.Collector, m *rundir.Manifest, instances []platform.InstanceRecord) {
	if !m.Platform.Clock || m.MonotonicOrigin == 0 {
		return
	}
	for _, i := range instances {
		if i.Gone > 0 && i.Gone <= m.MonotonicOrigin {
			continue // of a run before, on the same platform
		}
		gone := time.Duration(0)
		if i.Gone > 0 {
			gone = time.Duration(i.Gone - m.MonotonicOrigin)
		}
		c.Instance(time.Duration(i.Started-m.MonotonicOrigin), gone)
	}
}

// render writes everything that is derived from the samples.
func render(dir *rundir.Dir, report *reports.Report) error {
	if err := dir.WriteSummary(report.Document); err != nil {
		return err
	}
	charts := chart.All(&report.Document.Runs[0], &report.Runs[0])
	if _, err := chart.WriteDir(filepath.Join(dir.Path, "charts"), charts); err != nil {
		return err
	}
	report.Runs[0].Files = files(dir.Path)
	page, err := os.Create(filepath.Join(dir.Path, "report.html"))
	if err != nil {
		return err
	}
	defer page.Close()
	if err := html.Write(page, report); err != nil {
		return err
	}
	return page.Close()
}

// files lists what a reader may want to open, charts aside: they are in the page.
func files(dir string) []reports.File {
	var list []reports.File
	for _, f := range []reports.File{
		{Path: "summary.json", Holds: "every figure, with intervals and warnings"},
		{Path: "samples.jsonl.zst", Holds: "every request"},
		{Path: "latency.hlog", Holds: "HdrHistogram log, an interval a second, tagged by start kind"},
		{Path: "latency.hgrm", Holds: "percentile distribution of all successes"},
		{Path: "instances.jsonl", Holds: "the life of every instance"},
		{Path: "readings.jsonl", Holds: "CPU time and memory that the servers used, ten times a second"},
		{Path: "logs", Holds: "the end of what each function has printed"},
		{Path: "manifest.json", Holds: "scenario, seed, flags, versions, machine, load generator"},
		{Path: "scenario.yaml", Holds: "the scenario's file; flags are in manifest.json"},
	} {
		if _, err := os.Stat(filepath.Join(dir, f.Path)); err == nil {
			list = append(list, f)
		}
	}
	return list
}

func environment(m *rundir.Manifest) []reports.Fact {
	h := m.Host
	facts := []reports.Fact{
		{Name: "CPU", Value: fmt.Sprintf("%s, %s", h.CPU, count(uint64(h.Cores), "core"))},
		{Name: "memory", Value: units.FormatBytes(units.Bytes(h.MemoryBytes))},
		{Name: "system", Value: strings.TrimSpace(fmt.Sprintf("%s/%s %s", h.OS, h.Arch, h.Kernel))},
		{Name: "frequency governor", Value: h.Governor},
		{Name: "hypervisor", Value: h.Virtual},
		{Name: "container limits", Value: h.Container},
		{Name: "Go", Value: h.Go},
	}
	g := m.Generator
	if m.Complete {
		facts = append(facts,
			reports.Fact{Name: "CPU stolen by the hypervisor", Value: units.FormatDuration(g.Steal)},
			reports.Fact{Name: "load generator's priority", Value: priority(g.Realtime)},
			reports.Fact{Name: "load generator's CPU time", Value: generatorCPU(m)},
			reports.Fact{Name: "arrivals due and not yet sent", Value: "at most " + units.FormatCount(g.PeakBacklog)},
			reports.Fact{Name: "arrivals held at the in-flight cap", Value: units.FormatCount(g.Held)},
			reports.Fact{Name: "load generator's GC pauses", Value: fmt.Sprintf("%s, longest %s", units.FormatCount(int64(g.GCPauses)), units.FormatDuration(g.GCPauseMax))},
			reports.Fact{Name: "load generator held back by its cgroup", Value: units.FormatDuration(g.Throttled)},
		)
	}
	return known(facts)
}

func priority(realtime bool) string {
	if realtime {
		return "real-time"
	}
	return "that of other processes"
}

func generatorCPU(m *rundir.Manifest) string {
	value := units.FormatDuration(m.Generator.CPU)
	if share := m.Generator.CPUShare(m.Host.Cores); share > 0 {
		value += fmt.Sprintf(", %s of the machine", units.FormatShare(share))
	}
	return value
}

func method(m *rundir.Manifest) []reports.Fact {
	facts := []reports.Fact{
		{Name: "scenario", Value: fmt.Sprintf("%s (%s), seed %d", m.Scenario, m.Source, m.Seed)},
		{Name: "platform", Value: strings.TrimSpace(m.Platform.Name + " " + m.Platform.Version)},
		{Name: "functions", Value: strings.Join(m.Functions, ", ")},
		{Name: "arrivals", Value: units.FormatCount(int64(m.Offered)) + " in the schedule, open loop"},
		{Name: "in-flight cap", Value: fmt.Sprintf("%s requests, then %s", units.FormatCount(int64(m.InFlight.Max)), m.InFlight.When)},
	}
	var flags []string
	for _, name := range slices.Sorted(maps.Keys(m.Flags)) {
		flags = append(flags, "--"+name+" "+m.Flags[name])
	}
	facts = append(facts, reports.Fact{Name: "flags", Value: strings.Join(flags, ", ")})
	for _, name := range slices.Sorted(maps.Keys(m.Platform.Facts)) {
		facts = append(facts, reports.Fact{Name: name, Value: m.Platform.Facts[name]})
	}
	return known(facts)
}

// known leaves out the facts that this machine does not tell.
func known(facts []reports.Fact) []reports.Fact {
	var list []reports.Fact
	for _, f := range facts {
		if f.Value != "" {
			list = append(list, f)
		}
	}
	return list
}
