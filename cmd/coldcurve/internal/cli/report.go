package cli

import (
	"errors"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

type reportCmd struct {
	Dir []string `arg:"" name:"dir" help:"Run directories."`

	pricing `embed:""`

	JSON bool `name:"json" help:"Print one JSON document (coldcurve schema summary) instead of tables."`
}

// Run renders each directory again, from its samples. One that cannot be read
// does not keep the others from it.
func (c *reportCmd) Run(w *World) error {
	doc := summary.Document{Schema: summary.Schema, Runs: []summary.Run{}}
	var failed error
	for _, path := range c.Dir {
		dir, err := rundir.Open(path)
		if err != nil {
			failed = errors.Join(failed, &failure{code: exitUsage, err: err})
			continue
		}
		run, err := present(w, dir, c.pricing, c.JSON)
		if run != nil {
			doc.Runs = append(doc.Runs, *run)
		}
		if unsaved, ok := errors.AsType[*unsavedError](err); ok {
			fmt.Fprintf(w.Stderr, "coldcurve: warning: %v\n", unsaved)
			continue // what was asked for, to see it again, is done
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
