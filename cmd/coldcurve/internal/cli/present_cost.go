package cli

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// pricing are what a report's cost rests on beside the run.
type pricing struct {
	priceBook `embed:""`
	CPUTime   duration `name:"cpu-time" help:"CPU time of a request, such as 20ms: prices the run's traffic on machines, too. A run on platform server measures it."`
}

// monthStep is fine enough for every product of the report's cost, and keeps
// little of a long run.
const monthStep = 100 * time.Microsecond

// coarse is what collects for a report's cost.
func coarse() cost.Recorder { return cost.Recorder{Step: monthStep, Anonymous: true} }

// span is how long a run lasted, warm-up left out.
func span(m *rundir.Manifest) (d time.Duration) {
	for _, p := range m.Phases {
		if !p.Warmup {
			d += p.End - p.Start
		}
	}
	return d
}

// month is what the run's traffic costs all month; nil where the run does not
// tell, or must not be used.
func (m *measured) month(run *summary.Run, p99 *int64, given pricing) (*summary.Cost, error) {
	if run.Condemned || run.NoSuccess() {
		return nil, nil
	}
	return m.price(span(&m.dir.Manifest), run.Capacity, p99, given)
}

// monthOf is what a platform's traffic of several runs costs all month; nil
// where they do not tell.
func monthOf(dirs []*rundir.Dir, p99 *int64, given pricing) (*summary.Cost, error) {
	all, err := newMeasured(dirs[0], coarse())
	if err != nil {
		return nil, err
	}
	var over time.Duration
	for _, dir := range dirs {
		if err := all.read(dir); err != nil {
			return nil, err
		}
		over += span(&dir.Manifest)
	}
	return all.price(over, nil, p99, given)
}

// price prices what was collected over so long a time on the platform of the run.
func (m *measured) price(over time.Duration, capacities []capacity.Capacity, p99 *int64, given pricing) (*summary.Cost, error) {
	works, err := m.Works(m.memory(0))
	if err != nil {
		return nil, nil // nobody says what was there to bill
	}
	notes := m.standby(works, cost.Month)
	book, on, err := given.open()
	if err != nil {
		return nil, err
	}
	in := study.Measurement{Book: book, On: on, Span: over, Works: works, Told: m.Told(), Arch: m.dir.Manifest.Host.Arch}
	if p99 != nil {
		in.Target, in.TargetBasis = time.Duration(*p99), "the run's own"
	}
	for _, c := range capacities {
		if c.CPUPerRequest == nil {
			continue
		}
		if in.CPU == nil {
			in.CPU, in.Basis = make(map[string]time.Duration), "as platform server measured it here"
		}
		in.CPU[c.Function] = time.Duration(*c.CPUPerRequest)
		in.Resident += units.Bytes(c.Memory)
		if c.Target > 0 {
			in.Target, in.TargetBasis = time.Duration(c.Target), "the scenario's target"
		}
	}
	if given.CPUTime.value != nil {
		in.CPU, in.Basis = map[string]time.Duration{"": *given.CPUTime.value}, "as given"
	}
	c, err := in.Month()
	if c != nil {
		c.Notes = append(c.Notes, notes...)
	}
	return c, err
}
