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
	beyond  map[sample.Start]*hist.Histogram
	colds   map[string]int // cold samples by instance
	early   uint64
	missing uint64
}

// New makes an empty tally.
func New() *Tally {
	return &Tally{beyond: make(map[sample.Start]*hist.Histogram), colds: make(map[string]int)}
}

// Add compares one answered request. Failed ones are passed over.
func (t *Tally) Add(s *sample.Sample) {
	if s.Err != sample.NoError {
		return
	}
	if s.Start == sample.Cold {
		t.colds[s.Instance]++
	}
	inside := s.Breakdown.Queue + s.Breakdown.Provision + s.Breakdown.Boot + s.Breakdown.Init + s.Breakdown.Handler
	switch {
	case inside == 0:
		t.missing++
		return
	case s.Service() < inside:
		t.early++ // nobody can be answered before the answer exists
		return
	}
	h := t.beyond[s.Start]
	if h == nil {
		h = hist.New()
		t.beyond[s.Start] = h
	}
	h.Record(s.Service() - inside)
}

// Error is how the harness's account differs from the platform's.
type Error struct {
	// Beyond is, by start kind, what the harness measured beyond the platform's
	// own record: the way there and back, the front end, and the harness itself.
	Beyond map[sample.Start]Spread
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

// Spread is the quantiles of a difference, of N requests.
type Spread struct {
	N        uint64
	P50, P99 time.Duration
}

// Compare settles the tally against the instances that were really started.
func (t *Tally) Compare(started []string) Error {
	e := Error{Beyond: make(map[sample.Start]Spread), Early: t.early, Missing: t.missing}
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
	for start, h := range t.beyond {
		e.Beyond[start] = Spread{N: h.N(), P50: h.Quantile(.5), P99: h.Quantile(.99)}
	}
	return e
}
