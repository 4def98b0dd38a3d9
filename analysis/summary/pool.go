package summary

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Selection picks samples; an empty field picks all, warm-up left out.
type Selection struct {
	Phase, Function, Start string
}

// Pool is what a selection's samples add up to. Its Group is computed from the
// pooled histograms, not from other groups' quantiles; its Phase, Function and
// Start are the selection's.
type Pool struct {
	Group
	Dropped     uint64 // arrivals that were not sent; they have no start kind, so 0 where one is selected
	Cold, Known uint64 // samples by evidence
	// Starts are the means of Provision, Boot and Init over the N requests that
	// waited for a start. The Breakdown's own are over all requests, so that its
	// parts add up; where many are warm they tell nothing of a start.
	Starts    Breakdown
	PerSecond float64 // N over the time that it took to send the selected phases; 0 for no time
}

// Select adds up the samples of a selection so far.
func (b *Builder) Select(s Selection) Pool {
	all := newTally()
	var p Pool
	for k, t := range b.groups {
		if !s.picks(k.phase, k.function) || (s.Start != "" && s.Start != k.start.String()) {
			continue
		}
		all.merge(t)
		if k.start == sample.Cold {
			p.Cold += t.n
		}
		if k.start != sample.Unknown {
			p.Known += t.n
		}
	}
	if s.Start == "" {
		for k, n := range b.dropped {
			if s.picks(k.phase, k.function) {
				p.Dropped += n
			}
		}
	}
	var sending time.Duration
	for _, ph := range b.phases {
		if !ph.span.Warmup && (s.Phase == "" || s.Phase == ph.span.Name) {
			sending += ph.sending()
		}
	}
	if sending > 0 {
		p.PerSecond = float64(all.n) / sending.Seconds()
	}
	p.Group = all.group()
	if !b.anyHeld(s) {
		p.Limited = p.bracket()
	}
	p.Starts = all.starts()
	p.Phase, p.Function, p.Start = s.Phase, s.Function, s.Start
	return p
}

// anyHeld says whether a phase of the selection was held back.
func (b *Builder) anyHeld(s Selection) bool {
	held := b.heldBack()
	for k := range b.groups {
		if s.picks(k.phase, k.function) && held[k.phase] {
			return true
		}
	}
	return false
}

func (s Selection) picks(phase, function string) bool {
	return (s.Phase == "" || s.Phase == phase) && (s.Function == "" || s.Function == function)
}
