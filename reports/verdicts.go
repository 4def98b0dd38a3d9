package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Verdicts is what was found between two sides, as it is shown.
type Verdicts struct {
	Title      string // what was compared
	Base, Head string // the sides, in words
	Paired     bool   // each run of one side was made beside one of the other
	Findings   []gate.Record
	LeftOut    []string // which runs the findings do not rest on, and why
	Notes      []string // what else a reader must know
}

// Answer is what the verdicts come to, in one sentence a rule that is not
// simply held, the worst first, and one for all others; then the runs that were
// left out.
func (v *Verdicts) Answer() []string {
	var out, same []string
	for _, verdict := range []gate.Verdict{gate.Regressed, gate.Invalid, gate.Incomparable, gate.Inconclusive, gate.Improved, gate.Equivalent} {
		for i := range v.Findings {
			f := &v.Findings[i]
			switch {
			case f.Verdict != verdict:
			case verdict == gate.Equivalent && slices.Contains(same, f.Subject()): // by another rule
			case verdict == gate.Equivalent:
				same = append(same, f.Subject())
			case slices.Contains(out, v.sentence(f)): // by another rule, for the same reason
			default:
				out = append(out, v.sentence(f))
			}
		}
	}
	switch {
	case len(same) > 0 && len(out) == 0:
		out = append(out, "Nothing got worse: "+list(same)+": equivalent.")
	case len(same) > 0:
		out = append(out, "Equivalent: "+list(same)+".")
	}
	for _, sentence := range v.LeftOut {
		out = append(out, sentence+".")
	}
	return out
}

// sentence is a finding's in the answer. What keeps a figure from a verdict keeps
// others from it, too, mostly: one sentence names them together.
func (v *Verdicts) sentence(f *gate.Record) string {
	if f.Verdict != gate.Invalid && f.Verdict != gate.Inconclusive {
		return Finding(f)
	}
	var subjects []string
	for i := range v.Findings {
		if o := &v.Findings[i]; o.Verdict == f.Verdict && o.Why == f.Why && !slices.Contains(subjects, o.Subject()) {
			subjects = append(subjects, o.Subject())
		}
	}
	return list(subjects) + ": " + string(f.Verdict) + ": " + f.Why + "."
}

// Finding says a finding in a sentence: "init.mean of shop got 14.8% slower
// (12.1% to 17.3%): regressed." What makes the sides incomparable is not the
// figure's, and does not name it.
func Finding(f *gate.Record) string {
	if f.Verdict == gate.Incomparable {
		return "Incomparable: " + f.Why + "."
	}
	words := f.Subject() + ": " + string(f.Verdict) + ": " + f.Why
	compared := f.Change != nil && f.Standing != gate.Beyond && (f.Verdict == gate.Regressed || f.Verdict == gate.Improved)
	if compared && f.Relative {
		words = fmt.Sprintf("%s got %.1f%% %s%s: %s", f.Subject(), 100*math.Abs(*f.Change), direction(f), limits(f), f.Verdict)
	} else if compared {
		words = fmt.Sprintf("%s went from %s to %s: %s", f.Subject(), f.Value(f.Base), f.Value(f.Head), f.Verdict)
	}
	if f.Cause != "" {
		words += "; " + f.Cause
	}
	return words + "."
}

func direction(f *gate.Record) string {
	up := *f.Change > 0
	switch {
	case metric.Metric(f.Metric).Unit() != metric.Duration && up:
		return "higher"
	case metric.Metric(f.Metric).Unit() != metric.Duration:
		return "lower"
	case up:
		return "slower"
	}
	return "faster"
}

// limits are a change's, in the sense that its direction has.
func limits(f *gate.Record) string {
	if f.Lower == nil || f.Upper == nil {
		return ""
	}
	low, high := 100**f.Lower, 100**f.Upper
	if *f.Change < 0 {
		low, high = -high, -low
	}
	return fmt.Sprintf(" (%.1f%% to %.1f%%)", low, high)
}

