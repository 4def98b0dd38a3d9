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
	Colds   []RecordedGroup   `json:"colds,omitempty"` // parts of the cold ones, by occasion
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

// RecordedGroup is one phase, function and start kind; among Colds, and occasion.
type RecordedGroup struct {
	Phase    string       `json:"phase"`
	Function string       `json:"function"`
	Start    sample.Start `json:"start"`
	Grade    sample.Grade `json:"grade"`

	Occasion sample.Occasion `json:"occasion,omitzero"`

	N       uint64                      `json:"n"`
	Errors  uint64                      `json:"errors"`
	Kinds   map[sample.ErrorKind]uint64 `json:"error_kinds,omitempty"`
	Latency *hist.Histogram             `json:"latency"`
	Service *hist.Histogram             `json:"service"`
	Lag     *hist.Histogram             `json:"lag"`
	Worked  *hist.Histogram             `json:"worked,omitempty"`  // how long instances worked for them
	Started *hist.Histogram             `json:"started,omitempty"` // boot and init of those that were waited for

	Parts     sample.Breakdown `json:"parts_ns"` // sums
	PartsN    uint64           `json:"parts_n"`
	PartsSpan time.Duration    `json:"parts_span_ns"`
	StartsN   uint64           `json:"starts_n"`
	Billed    time.Duration    `json:"billed_ns"` // sum
	BilledN   uint64           `json:"billed_n"`
}

// Kind is the start kind as selections name it: "warm", "idle-cold".
func (g *RecordedGroup) Kind() string { return kind(g.Start, g.Occasion) }

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
	for _, k := range b.order(b.groups) {
		r.Groups = append(r.Groups, recorded(k, b.groups[k]))
	}
	for _, k := range b.order(b.colds) {
		r.Colds = append(r.Colds, recorded(k, b.colds[k]))
	}
	for k, n := range b.dropped {
		r.Dropped = append(r.Dropped, RecordedDropped{k.phase, k.function, n})
	}
	slices.SortFunc(r.Dropped, func(x, y RecordedDropped) int {
		return cmp.Or(cmp.Compare(x.Phase, y.Phase), cmp.Compare(x.Function, y.Function))
	})
	return r
}

func recorded(k groupKey, t *tally) RecordedGroup {
	return RecordedGroup{
		Phase: k.phase, Function: k.function, Start: k.start, Grade: t.grade, Occasion: k.occasion,
		N: t.n, Errors: t.errors, Kinds: t.kinds, Latency: t.latency, Service: t.service, Lag: t.lag, Worked: t.worked, Started: t.started,
		Parts: t.parts, PartsN: t.partsN, PartsSpan: t.partsSpan, StartsN: t.startsN, Billed: t.billed, BilledN: t.billedN,
	}
}

// Kept is figures that no more samples are added to: a record's, or those of
// several runs together.
type Kept struct{ b *Builder }

// Pooled makes the figures of several runs of one scenario selectable, all their
// samples together. How many came a second it does not tell: PerSecond is 0.
func Pooled(runs ...*Builder) *Kept {
	k := &Kept{b: New(Input{})}
	k.b.held = map[string]bool{}
	for _, run := range runs {
		for phase, held := range run.heldBack() {
			k.b.held[phase] = k.b.held[phase] || held
		}
		mergeInto(k.b.groups, run.groups)
		mergeInto(k.b.colds, run.colds)
		for lane, n := range run.dropped {
			k.b.dropped[lane] += n
		}
	}
	return k
}

func mergeInto(all, more map[groupKey]*tally) {
	for key, t := range more {
		if all[key] == nil {
			all[key] = newTally()
		}
		all[key].merge(t)
	}
}

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
	for _, list := range []struct {
		what string
		from []RecordedGroup
		into map[groupKey]*tally
	}{{"group", r.Groups, k.b.groups}, {"cold part", r.Colds, k.b.colds}} {
		for i := range list.from {
			if err := k.restore(list.into, &list.from[i]); err != nil {
				return nil, fmt.Errorf("restore record: %s %d: %w", list.what, i+1, err)
			}
		}
	}
	for _, d := range r.Dropped {
		k.b.dropped[lane{d.Phase, d.Function}] += d.N
	}
	return k, nil
}

func (k *Kept) restore(groups map[groupKey]*tally, g *RecordedGroup) error {
	key := groupKey{g.Phase, g.Function, g.Start, g.Occasion}
	switch {
	case k.b.byName[g.Phase] == nil:
		return fmt.Errorf("there is no phase %q", g.Phase)
	case groups[key] != nil:
		return fmt.Errorf("%s %s in %s is there twice", g.Start, g.Function, g.Phase)
	case g.Latency == nil || g.Service == nil || g.Lag == nil:
		return fmt.Errorf("%s %s in %s lacks a histogram", g.Start, g.Function, g.Phase)
	}
	t := newTally()
	t.grade = g.Grade
	t.n, t.errors, t.latency, t.service, t.lag = g.N, g.Errors, g.Latency, g.Service, g.Lag
	t.worked, t.started = g.Worked, g.Started
	if g.Kinds != nil {
		t.kinds = g.Kinds
	}
	t.parts, t.partsN, t.partsSpan, t.startsN = g.Parts, g.PartsN, g.PartsSpan, g.StartsN
	t.billed, t.billedN = g.Billed, g.BilledN
	groups[key] = t
	return nil
}

// Select gives what [Builder.Select] gave of the builder that the record is of.
func (k *Kept) Select(s Selection) Pool { return k.b.Select(s) }

// Latency is how long callers of a selection's successes waited.
func (k *Kept) Latency(s Selection) *hist.Histogram {
	all := hist.New()
	for _, t := range k.b.picked(s) {
		all.Merge(t.latency)
	}
	return all
}

// Served gives what [Builder.Served] gave of the builder that the record is of.
func (k *Kept) Served(s Selection) Served { return k.b.Served(s) }
