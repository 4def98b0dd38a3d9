package cli

import (
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
	judged.Document.Version, judged.Document.Started = buildVersion(), w.Now()
	page := reports.JudgementOf(doc, judged)
	if page.Trends, err = trendsOf(w, judged, c.store(), base, head); err != nil {
		return err
	}
	if err := renderComparison(c.Report, page); err != nil {
		return &unsavedError{err}
	}
	return sayReport(w, c.Report, c.JSON)
}
