package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/text"
)

// pageFunctions is how many functions have a row in a page's table.
const pageFunctions = 50

// keep writes a result directory.
func (c *simulateCmd) keep(w *World, o *study.Outcome) error {
	o.Version, o.Command, o.Started, o.Host = version, w.Args, w.Now().UTC(), rundir.HostFacts()
	if err := o.Write(c.Out); err != nil {
		return occupied(err)
	}
	return renderOutcome(c.Out, o)
}

// occupied is the caller's fault where a result's directory holds something.
func occupied(err error) error {
	if e, ok := errors.AsType[*study.OccupiedError](err); ok {
		return &failure{code: exitUsage, err: e, hint: "name a folder that is not there yet"}
	}
	return err
}

// simulated is a result as renderers show it.
func simulated(o *study.Outcome, top int) (*reports.Simulated, []chart.Chart) {
	if o.Sweep != nil {
		return reports.OfSweep(o.Sweep), chart.OfSweep(o.Sweep)
	}
	return reports.OfSimulation(o.Simulation, top), chart.OfSimulation(o.Simulation)
}

// renderOutcome puts charts and page into a result directory.
func renderOutcome(dir string, o *study.Outcome) error {
	report, charts := simulated(o, pageFunctions)
	if len(charts) > 0 {
		if _, err := chart.WriteDir(filepath.Join(dir, "charts"), charts); err != nil {
			return err
		}
	}
	report.Method = append(report.Method,
		reports.Fact{Name: "command", Value: "coldcurve " + strings.Join(o.Command, " ")},
		reports.Fact{Name: "simulated", Value: o.Started.Format("2 January 2006, 15:04:05 UTC")},
		reports.Fact{Name: "version", Value: o.Version},
	)
	for _, f := range []reports.File{
		{Path: "simulation.json", Holds: "every figure; coldcurve schema simulation explains it"},
		{Path: "sweep.json", Holds: "every figure of every policy; coldcurve schema sweep explains it"},
		{Path: "durations.json", Holds: "histograms of response times and of service times"},
		{Path: "usage.json", Holds: "who has used what, for a bill: coldcurve cost reads this folder"},
		{Path: "manifest.json", Holds: "command, seed, version, machine"},
	} {
		if _, err := os.Stat(filepath.Join(dir, f.Path)); err == nil {
			report.Files = append(report.Files, f)
		}
	}
	page, err := os.Create(filepath.Join(dir, "report.html"))
	if err != nil {
		return err
	}
	defer page.Close()
	if err := html.Simulated(page, report, charts); err != nil {
		return err
	}
	return page.Close()
}

// presentOutcome renders a result directory again, and prints it.
func presentOutcome(w *World, dir string, asJSON bool) error {
	o, err := study.OpenOutcome(dir)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	switch {
	case asJSON && o.Sweep != nil:
		err = printJSON(w.Stdout, o.Sweep)
	case asJSON:
		err = printJSON(w.Stdout, o.Simulation)
	default:
		report, _ := simulated(o, shownFunctions)
		err = text.Simulated(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), report)
	}
	if err != nil {
		return err
	}
	if err := renderOutcome(dir, o); err != nil {
		return &unsavedError{err}
	}
	if !asJSON {
		_, err = fmt.Fprintf(w.Stdout, "\nReport: %s\n", filepath.Join(dir, "report.html"))
	}
	return err
}

// shownFunctions is how many functions have a row in a table where nobody says.
const shownFunctions = 10
