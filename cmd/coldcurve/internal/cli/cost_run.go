package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	metered "github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

// measured is what runs of one scenario tell of their functions' work.
type measured struct {
	cost.Recorder
	dir     *rundir.Dir     // of the first run
	account metered.Account // of that run, by the platform
	warmup  map[string]bool
}

// newMeasured has read no samples yet.
func newMeasured(dir *rundir.Dir, r cost.Recorder) (*measured, error) {
	account, err := dir.Usage()
	if err != nil {
		return nil, err
	}
	return &measured{Recorder: r, dir: dir, account: account, warmup: warmups(&dir.Manifest)}, nil
}

// openMeasured reads all of a run.
func openMeasured(path string) (*measured, error) {
	dir, err := rundir.Open(path)
	if err != nil {
		return nil, &failure{code: exitUsage, err: err}
	}
	m, err := newMeasured(dir, cost.Recorder{})
	if err != nil {
		return nil, err
	}
	return m, m.read(dir)
}

// read adds a run's samples.
func (m *measured) read(dir *rundir.Dir) error {
	for s, err := range dir.Samples() {
		if err != nil {
			return err
		}
		m.add(s)
	}
	return nil
}

func (m *measured) add(s *sample.Sample) {
	if !m.warmup[s.Phase] {
		m.Add(s)
	}
}

// warmups are the phases that no figure is of.
func warmups(m *rundir.Manifest) map[string]bool {
	phases := make(map[string]bool)
	for _, p := range m.Phases {
		phases[p.Name] = p.Warmup
	}
	return phases
}

// notes are what is in doubt of what was read, and what is not in it.
func (m *measured) notes() []string {
	var notes []string
	if n := m.Skipped(); n > 0 {
		notes = append(notes, fmt.Sprintf("%s never had a function run, and cost nothing.", count(n, "request")))
	}
	if n := m.Guessed(); n > 0 {
		notes = append(notes, fmt.Sprintf("Of %s the platform does not say how long it ran: the caller's wait stands for it, which is longer.", count(n, "request")))
	}
	if m.dir.Truncated() || !m.dir.Manifest.Complete {
		notes = append(notes, "The run is not complete.")
	}
	return notes
}

// standby puts into works what the platform kept ready beside the requests, for
// so long, and tells what samples know nothing of.
func (m *measured) standby(works []cost.Work, length time.Duration) (notes []string) {
	for i := range works { // of what the scenario has not deployed
		if told, there := m.dir.Manifest.Platform.Facts[platform.MemoryFact(works[i].Name)]; there && told == "" {
			notes = append(notes, fmt.Sprintf("%s was there already, and nothing told how much memory it has: %s is billed, coldcurve cost RUN --memory bills another.", works[i].Name, works[i].Memory))
		}
	}
	if pings := m.account.Pings(); pings.Requests > 0 {
		notes = append(notes, fmt.Sprintf("Not in it: %s of the platform, %.3g GB-seconds, warm-up included.",
			count(pings.Requests, "keep-warm ping"), float64(pings.MemoryTime)/1024/1000))
	}
	// By what the platform says of itself: a number, or that it changes.
	if n, err := strconv.ParseUint(m.dir.Manifest.Platform.Facts["provisioned"], 10, 64); err == nil && n > 0 {
		m.Ready(works, n, length)
		return append(notes, fmt.Sprintf("In it: %s of each function kept ready for %s, in use or not.", count(n, "instance"), units.FormatDuration(length)))
	}
	if n := m.Ahead(); n > 0 {
		notes = append(notes, fmt.Sprintf("Not in it: instances that were kept ready, for their number changed or is not known; %s on one had the price of "+
			"any other. coldcurve cost --requests N --provisioned N prices both.", count(n, "request")))
	}
	return notes
}

// memory is that of the run's functions: what is given (0 is nothing), what the
// platform told or metered, or what the scenario asked for.
func (m *measured) memory(given units.Bytes) func(function string) units.Bytes {
	known := make(map[string]units.Bytes)
	if s, err := scenarios.Load(filepath.Join(m.dir.Path, "scenario.yaml"), scenarios.Overrides{}); err == nil {
		for _, f := range s.Functions {
			known[f.Name] = f.Memory
		}
	}
	for _, e := range m.account.Entries {
		if memory := cost.MemoryOf(&e.Usage); memory > 0 {
			known[e.Key.Function] = memory
		}
	}
	return func(function string) units.Bytes {
		own, err := units.ParseBytes(m.dir.Manifest.Platform.Facts[platform.MemoryFact(function)])
		if err != nil {
			own = 0 // it was not there already, or nobody tells
		}
		return cmp.Or(given, own, known[function])
	}
}

// works are the functions' works, with so much memory as is given (0 is nothing).
func (m *measured) works(given units.Bytes) ([]cost.Work, error) {
	works, err := m.Works(m.memory(given))
	if err != nil {
		return nil, &failure{code: exitUsage, err: fmt.Errorf("%s: %w", m.dir.Path, err), hint: "say how much memory an instance has: --memory 512MB"}
	}
	return works, nil
}
