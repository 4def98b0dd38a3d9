package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/reports/ci"
)

// outputFlags are the forms in which findings go to continuous integration.
type outputFlags struct {
	JUnit    string `name:"junit" placeholder:"FILE" help:"Write JUnit XML: a test case a rule."`
	Markdown string `placeholder:"FILE" help:"Write Markdown, for a comment."`
	Badge    string `placeholder:"FILE" help:"Write the JSON of a shields.io badge."`
	Benchfmt string `placeholder:"FILE" help:"Write each run's figures for benchstat (benchstat -col side FILE)."`
	GitHub   bool   `name:"github" help:"Annotate the workflow's run, and add to its step summary."`
}

// write writes the forms that were asked for; one that fails does not keep the
// others from it.
func (o *outputFlags) write(w *World, d *gate.Document) error {
	var failed error
	for _, form := range []struct {
		path  string
		write func(io.Writer, *gate.Document) error
	}{{o.JUnit, ci.JUnit}, {o.Markdown, ci.Markdown}, {o.Badge, ci.Badge}, {o.Benchfmt, ci.Benchmarks}} {
		if form.path != "" {
			failed = errors.Join(failed, writeTo(form.path, os.O_TRUNC, d, form.write))
		}
	}
	if o.GitHub {
		failed = errors.Join(failed, o.tellGitHub(w, d))
	}
	return failed
}

// tellGitHub writes annotations to stderr, which the runner reads like stdout:
// stdout may be a document.
func (o *outputFlags) tellGitHub(w *World, d *gate.Document) error {
	err := ci.Annotations(w.Stderr, d)
	path := w.Env("GITHUB_STEP_SUMMARY")
	if path == "" {
		fmt.Fprintln(w.Stderr, "coldcurve: warning: --github: GITHUB_STEP_SUMMARY is not set, so there is no step summary to add to")
		return err
	}
	return errors.Join(err, writeTo(path, os.O_APPEND, d, ci.Markdown))
}

// writeTo writes a document to a file that is emptied first (os.O_TRUNC) or
// added to (os.O_APPEND).
func writeTo(path string, how int, d *gate.Document, write func(io.Writer, *gate.Document) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(f, d), f.Close())
}
