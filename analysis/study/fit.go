package study

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stream"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

// Fit is what a measured run says of how a platform serves: by function, how
// long instances work and start, and how long they are kept.
type Fit struct {
	Run       string
	Scenario  string // that the run measured
	Functions map[string]*Fitted
	KeepAlive time.Duration // 0: the run does not tell
	Stated    time.Duration // that its platform says of itself; 0: it does not
	Kept      int           // idle spells to their end that tell KeepAlive
	KeptBy    string        // who says KeepAlive, in words; that nobody does
	Warmup    time.Duration // of the scenario's leading warm-up phases
	Measured  []Measured    // all functions together, then each

	due map[string][]time.Duration // when requests of each function were to be sent, ascending
}

// Fitted is one function's.
type Fitted struct {
	Service     dist.Distribution // of warm requests
	ColdService dist.Distribution // of cold ones; nil where there are too few
	StartDelay  dist.Distribution // nil where nothing was started
	StartBeside dist.Distribution // of starts that began while another went on; nil where too few did, or too few did not
	Record      *dist.Record      // of its requests, which these are drawn along

	warm, cold, start []dist.Observed
	starts            []startSpan
}

// Measured is what came out of the run for one function, as a prediction says it.
type Measured struct {
	Function string        `json:"function"` // "" for all together
	Requests uint64        `json:"requests"` // outside warm-up phases
	Cold     uint64        `json:"cold"`
	P50      time.Duration `json:"p50_ns"` // of latency
	P99      time.Duration `json:"p99_ns"`
	N        uint64        `json:"n"` // answers that they are of
}

// served is a request that an instance has answered.
type served struct{ sent, done time.Duration }

// leastCold is how many cold requests make a distribution of their own.
const leastCold = 10

// FitRun reads a run directory. Service is the handler's time where the
// platform gives it; the start delay is what a cold request waited before that.
func FitRun(path string) (*Fit, error) {
	dir, err := rundir.Open(path)
	if err != nil {
		return nil, err
	}
	f := &Fit{Run: path, Scenario: dir.Manifest.Scenario, Functions: make(map[string]*Fitted), due: make(map[string][]time.Duration)}
	warmup := make(map[string]bool)
	leading := true
	for _, p := range dir.Manifest.Phases {
		warmup[p.Name] = p.Warmup
		if leading = leading && p.Warmup; leading {
			f.Warmup = p.End
		}
	}
	latency, last := make(map[string]*hist.Histogram), make(map[string]served) // by function, by instance
	measured := make(map[string]*Measured)
	for s, err := range dir.Samples() {
		if err != nil {
			return nil, err
		}
		if measured[s.Function] == nil {
			f.Functions[s.Function] = &Fitted{}
			measured[s.Function], latency[s.Function] = &Measured{Function: s.Function}, hist.New()
		}
		f.Functions[s.Function].add(s)
		f.due[s.Function] = append(f.due[s.Function], s.Intended)
		if s.Done >= last[s.Instance].done {
			last[s.Instance] = served{s.Sent, s.Done}
		}
		if !warmup[s.Phase] {
			measured[s.Function].add(s, latency[s.Function])
		}
	}
	for _, due := range f.due {
		slices.Sort(due)
	}
	if err := f.settle(); err != nil {
		return nil, err
	}
	f.compare(measured, latency)
	instances, err := dir.Instances()
	if err != nil {
		return nil, err
	}
	if err := f.keepAlive(dir, instances, last); err != nil {
		return nil, err
	}
	return f, nil
}

// compare keeps what was measured, all functions together first.
func (f *Fit) compare(measured map[string]*Measured, latency map[string]*hist.Histogram) {
	all, total := hist.New(), Measured{}
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		m, h := measured[name], latency[name]
		m.P50, m.P99, m.N = h.Quantile(.5), h.Quantile(.99), h.N()
		all.Merge(h)
		total.Requests += m.Requests
		total.Cold += m.Cold
		f.Measured = append(f.Measured, *m)
	}
	total.P50, total.P99, total.N = all.Quantile(.5), all.Quantile(.99), all.N()
	f.Measured = append([]Measured{total}, f.Measured...)
}

