package summary

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Record is what a builder has added up, as a value that can be stored: a few
// kilobytes, whatever the number of samples, of which [Record.Restore] makes
// what has the same figures of every selection.
type Record struct {
	Phases  []RecordedPhase   `json:"phases"`
	Groups  []RecordedGroup   `json:"groups"`
	Dropped []RecordedDropped `json:"dropped,omitempty"`
}

// RecordedPhase is what figures need of a phase.
type RecordedPhase struct {
	Name     string        `json:"name"`
	Start    time.Duration `json:"start_ns"`
	End      time.Duration `json:"end_ns"`
	Warmup   bool          `json:"warmup,omitempty"`
	Sent     uint64        `json:"sent"`
	LastSent time.Duration `json:"last_sent_ns"`
	Held     bool          `json:"held,omitempty"` // arrivals waited at the in-flight cap
}

// RecordedGroup is one phase, function and start kind.
type RecordedGroup struct {
	Phase    string       `json:"phase"`
	Function string       `json:"function"`
	Start    sample.Start `json:"start"`
	Grade    sample.Grade `json:"grade"`

	N       uint64                      `json:"n"`
	Errors  uint64                      `json:"errors"`
	Kinds   map[sample.ErrorKind]uint64 `json:"error_kinds,omitempty"`
	Latency *hist.Histogram             `json:"latency"`
	Service *hist.Histogram             `json:"service"`
	Lag     *hist.Histogram             `json:"lag"`

	Parts     sample.Breakdown `json:"parts_ns"` // sums
	PartsN    uint64           `json:"parts_n"`
	PartsSpan time.Duration    `json:"parts_span_ns"`
	StartsN   uint64           `json:"starts_n"`
	Billed    time.Duration    `json:"billed_ns"` // sum
	BilledN   uint64           `json:"billed_n"`
}

// RecordedDropped is how many arrivals of a phase and function were not sent.
type RecordedDropped struct {
	Phase    string `json:"phase"`
	Function string `json:"function"`
	N        uint64 `json:"n"`
}

// Record is what was added so far. It shares the builder's histograms.
func (b *Builder) Record() Record {
	r := Record{Phases: []RecordedPhase{}, Groups: []RecordedGroup{}}
	held := b.heldBack()
	for _, p := range b.phases {
		r.Phases = append(r.Phases, RecordedPhase{
			Name: p.span.Name, Start: p.span.Start, End: p.span.End, Warmup: p.span.Warmup,
			Sent: p.sent, LastSent: p.lastSent, Held: held[p.span.Name],
		})
	}
	for _, k := range b.order() {
		t := b.groups[k]
		r.Groups = append(r.Groups, RecordedGroup{
			Phase: k.phase, Function: k.function, Start: k.start, Grade: t.grade,
			N: t.n, Errors: t.errors, Kinds: t.kinds, Latency: t.latency, Service: t.service, Lag: t.lag,
			Parts: t.parts, PartsN: t.partsN, PartsSpan: t.partsSpan, StartsN: t.startsN, Billed: t.billed, BilledN: t.billedN,
		})
	}
	for k, n := range b.dropped {
		r.Dropped = append(r.Dropped, RecordedDropped{k.phase, k.function, n})
	}
	slices.SortFunc(r.Dropped, func(x, y RecordedDropped) int {
		return cmp.Or(cmp.Compare(x.Phase, y.Phase), cmp.Compare(x.Function, y.Function))
	})
	return r
}

// Kept is a record's figures.
type Kept struct{ b *Builder }

// Restore makes the record's figures selectable again. It shares the record's
// histograms. What is named twice or not at all is an error, as somebody may
// have edited the file.
func (r *Record) Restore() (*Kept, error) {
	k := &Kept{b: New(Input{})}
	k.b.held = map[string]bool{}
	for _, p := range r.Phases {
		if k.b.byName[p.Name] != nil {
			return nil, fmt.Errorf("restore record: phase %q is there twice", p.Name)
		}
		t := k.b.phase(p.Name)
		t.span = PhaseSpan{Name: p.Name, Start: p.Start, End: p.End, Warmup: p.Warmup}
		t.sent, t.lastSent = p.Sent, p.LastSent
		k.b.held[p.Name] = p.Held
	}
	for i := range r.Groups {
		if err := k.restore(&r.Groups[i]); err != nil {
			return nil, fmt.Errorf("restore record: group %d: %w", i+1, err)
		}
	}
	for _, d := range r.Dropped {
		k.b.dropped[lane{d.Phase, d.Function}] += d.N
	}
	return k, nil
}

func (k *Kept) restore(g *RecordedGroup) error {
	key := groupKey{g.Phase, g.Function, g.Start}
	switch {
	case k.b.byName[g.Phase] == nil:
		return fmt.Errorf("there is no phase %q", g.Phase)
	case k.b.groups[key] != nil:
		return fmt.Errorf("%s %s in %s is there twice", g.Start, g.Function, g.Phase)
	case g.Latency == nil || g.Service == nil || g.Lag == nil:
		return fmt.Errorf("%s %s in %s lacks a histogram", g.Start, g.Function, g.Phase)
	}
	t := newTally()
	t.grade = g.Grade
	t.n, t.errors, t.latency, t.service, t.lag = g.N, g.Errors, g.Latency, g.Service, g.Lag
	if g.Kinds != nil {
		t.kinds = g.Kinds
	}
	t.parts, t.partsN, t.partsSpan, t.startsN = g.Parts, g.PartsN, g.PartsSpan, g.StartsN
	t.billed, t.billedN = g.Billed, g.BilledN
	k.b.groups[key] = t
	return nil
}

// Select gives what [Builder.Select] gave of the builder that the record is of.
func (k *Kept) Select(s Selection) Pool { return k.b.Select(s) }
