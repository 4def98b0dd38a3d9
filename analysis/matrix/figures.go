package matrix

import (
	"slices"

	"github.com/coldcurve/coldcurve/analysis/digest"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// made is a run that was made, read.
type made struct {
	number  int
	dir     *rundir.Dir
	builder *summary.Builder
	summary summary.Run
}

func read(number int, dir *rundir.Dir) (*made, error) {
	builder, err := digest.Read(dir)
	if err != nil {
		return nil, err
	}
	return &made{number: number, dir: dir, builder: builder, summary: builder.Run()}, nil
}

// usable are the runs that figures may be made of; all of them where that is
// none, so that what was measured is seen, with its mark.
func usable(runs []*made) []*made {
	sound := slices.DeleteFunc(slices.Clone(runs), func(r *made) bool { return r.summary.Condemned })
	if len(sound) == 0 {
		return runs
	}
	return sound
}

func pool(runs []*made) *summary.Kept {
	var builders []*summary.Builder
	for _, r := range runs {
		builders = append(builders, r.builder)
	}
	return summary.Pooled(builders...)
}

// figures makes a platform's figures of its runs so far.
func (m *Matrix) figures(p *Platform) {
	runs := usable(m.made[p.Name])
	*p = Platform{Name: p.Name, Failure: p.Failure, Hint: p.Hint, Runs: len(runs), Rows: []Row{}, Phases: []Row{}, Doubts: []summary.Warning{}}
	if len(runs) == 0 {
		return
	}
	manifest := &runs[0].dir.Manifest
	p.Version, p.Facts, p.EmulatedStarts = manifest.Platform.Version, manifest.Platform.Facts, manifest.EmulatedStarts
	if runs[0].summary.Condemned {
		p.Invalid = runs[0].summary.Invalid
	}
	for _, r := range runs {
		s := &r.summary
		p.Sent, p.Errors, p.Cold, p.Known = p.Sent+s.Sent, p.Errors+s.Errors, p.Cold+s.Cold, p.Known+s.Known
		p.Causes = append(p.Causes, s.Causes...)
		for _, w := range s.Warnings {
			if w.Code != summary.NoteSoFar && !slices.Contains(p.Doubts, w) {
				p.Doubts = append(p.Doubts, w)
			}
		}
	}
	p.Doubts = append(p.Doubts, lastWord(m.made[p.Name])...)
	if p.Known > 0 {
		p.ColdShare = new(float64(p.Cold) / float64(p.Known))
	}
	all := pool(runs)
	p.Expect = gate.Expect(all, manifest.Expect)
	p.Rows = rows(runs, all, manifest, "")
	if counted := phases(manifest); len(counted) > 1 {
		for _, phase := range counted {
			p.Phases = append(p.Phases, rows(runs, all, manifest, phase)...)
		}
	}
}

// lastWord is what a platform says of all of its runs so far, by the last run that
// has it: the runs before have a part of it each.
func lastWord(runs []*made) (said []summary.Warning) {
	for _, r := range slices.Backward(runs) {
		for _, w := range r.summary.Warnings {
			if w.Code == summary.NoteSoFar {
				said = append(said, w)
			}
		}
		if len(said) > 0 {
			break
		}
	}
	return said
}

// phases are those that figures are of.
func phases(m *rundir.Manifest) []string {
	var names []string
	for _, p := range m.Phases {
		if !p.Warmup {
			names = append(names, p.Name)
		}
	}
	return names
}

// rows are the start kinds that occurred, by function; a phase of "" is all.
func rows(runs []*made, all *summary.Kept, m *rundir.Manifest, phase string) []Row {
	out := []Row{}
	for _, function := range m.Functions {
		for _, start := range sample.StartOrder() {
			of := summary.Selection{Phase: phase, Function: function, Start: start.String()}
			pooled := all.Select(of)
			if pooled.N == 0 {
				continue
			}
			row := Row{Group: pooled.Group}
			row.Tier = m.Tiers[function]
			for _, r := range runs {
				row.Medians = append(row.Medians, r.builder.Select(of).Latency.P50)
			}
			out = append(out, row)
		}
	}
	return out
}
