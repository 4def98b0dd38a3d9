package cli

import (
	"fmt"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
)

// render writes the page of what was judged, if one is wanted, and says where it
// is. Its trends are over the store's baselines, but for those that are a side.
func (c *judgeCmd) render(w *World, policy *gate.Policy, doc *gate.Document, base, head *side) error {
	if c.Report == "" {
		return nil
	}
	judged, err := comparison.Unpaired(policy, base.runs, head.runs, doc.Findings)
	if err != nil {
		return err
	}
	judged.Document.Version, judged.Document.Started = version, w.Now()
	page := reports.JudgementOf(doc, judged)
	saved, err := c.store().List()
	if err != nil {
		fmt.Fprintf(w.Stderr, "coldcurve: warning: the trend leaves out: %v\n", err)
	}
	saved = slices.DeleteFunc(saved, func(b *baseline.Baseline) bool { return base.holds(b) || head.holds(b) })
	if page.Trends, err = reports.TrendsOf(judged, saved); err != nil {
		return err
	}
	if err := renderComparison(c.Report, page); err != nil {
		return &unsavedError{err}
	}
	return sayReport(w, c.Report, c.JSON)
}