// keepAlive is how long instances that went for being idle had been so, from
// their last answer to their end; where none did, what the platform says.
func (f *Fit) keepAlive(dir *rundir.Dir, instances []platform.InstanceRecord, last map[string]served) error {
	m := &dir.Manifest
	var spells []time.Duration
	for k, i := range instances {
		s, is := last[i.ID]
		if !is || i.Reason != "idle" || !m.Platform.Clock || m.MonotonicOrigin == 0 {
			continue
		}
		gone := time.Duration(i.Gone - m.MonotonicOrigin)
		if gone < s.sent {
			return fmt.Errorf("fit %s: %s:%d: instance %s is gone %s before its last request was sent: the file was changed, or is another run's; fit another run, or give --service and --keep-alive",
				f.Run, filepath.Join(dir.Path, "instances.jsonl"), k+1, i.ID, units.FormatDuration(s.sent-gone))
		}
		spells = append(spells, max(0, gone-s.done)) // an answer is on its way for a while
	}
	stated, err := units.ParseDuration(m.Platform.Facts["keep_alive"])
	if err == nil {
		f.Stated = stated
	}
	switch f.Kept = len(spells); {
	case len(spells) > 0:
		f.KeepAlive = units.MedianDuration(spells)
		f.KeptBy = fmt.Sprintf("keep-alive %s: the median of %s that ended in the run", units.FormatDuration(f.KeepAlive), units.FormatNoun(len(spells), "idle spell"))
		if err == nil {
			f.KeptBy += "; the platform says " + units.FormatDuration(stated)
		}
	case err == nil:
		f.KeepAlive = stated
		f.KeptBy = fmt.Sprintf("keep-alive %s: what the platform says; no instance was put away in the run", units.FormatDuration(stated))
	default:
		f.KeptBy = "the run tells no keep-alive: it is the scenario's, or --keep-alive"
	}
	return nil
}

// Met says whether the run's requests were due when these arrivals are, by
// function and ascending: what it measured is of the same requests then.
func (f *Fit) Met(arrivals iter.Seq2[string, time.Duration]) bool {
	left := maps.Clone(f.due)
	for function, at := range arrivals {
		due := left[function]
		if len(due) == 0 || due[0] != at {
			return false
		}
		left[function] = due[1:]
	}
	for _, due := range left {
		if len(due) > 0 {
			return false
		}
	}
	return true
}

// fitted is what the measured run tells of a function, or, where it knows one
// only and the traffic is of one, of that; nil where it tells nothing.
func (p *Plan) fitted(function string) *Fitted {
	if p.Fit == nil {
		return nil
	}
	if len(p.Fit.Functions) == 1 && p.Source.About().Functions == 1 {
		for _, only := range p.Fit.Functions {
			return only
		}
	}
	return p.Fit.Functions[function]
}

// again is what another run of as many requests might have told: they are drawn
// anew, in blocks, from those that were measured.
func (f *Fit) again(seed uint64) *Fit {
	other := *f
	other.Functions = make(map[string]*Fitted, len(f.Functions))
	for name, fitted := range f.Functions {
		anew := *fitted
		anew.Record = fitted.Record.Again(stream.New(seed, "fit of "+name, 0))
		other.Functions[name] = &anew
	}
	return &other
}

// Beside is the median of what callers waited beside the instance's work and
// start: network, front end, load generator. It goes with the work of the same
// request wherever that is drawn.
func (f *Fit) Beside() time.Duration {
	var all []time.Duration
	for _, fitted := range f.Functions {
		for _, o := range slices.Concat(fitted.warm, fitted.cold) {
			all = append(all, o.Beside)
		}
	}
	return units.MedianDuration(all)
}

func (m *Measured) add(s *sample.Sample, latency *hist.Histogram) {
	m.Requests++
	if s.Err != sample.NoError {
		return
	}
	latency.Record(s.Latency())
	if s.Believed() == sample.Cold {
		m.Cold++
	}
}

// add takes a sample apart.
func (f *Fitted) add(s *sample.Sample) {
	work, ok := s.Worked()
	if !ok {
		return
	}
	b := &s.Breakdown
	start := b.Provision + b.Boot + b.Init
	worked := dist.Observed{At: s.Sent, Took: work, Beside: max(0, s.Latency()-b.Queue-start-work)}
	switch s.Believed() {
	case sample.Cold:
		f.cold = append(f.cold, worked)
		f.start = append(f.start, dist.Observed{At: s.Sent, Took: start})
		if started, ok := startOf(s); ok {
			f.starts = append(f.starts, started)
		}
	case sample.Warm:
		f.warm = append(f.warm, worked)
	}
}

// settle makes distributions of what was taken.
func (f *Fit) settle() error {
	var faults []error
	for name, fitted := range f.Functions {
		service := fitted.served()
		if len(service) == 0 {
			faults = append(faults, fmt.Errorf("fit %s: no request of %s says how long an instance worked for it", f.Run, name))
			continue
		}
		fitted.Record = dist.NewRecord(slices.Concat(fitted.warm, fitted.cold))
		fitted.Service = fitted.succession(service, 1)
		fitted.ColdService = fitted.succession(fitted.cold, leastCold)
		fitted.StartDelay = fitted.succession(fitted.start, 1)
		fitted.apart()
	}
	if len(f.Functions) == 0 {
		faults = append(faults, fmt.Errorf("fit %s: it has no samples", f.Run))
	}
	return errors.Join(faults...)
}

// served is how long instances worked for requests: for warm ones, if there are any.
func (f *Fitted) served() []dist.Observed {
	if len(f.warm) == 0 {
		return f.cold
	}
	return f.warm
}

// succession is what was observed as a distribution, nil where that is fewer than least.
func (f *Fitted) succession(observed []dist.Observed, least int) dist.Distribution {
	if len(observed) < least {
		return nil
	}
	d, err := f.Record.Succession(observed)
	if err != nil {
		return nil // it is empty
	}
	return d
}
