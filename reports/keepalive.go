package reports

import (
	"fmt"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// KeepAlive is a search for how long an idle instance is kept, as it is shown.
type KeepAlive struct {
	Title    string
	Document *keepalive.Document
}

// KeepAliveOf is what a search has found so far.
func KeepAliveOf(d *keepalive.Document) *KeepAlive {
	return &KeepAlive{Title: fmt.Sprintf("How long %s keeps an idle instance of %s", d.Platform, d.Function), Document: d}
}

// Answer is the search in sentences. It says nothing that no probe says.
func (k *KeepAlive) Answer() []string {
	d := k.Document
	f, out := &d.Finding, []string{}
	switch {
	case len(d.Probes) == 0:
		out = append(out, "No probe was answered, so there is nothing to tell.")
	case !f.Sudden:
		out = append(out, "Instances do not all live as long: longer gaps were outlived than some that were not."+k.half())
	case f.Kept != nil && f.Gone != nil:
		out = append(out, fmt.Sprintf("%s keeps an idle instance for %s to %s.", d.Platform, units.FormatDuration(*f.Kept), units.FormatDuration(*f.Gone)))
	case f.Kept != nil:
		out = append(out, fmt.Sprintf("%s keeps an idle instance for %s or longer: no gap that was tried was too long.", d.Platform, units.FormatDuration(*f.Kept)))
	case f.Gone != nil:
		out = append(out, fmt.Sprintf("%s keeps no idle instance for %s: no gap that was tried was short enough.", d.Platform, units.FormatDuration(*f.Gone)))
	}
	if f.KeptN > 0 {
		out = append(out, fmt.Sprintf("All %d that were idle for up to %s were still there: at least %s are, with 95%% confidence.",
			f.KeptN, units.FormatDuration(f.KeptTo), units.FormatShare(f.KeptShare)))
	}
	if f.GoneN > 0 {
		out = append(out, fmt.Sprintf("None of %d that were idle for %s or longer was: at most %s are, with 95%% confidence.",
			f.GoneN, units.FormatDuration(f.GoneFrom), units.FormatShare(f.GoneShare)))
	}
	switch d.State {
	case keepalive.OutOfTime:
		out = append(out, fmt.Sprintf("The search ended with its budget of time (%s) or of probes, not because it knew enough.", units.FormatDuration(d.Budget)))
	case keepalive.Interrupted, keepalive.Failed, keepalive.Running:
		out = append(out, "The search did not come to its end.")
	}
	return out
}

// half says from which gap on fewer than half are still there.
func (k *KeepAlive) half() string {
	steps := k.Document.Finding.Steps
	i := slices.IndexFunc(steps, func(s keepalive.Step) bool { return s.Share < .5 })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf(" Fewer than half are still there after %s.", units.FormatDuration(steps[i].From))
}

// Notes are what a reader must know.
func (k *KeepAlive) Notes() []string {
	d := k.Document
	notes := []string{fmt.Sprintf("%s, %s at a time, each idle from an answer to the next request; whether an instance was still there is by the platform's evidence, never by how long an answer took",
		units.FormatNoun(len(d.Probes), "probe"), units.FormatNoun(d.Copies, "instance"))}
	if f := &d.Finding; f.GoneN > 0 && units.FormatDuration(*f.Gone) != units.FormatDuration(f.GoneFrom) {
		notes = append(notes, fmt.Sprintf("the request after %s may have met the instance as late as its answer came: by then it had been idle for %s at the most",
			units.FormatDuration(f.GoneFrom), units.FormatDuration(*f.Gone)))
	}
	if d.Unknown > 0 {
		notes = append(notes, fmt.Sprintf("%s without evidence: no probes", units.FormatNoun(d.Unknown, "answer")))
	}
	if d.Failed > 0 {
		notes = append(notes, fmt.Sprintf("%s failed, and are no probes; the first: %s", units.FormatNoun(d.Failed, "request"), d.Failure))
	}
	return notes
}
