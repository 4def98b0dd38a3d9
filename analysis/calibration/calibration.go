// Package calibration owns the comparison of what the harness saw with what
// the platform recorded of the same requests.
//
// In: samples whose breakdown is the platform's own record, and the names of
// the instances that it really started. Out: the harness's error, as figures.
// It drives nothing and corrects nothing.
package calibration

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Tally gathers the comparison of one run. The zero value is not ready; use [New].
type Tally struct {
	groups  map[Group]*group
	colds   map[string]int // cold samples by instance
	early   uint64
	missing uint64
}

// Group is what is compared apart.
type Group struct {
	Function string
	Start    sample.Start
}

type group struct {
	service, record, beyond, handler *hist.Histogram
}

// New makes an empty tally.
func New() *Tally {
	return &Tally{groups: make(map[Group]*group), colds: make(map[string]int)}
}

// Add compares one answered request. Failed ones are passed over.
func (t *Tally) Add(s *sample.Sample) {
	if s.Err != sample.NoError {
		return
	}
	if s.Start == sample.Cold {
		t.colds[s.Instance]++
	}
	inside := s.Breakdown.Trigger + s.Breakdown.Queue + s.Breakdown.Provision + s.Breakdown.Boot + s.Breakdown.Init + s.Breakdown.Handler
	switch {
	case inside == 0:
		t.missing++
		return
	case s.Service() < inside:
		t.early++ // nobody can be answered before the answer exists
		return
	}
	k := Group{s.Function, s.Start}
	g := t.groups[k]
	if g == nil {
		g = &group{hist.New(), hist.New(), hist.New(), hist.New()}
		t.groups[k] = g
	}
	g.service.Record(s.Service())
	g.record.Record(inside)
	g.beyond.Record(s.Service() - inside)
	g.handler.Record(s.Breakdown.Handler)
}

// Error is how the harness's account differs from the platform's.
type Error struct {
	Groups map[Group]Times
	// Early counts answers that the harness saw sooner than the platform gave
	// them; anything but 0 means that a clock is wrong.
	Early uint64
	// Missing counts answers without a record.
	Missing uint64
	// Unaccounted counts instances that were started and are in no cold sample,
	// Invented cold samples whose instance was not started, or was already
	// another request's cold start.
	Unaccounted, Invented uint64
}

// Times is what the harness and the platform say of the same N requests.
type Times struct {
	N       uint64
	Service time.Duration // median of what the harness measured
	Record  time.Duration // median of the platform's own record of the same
	// BeyondP50 and BeyondP99 are of what the harness measured beyond that: the way there and back, the front end, and the harness itself.
	BeyondP50, BeyondP99 time.Duration
	// Handler and LeastHandler are the median and the least of the handler's
	// time in the platform's record.
	Handler, LeastHandler time.Duration
}

// Share is how far the median service lies above the median record, as a share
// of that; 0 for no request.
func (t *Times) Share() float64 {
	if t.Record == 0 {
		return 0
	}
	return float64(t.Service-t.Record) / float64(t.Record)
}

// Compare settles the tally against the instances that were really started.
func (t *Tally) Compare(started []string) Error {
	e := Error{Groups: make(map[Group]Times), Early: t.early, Missing: t.missing}
	known := make(map[string]bool, len(started))
	for _, id := range started {
		known[id] = true
		if t.colds[id] == 0 {
			e.Unaccounted++
		}
	}
	for id, n := range t.colds {
		if !known[id] {
			e.Invented += uint64(n)
		} else {
			e.Invented += uint64(n - 1)
		}
	}
	for k, g := range t.groups {
		e.Groups[k] = Times{
			N: g.beyond.N(), Service: g.service.Quantile(.5), Record: g.record.Quantile(.5),
			BeyondP50: g.beyond.Quantile(.5), BeyondP99: g.beyond.Quantile(.99),
			Handler: g.handler.Quantile(.5), LeastHandler: g.handler.Min(),
		}
	}
	return e
}