// Reasons say for each finding why, and what so many runs could have shown. Why
// there is no verdict is in the answer.
func (v *Verdicts) Reasons() []string {
	var list []string
	for i := range v.Findings {
		f := &v.Findings[i]
		var parts []string
		if f.Verdict == gate.Regressed || f.Holds() {
			parts = append(parts, f.Why)
		}
		if power := v.Power(f); power != "" {
			parts = append(parts, power)
		}
		if len(parts) > 0 {
			list = append(list, f.Subject()+": "+strings.Join(parts, "; "))
		}
	}
	return list
}

// Unit is what findings are counted in: pairs, or runs of each side.
func (v *Verdicts) Unit() string {
	if v.Paired {
		return "pairs"
	}
	return "runs"
}

// Counted is on how many of them a finding rests, of base and of head where they
// are not as many.
func Counted(f *gate.Record) string {
	if f.Runs[0] == f.Runs[1] {
		return strconv.Itoa(f.Runs[0])
	}
	return fmt.Sprintf("%d, %d", f.Runs[0], f.Runs[1])
}

// Power says what so many pairs could have shown of a finding, and how many it
// takes; "" where nothing is compared.
func (v *Verdicts) Power(f *gate.Record) string {
	ofHead := "runs of head"
	if v.Paired {
		ofHead = "pairs"
	}
	var parts []string
	have := min(f.Runs[0], f.Runs[1])
	counted := func(n int) string {
		if v.Paired {
			return units.FormatNoun(n, "pair")
		}
		return units.FormatNoun(n, "run") + " of each side"
	}
	switch {
	case f.Margin == 0 && (f.HeadNeeded == nil || f.Standing == gate.Astride): // which has it
		return ""
	case f.Margin == 0:
		return fmt.Sprintf("a verdict takes about %s %s", gate.Runs(*f.HeadNeeded), ofHead)
	case f.Detectable == nil && f.Verdict == gate.Incomparable:
		return ""
	case have == 0:
		return fmt.Sprintf("a verdict takes %s that have the figure, or more", counted(f.DetectableAt))
	case f.Detectable == nil:
		return fmt.Sprintf("how much runs vary is not known from %d of them, and so not what they detect: a verdict takes %s or more", have, counted(f.DetectableAt))
	case have < f.DetectableAt:
		parts = append(parts, fmt.Sprintf("no change is large enough for %s: %d detect one of %s", counted(have), f.DetectableAt, f.Difference(f.Detectable)))
	default:
		parts = append(parts, fmt.Sprintf("%s detect a change of %s", counted(have), f.Difference(f.Detectable)))
	}
	if f.Needed != nil && !strings.Contains(f.Why, "to rule out") { // which has it
		parts = append(parts, fmt.Sprintf("if nothing changed, to rule out one of %s takes about %s", f.Difference(new(f.Allowance())), gate.Runs(*f.Needed)))
	}
	return strings.Join(parts, "; ")
}

// Interval is a finding's limits: of the change, and for a rule of absolute limits
// alone of head's median; "-" where there are none.
func (v *Verdicts) Interval(f *gate.Record) string {
	switch {
	case f.HeadLower != nil && f.HeadUpper != nil && f.Margin == 0:
		return f.Value(f.HeadLower) + " to " + f.Value(f.HeadUpper)
	case f.Lower == nil && f.Upper == nil:
		return "-"
	}
	return ended(f, f.Lower, "-inf") + " to " + ended(f, f.Upper, "inf")
}

func ended(f *gate.Record, v *float64, open string) string {
	if v == nil {
		return open
	}
	return f.Difference(v)
}

func list(words []string) string {
	if last := len(words) - 1; last > 0 {
		return strings.Join(words[:last], ", ") + " and " + words[last]
	}
	return words[0]
}

// VerdictsOf is a document as it is shown.
func VerdictsOf(d *gate.Document) *Verdicts {
	return &Verdicts{
		Title: "The gate: " + string(d.Verdict), Base: sideOf(&d.Base), Head: sideOf(&d.Head),
		Paired: d.Paired, Findings: d.Findings, LeftOut: d.LeftOut, Notes: d.Notes,
	}
}

func sideOf(s *gate.Side) string {
	if len(s.Runs) == 1 {
		return s.Name + " (1 run)"
	}
	return fmt.Sprintf("%s (%d runs)", s.Name, len(s.Runs))
}
