package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/text"
	"github.com/coldcurve/coldcurve/scenarios/drive"
	"github.com/coldcurve/coldcurve/scenarios/pairs"
)

// presentComparison prints what a comparison has found and puts pictures and a
// page into its directory. One that has just ended and one that was killed last
// week go the same way.
func presentComparison(w *World, c *comparison.Comparison, store baseline.Store, asJSON bool) ([]gate.Record, error) {
	report := reports.ComparisonOf(c)
	var err error
	if report.Trends, err = trendsOf(w, c, store); err != nil {
		return nil, err
	}
	if asJSON {
		if err := printJSON(w.Stdout, &c.Document); err != nil {
			return nil, err
		}
	} else if err := text.Comparison(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), report); err != nil {
		return nil, err
	}
	if err := renderComparison(c.Path, report); err != nil {
		return nil, &unsavedError{err}
	}
	return report.Findings, nil
}

// trendsOf are a comparison's over a store's baselines, but for those that are its
// sides.
func trendsOf(w *World, c *comparison.Comparison, store baseline.Store, sides ...*side) ([]*reports.Trend, error) {
	saved, err := store.List()
	if err != nil {
		fmt.Fprintf(w.Stderr, "coldcurve: warning: the trend leaves out: %v\n", err)
	}
	saved = slices.DeleteFunc(saved, func(b *baseline.Baseline) bool {
		return slices.ContainsFunc(sides, func(s *side) bool { return s.holds(b) })
	})
	return reports.TrendsOf(c, saved)
}

// sayReport tells where a directory's page is, unless a document was asked for.
func sayReport(w *World, dir string, asJSON bool) error {
	if asJSON {
		return nil
	}
	_, err := fmt.Fprintf(w.Stdout, "\nReport: %s\n", filepath.Join(dir, "report.html"))
	return err
}

// renderComparison writes everything that is derived from the runs.
func renderComparison(dir string, report *reports.Comparison) error {
	return renderPage(dir, chart.Comparison(report), func(page io.Writer) error { return html.Comparison(page, report) })
}

// pairProgress tells how a comparison is getting on.
type pairProgress struct {
	*progress
	// of is which of several comparisons it is, "" where there is one. Of
	// several, runs are told of only where that can be overwritten.
	of    string
	words string
}

func newPairProgress(w *World, c *comparison.Comparison) *pairProgress {
	return &pairProgress{progress: newProgress(w, c.Document.Scenario)}
}

// next is told before each run.
func (p *pairProgress) next(now pairs.Progress) {
	p.words = p.of + now.Words()
	if !p.w.Terminal.Err && p.of == "" {
		fmt.Fprintf(p.w.Stderr, "coldcurve: %s\n", p.words)
	}
}

// within is told a few times a second of the run that is being made.
func (p *pairProgress) within(now drive.Progress) {
	if p.w.Terminal.Err {
		fmt.Fprintf(p.w.Stderr, "\r%s\x1b[K", fit(p.words+"; "+p.line(now), p.w.Terminal.Width))
		p.open = true
	}
}
