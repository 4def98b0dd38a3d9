// Package digest owns the way from a run directory to figures.
//
// In: a run directory, of a run that ended well, badly or not at all. Out: a
// summary.Builder that has seen all its samples, in one pass over them, which
// others may watch; and of each cold start what made it necessary, where the
// platform's record of its instances tells. It computes no figure and writes
// nothing.
//
//	digest.go    samples -> builder
//	occasion.go  instances' lives -> the occasions of cold starts
package digest

import (
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Read adds up the samples of a run directory; each sample is shown to the
// watchers, too, and is theirs until they return.
func Read(dir *rundir.Dir, watchers ...func(*sample.Sample)) (*summary.Builder, error) {
	b := summary.New(input(dir))
	instances, err := dir.Instances()
	if err != nil {
		return nil, err
	}
	starts := newStarts(&dir.Manifest, instances)
	for s, err := range dir.Samples() {
		if err != nil {
			return nil, err
		}
		b.Add(s)
		starts.add(s)
		for _, watch := range watchers {
			watch(s)
		}
	}
	starts.settle(b.AddOccasion)
	if dir.Truncated() {
		b.Note("the samples end in the middle of one, as a process leaves them that was killed while it wrote")
	}
	return b, nil
}

func input(dir *rundir.Dir) summary.Input {
	m := &dir.Manifest
	in := summary.Input{
		Scenario: m.Scenario, Platform: m.Platform.Name, Dir: dir.Path, Seed: m.Seed,
		Phases: Phases(m), Tiers: m.Tiers, Complete: m.Complete, Interrupted: m.Interrupted, Failure: m.Failure,
		EmulatedStarts: m.EmulatedStarts,
		Notes:          append(append([]string{}, m.Platform.Notes...), m.Warnings...),
		SoFar:          m.SoFar,
		Backlog:        m.Generator.Backlog, Held: m.Generator.Held, PeakBacklog: m.Generator.PeakBacklog,
		GeneratorCPU: m.Generator.CPUShare(m.Host.Cores),
	}
	if m.InFlight.When == "wait" {
		in.WaitAt = m.InFlight.Max
	}
	for _, c := range m.Causes {
		in.Causes = append(in.Causes, summary.Cause{Function: c.Function, Kind: c.Kind.String(), N: c.N, Message: c.Message, Hint: c.Hint})
	}
	return in
}

// Phases are the places of a run's phases in its schedule.
func Phases(m *rundir.Manifest) []summary.PhaseSpan {
	var spans []summary.PhaseSpan
	for _, p := range m.Phases {
		spans = append(spans, summary.PhaseSpan{Name: p.Name, Start: p.Start, End: p.End, Warmup: p.Warmup, Offered: p.Offered, Gap: p.Gap})
	}
	return spans
}
