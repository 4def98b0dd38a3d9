package cli

import (
	"errors"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

type reportCmd struct {
	Dir  []string `arg:"" name:"dir" help:"Run directories."`
	JSON bool     `name:"json" help:"Print one JSON document (coldcurve schema summary) instead of tables."`
}

// Run renders each directory again, from its samples.
func (c *reportCmd) Run(w *World) error {
	doc := summary.Document{Schema: summary.Schema, Runs: []summary.Run{}}
	var failed error
	for _, path := range c.Dir {
		dir, err := rundir.Open(path)
		if err != nil {
			return &failure{code: exitUsage, err: err}
		}
		run, err := present(w, dir, c.JSON)
		if run != nil {
			doc.Runs = append(doc.Runs, *run)
		}
		failed = errors.Join(failed, err)
	}
	if c.JSON {
		if err := printJSON(w.Stdout, doc); err != nil {
			return err
		}
	}
	return failed
}
