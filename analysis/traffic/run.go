package traffic

import (
	"context"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// openRun reads a run's requests at their intended times, also those that were
// dropped or failed: they came. Memory is told by the run's usage.
func openRun(ctx context.Context, path string) (Source, error) {
	dir, err := rundir.Open(path)
	if err != nil {
		return nil, err
	}
	memory, err := memoryOf(dir)
	if err != nil {
		return nil, err
	}
	sort := newSorter()
	ids := make(map[string]uint32)
	var names []string
	n, untold := 0, 0
	for s, err := range dir.Samples() {
		if n++; err == nil && n%checkEvery == 0 {
			err = ctx.Err()
		}
		if err != nil {
			sort.remove()
			return nil, err
		}
		id, known := ids[s.Function]
		if !known {
			id = uint32(len(names))
			ids[s.Function] = id
			names = append(names, s.Function)
		}
		service, told := s.Worked()
		if !told {
			service = Unknown
			untold++
		}
		if err := sort.add(record{id, int64(s.Intended), int64(service)}); err != nil {
			sort.remove()
			return nil, err
		}
	}
	if n == 0 {
		return nil, fmt.Errorf("traffic of run %s: it has no samples", path)
	}
	about := About{Format: "run directory"}
	if untold > 0 {
		about.Notes = append(about.Notes, fmt.Sprintf("of %d of %d requests it was not measured how long an instance worked: that is drawn from the others", untold, n))
	}
	if dir.Truncated() || !dir.Manifest.Complete {
		about.Notes = append(about.Notes, "the run is not complete: its traffic ends where it does")
	}
	return sort.source(ctx, about, sorted{
		keys: names, timed: true, keep: true,
		finish: func(f *Function) { f.Memory = memory[f.Name] },
	})
}

// memoryOf is the memory of a run's functions, where its usage tells.
func memoryOf(dir *rundir.Dir) (map[string]units.Bytes, error) {
	account, err := dir.Usage()
	if err != nil {
		return nil, err
	}
	memory := make(map[string]units.Bytes)
	for _, e := range account.Entries {
		if ms := e.Usage.Billed.Milliseconds(); ms > 0 {
			memory[e.Key.Function] = units.Bytes(e.Usage.MemoryTime/ms) * units.MB
		}
	}
	return memory, nil
}
