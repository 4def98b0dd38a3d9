package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Comparison is a comparison as it is shown.
type Comparison struct {
	Verdicts
	Document *comparison.Document
	// Curves are both sides' latencies of one start kind, the runs together that a verdict on its median rests on.
	Curves []Overlay
	Trends []*Trend    // of the judged figures over saved baselines; nil without any
	Sides  []gate.Side // the runs, where they were not made in pairs
}

// Overlay is one start kind's latencies on both sides.
type Overlay struct {
	Start      sample.Start
	Base, Head Distribution
}

// ComparisonOf is what a comparison has found so far.
func ComparisonOf(c *comparison.Comparison) *Comparison {
	d := &c.Document
	out := &Comparison{Document: d, Curves: curves(c), Verdicts: Verdicts{
		Title: d.Scenario + ", " + units.FormatNoun(len(d.Pairs), "pair") + ": " + string(d.Verdict),
		Base:  d.Base.What, Head: d.Head.What, Paired: true, Findings: d.Records(), LeftOut: gate.LeftOut(d.Records()),
	}}
	out.Notes = comparisonNotes(d)
	if len(d.Findings) > 0 {
		out.Notes = append(out.Notes, c.Policy().Levels(true, len(d.Findings)))
	}
	return out
}

// JudgementOf is a gate's document with what else its runs show.
func JudgementOf(d *gate.Document, c *comparison.Comparison) *Comparison {
	return &Comparison{Document: &c.Document, Curves: curves(c), Verdicts: *VerdictsOf(d), Sides: []gate.Side{d.Base, d.Head}}
}

func curves(c *comparison.Comparison) []Overlay {
	var list []Overlay
	for _, start := range []sample.Start{sample.Cold, sample.Warm} {
		base, head := c.Latencies(comparison.Base, start), c.Latencies(comparison.Head, start)
		if base.N() > 0 && head.N() > 0 {
			list = append(list, Overlay{start, DistributionOf(start, base), DistributionOf(start, head)})
		}
	}
	return list
}

// Answer is the verdicts' answer, each latency that regressed with the phase
// that moved.
func (c *Comparison) Answer() []string {
	out := c.Verdicts.Answer()
	for i := range c.Document.Findings {
		f := &c.Document.Findings[i]
		if words := Moved(f); words != "" {
			for n, sentence := range out {
				if sentence == Finding(&f.Record) {
					out[n] = strings.TrimSuffix(sentence, ".") + "; " + words + "."
				}
			}
		}
	}
	if c.Document.State != comparison.Complete {
		out = append(out, stateOf(c.Document))
	}
	return out
}

// Moved names the phases of a finding's requests that take another time now,
// the most moved first: "init moved by +30.1 ms (28.0 ms to 32.2 ms)".
func Moved(f *comparison.Finding) string {
	if f.Verdict != gate.Regressed {
		return ""
	}
	var words []string
	for i := range f.Parts {
		if p := &f.Parts[i]; p.Moved() && (i == 0 || 10*p.Change.Abs() >= f.Parts[0].Change.Abs()) {
			words = append(words, fmt.Sprintf("%s moved by %s (%s to %s)", p.Name, Signed(&p.Change), Signed(p.Lower), Signed(p.Upper)))
		}
	}
	return strings.Join(words, ", ")
}

// Occasion says what made a part of the cold starts necessary: "the first of
// its version, or evicted before" of forced-cold.
func Occasion(start string) string {
	return map[string]string{
		sample.Forced.String():   "first of its version, or evicted",
		sample.Idle.String():     "keep-alive ran out",
		sample.Scaled.String():   "all others were busy",
		sample.Replaced.String(): "the one before had failed",
	}[start]
}

// Signed is a duration with its sign, "unknown" for none.
func Signed(d *time.Duration) string {
	switch {
	case d == nil:
		return "unknown"
	case *d > 0:
		return "+" + units.FormatDuration(*d)
	}
	return units.FormatDuration(*d)
}

func stateOf(d *comparison.Document) string {
	switch d.State {
	case comparison.OutOfTime:
		return fmt.Sprintf("The time budget of %s was used up after %s.", units.FormatDuration(d.Budget), units.FormatNoun(len(d.Pairs), "pair"))
	case comparison.Interrupted:
		return "Interrupted: compare --resume goes on where this ended."
	case comparison.Failed:
		return "A run failed: " + strings.TrimSuffix(Failure(d), ".") + "."
	}
	return "Not at its end: it is running, or was killed; compare --resume goes on."
}

// Failure is why a run of a comparison could not be made, in brief.
func Failure(d *comparison.Document) string { return units.FormatLine(d.Failure, summary.Brief) }

// comparisonNotes say how the pairs were made and which cannot be used.
func comparisonNotes(d *comparison.Document) []string {
	notes := slices.Concat(d.Notes, d.NotJudged)
	if d.Failure != Failure(d) {
		notes = append(notes, "why the run failed, in full: "+d.Failure)
	}
	if d.Costs != "" {
		notes = append(notes, d.Costs)
	}
	for i := range d.Pairs {
		p := &d.Pairs[i]
		for _, side := range []struct {
			name string
			run  *comparison.Run
		}{{comparison.Base, &p.Base}, {comparison.Head, &p.Head}} {
			if len(side.run.Invalid) > 0 {
				notes = append(notes, fmt.Sprintf("pair %d is not used: %s: %s", p.Number, side.name, strings.Join(side.run.Invalid, "; ")))
			}
		}
	}
	if len(d.Taken) > 0 {
		notes = append(notes, fmt.Sprintf("looked at %s pairs, of %s planned; each look spends an equal part of the risk", numbers(d.Taken), numbers(d.Looks)))
	}
	return notes
}

func numbers(list []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]")
}
