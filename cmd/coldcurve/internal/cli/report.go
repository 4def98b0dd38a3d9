package cli

import (
	"errors"
	"fmt"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

type reportCmd struct {
	Dir []string `arg:"" name:"dir" help:"Directories of runs, of comparisons, of matrices, of searches for a keep-alive, or of what simulate --out has kept."`

	pricing     `embed:""`
	storeFlags  `embed:""`
	outputFlags `embed:"" group:"For continuous integration, of a comparison"`

	JSON bool `name:"json" help:"Print JSON instead of tables: one document of all runs (coldcurve schema summary), one of each simulation."`
}

// Run renders each directory again, from its samples. One that cannot be read
// does not keep the others from it.
func (c *reportCmd) Run(w *World) error {
	if err := c.check(); err != nil {
		return err
	}
	doc := summary.Document{Schema: summary.Schema, Runs: []summary.Run{}}
	var failed error
	others := 0 // that are no runs
	for _, path := range c.Dir {
		if study.IsOutcome(path) {
			others++
			failed = errors.Join(failed, stored(w, presentOutcome(w, path, c.JSON)))
			continue
		}
		if comparison.Is(path) {
			others++
			failed = errors.Join(failed, c.comparison(w, path))
			continue
		}
		if matrix.Is(path) {
			others++
			failed = errors.Join(failed, c.matrix(w, path))
			continue
		}
		if keepalive.Is(path) {
			others++
			failed = errors.Join(failed, c.keepAlive(w, path))
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
		failed = errors.Join(failed, stored(w, err))
	}
	if c.JSON && others < len(c.Dir) {
		if err := printJSON(w.Stdout, doc); err != nil {
			return err
		}
	}
	return failed
}

// check refuses forms for continuous integration of what has no verdicts, and of
// several comparisons into one file.
func (c *reportCmd) check() error {
	if c.outputFlags == (outputFlags{}) || len(c.Dir) == 1 && comparison.Is(c.Dir[0]) {
		return nil
	}
	return &failure{
		code: exitUsage, err: errors.New("--junit, --markdown, --badge, --benchfmt and --github are of one comparison's directory"),
		hint: "coldcurve gate --base RUNS --head RUNS writes them of runs",
	}
}

// comparison renders a comparison's directory again.
func (c *reportCmd) comparison(w *World, path string) error {
	made, err := comparison.Open(path)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	defer made.Close()
	_, err = presentComparison(w, made, c.store(), c.JSON)
	return errors.Join(stored(w, err), sayReport(w, made.Path, c.JSON), c.write(w, documentOf(made)))
}

// matrix renders a matrix's directory again.
func (c *reportCmd) matrix(w *World, path string) error {
	m, err := matrix.Open(path)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	err = stored(w, presentMatrix(w, m, c.pricing, c.JSON))
	if c.JSON {
		err = errors.Join(err, printJSON(w.Stdout, &m.Document))
	}
	return err
}

// keepAlive renders a search's directory again.
func (c *reportCmd) keepAlive(w *World, path string) error {
	d, err := keepalive.Open(path)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	return stored(w, presentKeepAlive(w, path, d, c.JSON))
}

// stored only warns of a report that was not: what was asked for, to see it
// again, is done.
func stored(w *World, err error) error {
	if unsaved, ok := errors.AsType[*unsavedError](err); ok {
		fmt.Fprintf(w.Stderr, "coldcurve: warning: %v\n", unsaved)
		return nil
	}
	return err
}
