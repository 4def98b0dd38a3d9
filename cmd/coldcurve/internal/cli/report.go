package cli

import (
	"errors"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

type reportCmd struct {
	Dir []string `arg:"" name:"dir" help:"Run directories, or those of comparisons."`

	pricing `embed:""`

	JSON bool `name:"json" help:"Print one JSON document (coldcurve schema summary) instead of tables."`
}

// Run renders each directory again, from its samples. One that cannot be read
// does not keep the others from it.
func (c *reportCmd) Run(w *World) error {
	doc := summary.Document{Schema: summary.Schema, Runs: []summary.Run{}}
	var failed error
	compared := 0
	for _, path := range c.Dir {
		if comparison.Is(path) {
			compared++
			failed = errors.Join(failed, c.comparison(w, path))
			continue
		}
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
	if c.JSON && compared < len(c.Dir) {
		if err := printJSON(w.Stdout, doc); err != nil {
			return err
		}
	}
	return failed
}

// comparison renders a comparison's directory again.
func (c *reportCmd) comparison(w *World, path string) error {
	made, err := comparison.Open(path)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	_, err = presentComparison(w, made, c.JSON)
	return err
}
