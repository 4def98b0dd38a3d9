package reports_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// TestAComparisonThatFailed: why is in the answer in a line, and in full once,
// below; what fits into a line is said once. The level of intervals is told.
func TestAComparisonThatFailed(t *testing.T) {
	for failure, full := range map[string]int{"head: no such image": 0, "head: " + strings.Repeat("step failed; ", 40): 1} {
		c, err := comparison.Create(t.TempDir()+"/c", comparison.Document{Scenario: "cold"}, []byte("rules: [{metric: latency.p50, margin: 5%}]\n"), []byte("name: cold\n"))
		if err != nil {
			t.Fatal(err)
		}
		c.Document.Failure = failure
		if err := c.End(comparison.Failed, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		r := reports.ComparisonOf(c)
		answer := r.Answer()
		last := answer[len(answer)-1]
		if !strings.HasPrefix(last, "A run failed: head: ") || len(last) > len("A run failed: .")+summary.Brief {
			t.Errorf("the answer ends with %q", last)
		}
		if got := strings.Count(strings.Join(r.Notes, "\n"), failure); got != full {
			t.Errorf("%q is in the notes %d times, want %d: %q", failure, got, full, r.Notes)
		}
		if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "98.75% confidence") }) {
			t.Errorf("no note tells the level: %q", r.Notes)
		}
	}
}
