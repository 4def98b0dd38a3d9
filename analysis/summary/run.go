package summary

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
)

func duration(ns int64) string { return units.FormatDuration(time.Duration(ns)) }

// Run computes the summary of what was added so far.
func (b *Builder) Run() Run {
	r := Run{
		Scenario:    b.in.Scenario,
		Platform:    b.in.Platform,
		Dir:         b.in.Dir,
		Seed:        b.in.Seed,
		Complete:    b.in.Complete && !b.in.Interrupted,
		Backlog:     b.in.Backlog,
		PeakBacklog: b.in.PeakBacklog,
		Held:        b.in.Held,
		Invalid:     []string{},
		Phases:      []Phase{},
		Groups:      []Group{},
		Warnings:    []Warning{},
		Causes:      b.in.Causes,

		EmulatedStarts: b.in.EmulatedStarts,
	}
	b.addPhases(&r)
	b.addGroups(&r)
	b.judge(&r)
	b.doubt(&r)
	r.Valid = len(r.Invalid) == 0
	return r
}

func (b *Builder) addPhases(r *Run) {
	last := b.last
	for _, p := range b.phases {
		if r.Complete {
			last = max(last, p.span.End)
		}
		r.Phases = append(r.Phases, p.phase(r.Complete))
		if p.span.Warmup {
			continue
		}
		r.Sent += p.sent
		r.Dropped += p.dropped
		r.Errors += p.errors
		r.Cold += p.cold
		r.Known += p.known
		r.Unknown += p.unknown
		r.Offered += p.offered(r.Complete)
	}
	r.Duration = int64(last)
	r.ColdShare = share(r.Cold, r.Known)
}

// offered is the schedule's count in a run that went through it, and what was
// reached of it in one that did not.
func (p *phaseTally) offered(complete bool) uint64 {
	if complete && p.scheduled {
		return p.span.Offered
	}
	return p.sent + p.dropped
}

func (p *phaseTally) phase(complete bool) Phase {
	out := Phase{
		Name:      p.span.Name,
		Start:     int64(p.span.Start),
		Duration:  int64(p.span.End - p.span.Start),
		Warmup:    p.span.Warmup,
		Gap:       int64(p.span.Gap),
		Offered:   p.offered(complete),
		Sent:      p.sent,
		Dropped:   p.dropped,
		Errors:    p.errors,
		Cold:      p.cold,
		Known:     p.known,
		ColdShare: share(p.cold, p.known),
	}
	if d := p.span.End - p.span.Start; d > 0 {
		out.OfferedRate = float64(p.span.Offered) / d.Seconds()
	}
	if d := p.sending(); d > 0 {
		out.AchievedRate = float64(p.sent) / d.Seconds()
	}
	return out
}

// sending is the time it took to send the phase's requests: the phase, or
// longer where the last of them went out after its end.
func (p *phaseTally) sending() time.Duration {
	return max(p.span.End, p.lastSent) - p.span.Start
}

func share(part, whole uint64) *float64 {
	if whole == 0 {
		return nil
	}
	return new(float64(part) / float64(whole))
}

func (b *Builder) addGroups(r *Run) {
	lag, held := hist.New(), b.heldBack()
	for _, k := range b.order(b.groups) {
		t := b.groups[k]
		g := t.group()
		g.Phase, g.Function, g.Start = k.phase, k.function, k.start.String()
		g.Tier = b.in.Tiers[k.function]
		if !held[k.phase] {
			g.Limited = g.bracket()
		}
		r.Groups = append(r.Groups, g)
		r.OutOfRange += t.latency.OutOfRange()
		lag.Merge(t.lag)
	}
	r.Lag = lagOf(lag)
}

// heldBack are the phases in which arrivals may have waited at the in-flight
// cap, as the scenario asked for: lag there is not the generator's alone, and
// no sample tells how much of it is. Where the cap was not reached from the
// phase's first due arrival to its last send, none waited.
func (b *Builder) heldBack() map[string]bool {
	if b.crowd == nil {
		return b.held
	}
	held := map[string]bool{}
	for _, p := range b.phases {
		if p.sent > 0 && b.crowd.reached(b.in.WaitAt, p.firstDue, p.lastSent) {
			held[p.span.Name] = true
		}
	}
	return held
}

// order lists the groups as they are read: by phase, then function, then from
// the coldest start to the warmest, the unknown last.
func (b *Builder) order(groups map[groupKey]*tally) []groupKey {
	place := map[string]int{}
	for i, p := range b.phases {
		place[p.span.Name] = i
	}
	keys := make([]groupKey, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y groupKey) int {
		return cmp.Or(
			cmp.Compare(place[x.phase], place[y.phase]),
			strings.Compare(x.function, y.function),
			cmp.Compare(rank(x.start), rank(y.start)),
			cmp.Compare(x.occasion, y.occasion),
		)
	})
	return keys
}

func rank(s sample.Start) int { return slices.Index(sample.StartOrder(), s) }

// Brief is how many bytes of a failure's text stand in a sentence with others, at
// most: they are said again wherever the run is left out.
const Brief = 160

// judge lists why figures must not be used: first what condemns all of them,
// then which ones the load generator limits.
func (b *Builder) judge(r *Run) {
	refuse := func(format string, args ...any) { r.Invalid = append(r.Invalid, fmt.Sprintf(format, args...)) }
	if b.in.Interrupted {
		refuse("the run was interrupted")
	} else if !b.in.Complete {
		refuse("the run is incomplete: it ended before its last sample was written")
	}
	if b.in.Failure != "" {
		short := units.FormatLine(b.in.Failure, Brief)
		refuse("the platform failed: %s", short)
		if short != b.in.Failure {
			r.Failure = b.in.Failure
		}
	}
	if r.Dropped > 0 {
		refuse("%s of %s arrivals were dropped at the in-flight cap",
			units.FormatCount(r.Dropped), units.FormatCount(r.Offered))
	}
	if have := r.Sent + r.Dropped; r.Complete && have != r.Offered {
		refuse("the schedule has %s arrivals, but %s have a sample",
			units.FormatCount(r.Offered), units.FormatCount(have))
	}
	r.Condemned = len(r.Invalid) > 0
	for i := range r.Groups {
		if g := &r.Groups[i]; len(g.Limited) > 0 {
			refuse("%s", g.words())
		}
	}
}
