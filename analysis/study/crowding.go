package study

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Crowding is how much a function's starts slowed each other in a measured run.
type Crowding struct {
	Function string        `json:"function"`
	Alone    time.Duration `json:"alone_ns"`  // median of starts that began while no other one went on
	Beside   time.Duration `json:"beside_ns"` // and of the others
	NAlone   uint64        `json:"alone"`     // starts
	NBeside  uint64        `json:"beside"`
}

// startSpan is when an instance started, and when the request that it started for was sent.
type startSpan struct{ sent, begin, end time.Duration }

// startOf is the start that a cold request waited for. What the request took
// beside its instance is put before it, as where it is simulated.
func startOf(s *sample.Sample) (startSpan, bool) {
	b := &s.Breakdown
	took := b.Provision + b.Boot + b.Init
	work, ok := s.Worked()
	if !ok || took == 0 || s.Believed() != sample.Cold {
		return startSpan{}, false
	}
	begin := s.Sent + b.Queue + max(0, s.Service()-b.Queue-took-work)
	return startSpan{s.Sent, begin, begin + took}, true
}

// apart takes the starts that began while another one of the function went on
// out of the others, where there are enough of both.
func (f *Fitted) apart() {
	slices.SortFunc(f.starts, func(a, b startSpan) int { return cmp.Compare(a.begin, b.begin) })
	var alone, beside []dist.Observed
	ended := time.Duration(-1) // the latest end of those before
	for _, s := range f.starts {
		took := dist.Observed{At: s.sent, Took: s.end - s.begin}
		if s.begin < ended {
			beside = append(beside, took)
		} else {
			alone = append(alone, took)
		}
		ended = max(ended, s.end)
	}
	if min(len(alone), len(beside)) >= leastCold {
		f.StartDelay, f.StartBeside = f.succession(alone, 1), f.succession(beside, 1)
	}
}

// crowding is by how much, of the functions whose starts tell.
func (f *Fit) crowding() (list []Crowding) {
	for _, name := range slices.Sorted(maps.Keys(f.Functions)) {
		of := f.Functions[name]
		alone, known := of.StartDelay.(*dist.Succession)
		if beside, ok := of.StartBeside.(*dist.Succession); ok && known {
			list = append(list, Crowding{name, alone.Quantile(.5), beside.Quantile(.5), uint64(alone.N()), uint64(beside.N())})
		}
	}
	return list
}
