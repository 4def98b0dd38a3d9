package summary

import (
	"iter"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Selection picks samples; an empty field picks all, warm-up left out. Start is
// a start kind's name, or that of an occasion for a part of the cold ones.
type Selection struct {
	Phase, Function, Start string
}

// Pool is what a selection's samples add up to. Its Group is computed from the
// pooled histograms, not from other groups' quantiles; its Phase, Function and
// Start are the selection's. Its Limited names mean and max, too, which are
// nothing to refuse a run for.
type Pool struct {
	Group
	Dropped     uint64 // arrivals that were not sent; they have no start kind, so 0 where one is selected
	Cold, Known uint64 // samples by evidence
	// Starts are the means of Provision, Boot and Init over the N requests that
	// waited for a start. The Breakdown's own are over all requests, so that its
	// parts add up; where many are warm they tell nothing of a start.
	Starts Breakdown
	// Untold says that the pool is of cold starts alone, by somebody else's history:
	// nothing is known of other requests, of failures or of arrivals.
	Untold    bool
	PerSecond float64 // N over the time that it took to send the selected phases; 0 for no time
}

// Select adds up the samples of a selection so far.
func (b *Builder) Select(s Selection) Pool {
	all := newTally()
	var p Pool
	for k, t := range b.picked(s) {
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
		p.Limited = append(p.bracket(), p.extremes()...)
	}
	p.Starts = all.starts()
	p.Phase, p.Function, p.Start = s.Phase, s.Function, s.Start
	return p
}

// extremes gives those of mean and max whose bracket is too wide.
func (p *Pool) extremes() (keys []string) {
	if wide(p.Service.Mean, p.Latency.Mean) {
		keys = append(keys, "mean")
	}
	if wide(p.Service.Max, p.Latency.Max) {
		keys = append(keys, "max")
	}
	return keys
}

// picked are the groups of a selection.
func (b *Builder) picked(s Selection) iter.Seq2[groupKey, *tally] {
	groups := b.groups
	if o, err := sample.ParseOccasion(s.Start); err == nil && o != sample.UnknownOccasion {
		groups = b.colds
	}
	return func(yield func(groupKey, *tally) bool) {
		for k, t := range groups {
			if s.picks(k.phase, k.function) && (s.Start == "" || s.Start == kind(k.start, k.occasion)) && !yield(k, t) {
				return
			}
		}
	}
}

func kind(start sample.Start, occasion sample.Occasion) string {
	if occasion != sample.UnknownOccasion {
		return occasion.String()
	}
	return start.String()
}

// Served is how instances served a selection's requests, where that is told.
type Served struct {
	Warm, Cold *hist.Histogram // how long they worked for warm requests, and for all others
	Start      *hist.Histogram // boot and init of those that requests waited for
}

// Served adds up how a selection's requests were served.
func (b *Builder) Served(s Selection) Served {
	all := Served{hist.New(), hist.New(), hist.New()}
	for k, t := range b.picked(s) {
		if t.worked != nil && k.start == sample.Warm {
			all.Warm.Merge(t.worked)
		} else if t.worked != nil {
			all.Cold.Merge(t.worked)
		}
		if t.started != nil {
			all.Start.Merge(t.started)
		}
	}
	return all
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
