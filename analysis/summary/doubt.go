package summary

import (
	"fmt"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// The warning codes. They are part of the document and do not change.
const (
	QuantileUnsupported  = "quantile_unsupported"
	ColdFasterThanWarm   = "cold_faster_than_warm"
	UnknownShare         = "unknown_share"
	FewKnown             = "few_known"
	EmptyPhase           = "empty_phase"
	UnscheduledPhase     = "unscheduled_phase"
	RateNotAchieved      = "rate_not_achieved"
	OutOfRange           = "out_of_range"
	GapTooShort          = "gap_too_short"
	HeldBack             = "held_back"
	GeneratorCPU         = "generator_cpu"
	DroppedInWarmup      = "dropped_in_warmup"
	NoSuccess            = "no_success"
	BreakdownExceedsWait = "breakdown_exceeds_service"
	PlatformNote         = "note"
	NoteSoFar            = "note_so_far" // of all runs on the platform that was set up, up to this one
)

// The limits beyond which a doubt is raised.
const (
	mostUnknown          = 0.01   // share of answered requests that may lack evidence
	leastAchieved        = 0.95   // of the offered rate
	mostCPU              = 1. / 3 // of the machine, that the load generator may take from what it measures
	fewKnown      uint64 = 10     // known starts; with fewer, a single one moves the cold share by over 10 points
)

// doubt lists what a reader must know before believing the figures.
func (b *Builder) doubt(r *Run) {
	if r.NoSuccess() {
		r.warn(NoSuccess, "", "", "no request was answered with success: there is no latency to tell")
	}
	for i, p := range b.phases {
		p.doubt(&r.Phases[i], r)
	}
	for _, k := range b.order(b.groups) {
		b.groups[k].doubt(k, r)
	}
	b.doubtOrder(r)
	b.doubtHeld(r)
	if b.in.GeneratorCPU > mostCPU {
		r.warn(GeneratorCPU, "", "", "the load generator took %s of the machine's CPU time; what it shares the machine with may have waited for it",
			units.FormatShare(b.in.GeneratorCPU))
	}
	for _, n := range b.in.Notes {
		r.warn(PlatformNote, "", "", "%s", n)
	}
	for _, n := range b.in.SoFar {
		r.warn(NoteSoFar, "", "", "%s", n)
	}
}

// doubtHeld tells of what waited at the in-flight cap, and in which phases the
// generator's own lag could not be told from that.
func (b *Builder) doubtHeld(r *Run) {
	if b.crowd == nil {
		return
	}
	unchecked := ""
	held := b.heldBack()
	var phases []string
	for _, p := range b.phases {
		if held[p.span.Name] && !p.span.Warmup {
			phases = append(phases, p.span.Name)
		}
	}
	if len(phases) > 0 {
		unchecked = "; the 5% check of the generator's own lag was not made in " + strings.Join(phases, ", ")
	}
	r.warn(HeldBack, "", "", "%s waited at the in-flight cap of %d, as the scenario asks for; their waiting is part of latency, not of service%s",
		units.FormatNoun(b.in.Held, "arrival"), b.in.WaitAt, unchecked)
}

func (r *Run) warn(code, phase, group, format string, args ...any) {
	r.Warnings = append(r.Warnings, Warning{Code: code, Phase: phase, Group: group, Message: fmt.Sprintf(format, args...)})
}

func (p *phaseTally) doubt(out *Phase, r *Run) {
	name := p.span.Name
	if !p.scheduled {
		r.warn(UnscheduledPhase, name, "", "samples name a phase that the schedule does not have")
	}
	if p.span.Warmup {
		if p.dropped > 0 {
			r.warn(DroppedInWarmup, name, "", "%s of the warm-up dropped: it was shorter than it was meant to be", units.FormatNoun(p.dropped, "arrival"))
		}
		return
	}
	if p.sent == 0 {
		if p.span.Offered > 0 || p.dropped > 0 {
			r.warn(EmptyPhase, name, "", "the phase has no samples")
		}
		return
	}
	if r.Complete && p.scheduled && out.AchievedRate < leastAchieved*out.OfferedRate {
		r.warn(RateNotAchieved, name, "", "%s were offered and %s achieved",
			units.FormatRate(units.Rate(out.OfferedRate)), units.FormatRate(units.Rate(out.AchievedRate)))
	}
	if unknown := share(p.answeredUnknown, p.answered); unknown != nil && *unknown > mostUnknown {
		r.warn(UnknownShare, name, "", "how %s of %s answered requests started is unknown (%s): they are in no cold or warm figure",
			units.FormatCount(p.answeredUnknown), units.FormatCount(p.answered), units.FormatShare(*unknown))
	}
	if p.known > 0 && p.known < fewKnown {
		r.warn(FewKnown, name, "", "the cold share rests on %s", units.FormatNoun(p.known, "request"))
	}
	if p.overlapped > 0 {
		r.warn(GapTooShort, name, "", "%s took longer than the gap of %s to the next: they were not alone",
			units.FormatNoun(p.overlapped, "probe"), units.FormatDuration(p.span.Gap))
	}
}

func (t *tally) doubt(k groupKey, r *Run) {
	group := k.function + "/" + k.start.String()
	if why := unsupported(t.latency.N()); why != "" {
		r.warn(QuantileUnsupported, k.phase, group, "%s", why)
	}
	if n := t.latency.OutOfRange(); n > 0 {
		r.warn(OutOfRange, k.phase, group, "latencies beyond what the histogram can hold are in no quantile: %s", units.FormatNoun(n, "request"))
	}
	if b := t.breakdown(); b.Rest != nil && *b.Rest < 0 {
		r.warn(BreakdownExceedsWait, k.phase, group, "the platform's parts add up to %s more than the request took", duration(-*b.Rest))
	}
}

// doubtOrder compares cold with warm medians: in each phase that has both, and
// over all phases for a function that has them only apart.
func (b *Builder) doubtOrder(r *Run) {
	type pair struct{ cold, warm *hist.Histogram }
	var (
		functions []string
		pooled    = map[string]*pair{}
		together  = map[string]bool{}
	)
	for _, k := range b.order(b.groups) {
		if k.start != sample.Cold && k.start != sample.Warm {
			continue
		}
		p := pooled[k.function]
		if p == nil {
			p = &pair{hist.New(), hist.New()}
			pooled[k.function] = p
			functions = append(functions, k.function)
		}
		if k.start == sample.Warm {
			p.warm.Merge(b.groups[k].latency)
			continue
		}
		p.cold.Merge(b.groups[k].latency)
		warm := b.groups[groupKey{phase: k.phase, function: k.function, start: sample.Warm}]
		if warm == nil || !hasMedian(warm.latency) || !hasMedian(b.groups[k].latency) {
			continue
		}
		together[k.function] = true
		r.warnOrder(k.phase, k.function, b.groups[k].latency, warm.latency)
	}
	for _, f := range functions {
		if p := pooled[f]; !together[f] && hasMedian(p.cold) && hasMedian(p.warm) {
			r.warnOrder("", f, p.cold, p.warm)
		}
	}
}

func (r *Run) warnOrder(phase, function string, cold, warm *hist.Histogram) {
	c, w := cold.Quantile(.5), warm.Quantile(.5)
	if c < w {
		r.warn(ColdFasterThanWarm, phase, function+"/cold", "cold p50 %s is below warm p50 %s: the start kinds are in doubt",
			units.FormatDuration(c), units.FormatDuration(w))
	}
}

func hasMedian(h *hist.Histogram) bool {
	_, _, ok := stats.QuantileRanks(h.N(), .5, confidence)
	return ok
}
