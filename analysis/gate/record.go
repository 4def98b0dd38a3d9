package gate

import (
	"fmt"
	"math"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/metric"
)

// Record is a finding as documents keep it and reports show it. What is unknown
// or infinite is nil.
type Record struct {
	budget.Budget
	Margin   float64 `json:"margin,omitempty"` // as in [Rule]
	Severity string  `json:"severity"`

	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why"`
	Cause   string  `json:"cause,omitempty"` // of a regression, in words: which phase of the requests moved, where a comparison knows
	Look    int     `json:"look,omitempty"`  // number of pairs at which the verdict was reached; 0 without looks

	Runs [2]int `json:"runs"`               // of base and head that it rests on
	Left int    `json:"left_out,omitempty"` // number of LeftRuns
	// Given are the runs that base and head had, LeftRuns those of them that
	// were left out.
	Given    [2]int   `json:"given"`
	LeftRuns [2][]Out `json:"left_out_runs,omitzero"`

	Base *float64 `json:"base"` // medians of the runs' figures, in the metric's unit (nanoseconds, a share, a count, per second)
	Head *float64 `json:"head"`
	// Relative says that the change, its limits and what is detectable are
	// shares of base's figure; else they are differences in its unit.
	Relative bool     `json:"relative"`
	Change   *float64 `json:"change"`
	Lower    *float64 `json:"lower"`
	Upper    *float64 `json:"upper"`
	// ConfidenceLevel is that of Lower and Upper, each by itself: both together
	// miss with at most twice the rest. HeadConfidenceLevel is that of HeadLower
	// and HeadUpper. 0 where there are no such limits.
	ConfidenceLevel     float64 `json:"confidence_level,omitempty"`
	HeadConfidenceLevel float64 `json:"head_confidence_level,omitempty"`
	// Standing is where head's median lies by the absolute limits, HeadLower and
	// HeadUpper its limits, HeadNeeded how many runs it takes to tell; all as in
	// [Finding].
	Standing   Standing `json:"standing,omitempty"`
	HeadLower  *float64 `json:"head_lower,omitempty"`
	HeadUpper  *float64 `json:"head_upper,omitempty"`
	HeadNeeded *float64 `json:"head_needed,omitempty"`

	PWorse     float64  `json:"p_worse"`
	PSame      float64  `json:"p_same"`
	PBetter    float64  `json:"p_better"`
	Detectable *float64 `json:"detectable"`
	// DetectableAt is the number of pairs, or of runs of each side, that detect
	// Detectable; 0 for a rule without a margin.
	DetectableAt int      `json:"detectable_at,omitempty"`
	Needed       *float64 `json:"needed_pairs"`
}

// Record is the finding as documents keep it.
func (f *Finding) Record() Record {
	r := Record{
		Budget: f.Rule.Budget, Margin: f.Rule.Margin, Severity: f.Rule.Severity.String(),
		Verdict: f.Verdict, Why: f.Why, Look: f.Look, Runs: f.Runs,
		Left: len(f.Left[0].Runs) + len(f.Left[1].Runs), Given: [2]int{f.Left[0].Of, f.Left[1].Of}, LeftRuns: [2][]Out{f.Left[0].Runs, f.Left[1].Runs},
		Base: finite(f.Base), Head: finite(f.Head), Relative: f.Rule.relative(),
		PWorse: f.PWorse, PSame: f.PSame, PBetter: f.PBetter,
		Standing: f.Standing, HeadLower: finite(f.HeadLower), HeadUpper: finite(f.HeadUpper), HeadNeeded: finite(f.HeadNeeded),
	}
	if f.Rule.Margin > 0 {
		r.Change, r.Lower, r.Upper = finite(f.Change), finite(f.Lower), finite(f.Upper)
		r.Detectable, r.Needed, r.DetectableAt = finite(f.Detectable), finite(f.Needed), f.DetectableAt
	}
	if r.Lower != nil || r.Upper != nil {
		r.ConfidenceLevel = f.Confidence
	}
	if r.HeadLower != nil || r.HeadUpper != nil {
		r.HeadConfidenceLevel = f.HeadConfidence
	}
	return r
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Allowance is the margin as a change: what is lost of a figure of which more is
// better is below 0.
func (r *Record) Allowance() float64 {
	if better(r.Metric) {
		return -r.Margin
	}
	return r.Margin
}

// Value writes a figure of the record's metric, "-" for none.
func (r *Record) Value(v *float64) string {
	if v == nil {
		return "-"
	}
	return metric.FormatValue(metric.Metric(r.Metric), *v)
}

// Difference writes a change, "-" for none: "+14.8%", of shares "+1.2 points",
// of counts "+3".
func (r *Record) Difference(v *float64) string {
	switch {
	case v == nil:
		return "-"
	case r.Relative:
		return fmt.Sprintf("%+.1f%%", 100**v)
	case metric.Metric(r.Metric).Unit() == metric.Share:
		return fmt.Sprintf("%+.2f points", 100**v)
	}
	return fmt.Sprintf("%+.3g", *v)
}

// Holds says that nothing got worse, as far as the record's rule goes.
func (r *Record) Holds() bool { return r.Verdict == Equivalent || r.Verdict == Improved }

// Overall is what several verdicts come to, the worst of them; one that does not
// hold, and whose rule does not fail the gate, counts as Warned.
func Overall(records []Record) Verdict {
	// Worst last: what broke counts for more than what cannot be told.
	order := []Verdict{Improved, Equivalent, Warned, Inconclusive, Incomparable, Invalid, Regressed}
	worst := 0
	for i := range records {
		v := records[i].Verdict
		if records[i].Severity == Warn.String() && !records[i].Holds() {
			v = Warned
		}
		worst = max(worst, slices.Index(order, v))
	}
	return order[worst]
}
