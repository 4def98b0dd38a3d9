package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/text"
)

// presentMatrix prices what was measured on each platform, prints the table
// unless quiet, and puts pictures and a page into the directory. One that has
// just ended and one that was killed last week go the same way.
func presentMatrix(w *World, m *matrix.Matrix, given pricing, quiet bool) error {
	for i := range m.Document.Platforms {
		p := &m.Document.Platforms[i]
		if p.Runs == 0 || p.Invalid != nil || p.Sent == p.Errors {
			continue
		}
		var err error
		if p.Cost, err = monthOf(m.Usable(p.Name), m.Pooled(p.Name).Select(summary.Selection{}).Latency.P99, given); err != nil {
			return err
		}
	}
	report := reports.MatrixOf(m)
	if !quiet {
		if err := text.Matrix(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), report); err != nil {
			return err
		}
	}
	if err := renderMatrix(m, report); err != nil {
		return &unsavedError{err}
	}
	if quiet {
		return nil
	}
	_, err := fmt.Fprintf(w.Stdout, "\nReport: %s\n", filepath.Join(m.Path, "report.html"))
	return err
}

// renderMatrix writes everything that is derived from the runs.
func renderMatrix(m *matrix.Matrix, report *reports.Matrix) error {
	if err := m.Save(); err != nil {
		return err
	}
	return renderPage(m.Path, chart.Matrix(report), func(page io.Writer) error { return html.Matrix(page, report) })
}

// renderPage writes a directory's pictures and its page.
func renderPage(dir string, charts []chart.Chart, write func(io.Writer) error) error {
	if _, err := chart.WriteDir(filepath.Join(dir, "charts"), charts); err != nil {
		return err
	}
	page, err := os.Create(filepath.Join(dir, "report.html"))
	if err != nil {
		return err
	}
	defer page.Close()
	if err := write(page); err != nil {
		return err
	}
	return page.Close()
}
