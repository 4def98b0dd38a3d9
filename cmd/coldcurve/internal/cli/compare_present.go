package cli

import (
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/text"
	"github.com/coldcurve/coldcurve/scenarios/drive"
	"github.com/coldcurve/coldcurve/scenarios/pairs"
)

// presentComparison prints what a comparison has found. One that has just ended and one that was killed last
// week go the same way.
func presentComparison(w *World, c *comparison.Comparison, asJSON bool) ([]gate.Record, error) {
	report := reports.ComparisonOf(c)
	if asJSON {
		if err := printJSON(w.Stdout, &c.Document); err != nil {
			return nil, err
		}
	} else if err := text.Comparison(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), report); err != nil {
		return nil, err
	}
	return report.Findings, nil
}

// pairProgress tells how a comparison is getting on.
type pairProgress struct {
	*progress
	words string
}

func newPairProgress(w *World, c *comparison.Comparison) *pairProgress {
	return &pairProgress{progress: newProgress(w, c.Document.Scenario)}
}

// next is told before each run.
func (p *pairProgress) next(now pairs.Progress) {
	p.words = now.Words()
	if !p.w.Terminal.Err {
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
