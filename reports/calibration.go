package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Calibration is how often a comparison was wrong, as it is shown.
type Calibration struct {
	Document *calibration.Document
	Notes    []string
}

// CalibrationOf is a calibration as it is shown.
func CalibrationOf(d *calibration.Document) *Calibration {
	c := &Calibration{Document: d}
	s := &d.Setup
	c.Notes = append(c.Notes,
		fmt.Sprintf("%s, margin %s, risk %s, looks at %s pairs; limits are Clopper and Pearson's, each at 95%% on its side",
			s.Subject(), units.FormatShare(s.Margin), units.FormatShare(s.Risk), numbers(s.Looks)),
		"slowed down: each start's init stands still, really, for that share of base's figure in the comparison before")
	if l := d.Level; l != nil && l.Comparisons > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("without a margin, the first %d pairs of %s with itself are called slower in %d and faster in %d; a test of %s makes at most %d of each (95%%)",
			l.Pairs, units.FormatNoun(l.Comparisons, "comparison"), l.Slower, l.Faster, units.FormatShare(s.Risk), l.Allowed))
	}
	c.Notes = append(c.Notes, fmt.Sprintf("made %s on %s, by coldcurve %s", days(d.Began, d.Ended), machine(&d.Host), strings.Join(d.Versions, ", ")))
	return c
}

// Answer is what the calibration comes to, a sentence for each effect.
func (c *Calibration) Answer() []string {
	out := []string{}
	for i := range c.Document.Effects {
		out = append(out, found(&c.Document.Setup, &c.Document.Effects[i]))
	}
	if len(out) == 0 {
		out = append(out, "No comparison has been made yet.")
	}
	return out
}

func found(s *calibration.Setup, e *calibration.Effect) string {
	switch {
	case e.Effect == 0 && e.Judged == 0:
		return "No comparison of a function with itself could be judged."
	case e.Effect == 0:
		return fmt.Sprintf("Of %s of a function with itself %d were called a regression: %s, at most %s with 95%% confidence; a nominal %s lets %d pass: %s.",
			units.FormatNoun(e.Judged, "comparison"), e.Alarms(), units.FormatShare(e.Share), units.FormatShare(e.AtMost), units.FormatShare(s.Risk), *e.Allowed, kept(e))
	}
	sentence := fmt.Sprintf("A start slowed down by %s was found in %d of %s: %s, at least %s with 95%% confidence",
		units.FormatShare(e.Effect), e.Alarms(), units.FormatNoun(e.Judged, "comparison"), units.FormatShare(e.Share), units.FormatShare(e.AtLeast))
	if e.Needed != nil {
		sentence += fmt.Sprintf("; promised are %s: %s", units.FormatShare(s.Power), kept(e))
	}
	return sentence + "."
}

func kept(e *calibration.Effect) string {
	if e.Held {
		return "kept"
	}
	return "NOT KEPT"
}

// Others are the comparisons that were called neither regressed nor equivalent,
// in words; "" for none.
func Others(e *calibration.Effect) string {
	var words []string
	for _, v := range []gate.Verdict{gate.Improved, gate.Inconclusive, gate.Incomparable, gate.Invalid} {
		if n := e.Verdicts[v]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(words, ", ")
}

// Calibrated says in a line what a calibration has found, how old it is, and
// whether it is of this machine.
func Calibrated(d *calibration.Document, here rundir.Host, now time.Time) string {
	var words []string
	for i := range d.Effects {
		e := &d.Effects[i]
		switch {
		case e.Effect == 0:
			words = append(words, fmt.Sprintf("%d false alarms in %s (at most %s)", e.Alarms(), units.FormatNoun(e.Judged, "comparison"), units.FormatShare(e.AtMost)))
		case e.Effect == d.Setup.Detect:
			words = append(words, fmt.Sprintf("+%s found in %d of %d (at least %s)", units.FormatShare(e.Effect), e.Alarms(), e.Judged, units.FormatShare(e.AtLeast)))
		}
	}
	if len(words) == 0 {
		words = []string{"nothing that is promised was tried"}
	}
	where := "this machine"
	if differences := gate.Unlike(baseline.Machine(here), baseline.Machine(d.Host)); len(differences) > 0 {
		where = "ANOTHER machine, which differs in " + strings.Join(differences, ", ")
	}
	return fmt.Sprintf("the gate was calibrated %s on %s, by adjacent pairs, with %s and a margin of %s: %s",
		ago(now.Sub(d.Ended)), where, d.Setup.Subject(), units.FormatShare(d.Setup.Margin), strings.Join(words, ", "))
}

func ago(age time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case age < 2*time.Hour:
		return "just now"
	case age < 2*day:
		return units.FormatNoun(int64(age/time.Hour), "hour") + " ago"
	}
	return units.FormatNoun(int64(age/day), "day") + " ago"
}

func days(from, to time.Time) string {
	first, last := from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly)
	if first == last {
		return first
	}
	return first + " to " + last
}

func machine(h *rundir.Host) string {
	words := []string{h.CPU, units.FormatNoun(h.Cores, "core"), strings.TrimSpace(h.OS + " " + h.Kernel)}
	if h.Virtual != "" {
		words = append(words, "virtual")
	}
	if h.Container != "" {
		words = append(words, "limited to "+h.Container)
	}
	return strings.TrimPrefix(strings.Join(words, ", "), ", ")
}
