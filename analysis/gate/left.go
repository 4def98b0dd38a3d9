package gate

import (
	"fmt"
	"slices"
	"strings"
)

// Left are runs of a side that a finding does not rest on: why, and of how many.
type Left struct {
	Of   int   // runs that the side had
	Runs []Out // those left out
}

// Out is a run that was left out.
type Out struct {
	Run string `json:"run"`
	Why string `json:"why"`
	// Unusable says that the whole run must not be used, whatever the figure.
	Unusable bool `json:"unusable,omitempty"`
	// Missing says that the run is sound and lacks the figure.
	Missing bool `json:"missing,omitempty"`
}

// share is the share of a side's runs that were left out.
func (l *Left) share() float64 {
	if l.Of == 0 {
		return 0
	}
	return float64(len(l.Runs)) / float64(l.Of)
}

// words name the runs of a side that are picked, each reason once; "" for none.
func (l *Left) words(side string, pick func(Out) bool) string {
	var reasons []string // in the order of their first runs
	runs, n := make(map[string][]string), 0
	for _, out := range l.Runs {
		if !pick(out) {
			continue
		}
		if runs[out.Why] == nil {
			reasons = append(reasons, out.Why)
		}
		runs[out.Why] = append(runs[out.Why], out.Run)
		n++
	}
	if n == 0 {
		return ""
	}
	for i, why := range reasons {
		reasons[i] = Several(runs[why], ", ") + ": " + why
	}
	return fmt.Sprintf("%d of %d runs of %s are left out (%s)", n, l.Of, side, Several(reasons, "; "))
}

// Several joins the first few of the words, and says how many more there are.
func Several(words []string, separator string) string {
	const most = 3
	if len(words) <= most+1 {
		return strings.Join(words, separator)
	}
	return strings.Join(words[:most], separator) + separator + fmt.Sprintf("and %d more", len(words)-most)
}

// LeftOut says which runs findings do not rest on, and why: of each side those
// that must not be used, once, and for figures those that lack them.
func LeftOut(records []Record) []string {
	var unusable, lacking []string
	figures := make(map[string][]string) // that runs lack, by the sentence that says so
	for i := range records {
		for at, side := range []string{"base", "head"} {
			left := records[i].left(at)
			if words := left.words(side, func(o Out) bool { return o.Unusable }); words != "" && !slices.Contains(unusable, words) {
				unusable = append(unusable, words)
			}
			words, subject := left.words(side, func(o Out) bool { return !o.Unusable }), records[i].Subject()
			if words == "" || slices.Contains(figures[words], subject) {
				continue
			}
			if figures[words] == nil {
				lacking = append(lacking, words)
			}
			figures[words] = append(figures[words], subject)
		}
	}
	for i, words := range lacking {
		lacking[i] = Several(figures[words], ", ") + ": " + words
	}
	return append(unusable, lacking...)
}

func (r *Record) left(side int) *Left { return &Left{Of: r.Given[side], Runs: r.LeftRuns[side]} }

// sift takes back what is said in favour of a head that lost more of its runs
// than base did: one that overloads loses its worst runs first, and those that
// are left tell nothing of it. What they say against it stands.
func (f *Finding) sift() {
	base, head := &f.Left[0], &f.Left[1]
	if f.Verdict != Equivalent && f.Verdict != Improved || head.share() <= base.share() {
		return
	}
	f.Why = fmt.Sprintf("head lost %d of its %d runs, base %d of %d: the others would be %s, and the worst may be those that are missing",
		len(head.Runs), head.Of, len(base.Runs), base.Of, f.Verdict)
	f.Verdict = Invalid
}
