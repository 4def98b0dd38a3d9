// Package matrix owns the measurement of one scenario on several platforms in
// turn.
//
// In: which platforms, how often each goes through the scenario, and the run
// directories as they are made. Out: the order of the runs, in which no
// platform always comes first; a directory that can be read at any instant of
// its making: matrix.json (platforms, order, figures), scenario.yaml, and a run
// directory for each run; the figures of each platform over its runs. A
// platform that fails is in it with its reason beside those that did not. It
// makes no run, draws nothing and calls no platform better than another.
//
//	order.go     which run comes when
//	matrix.go    the directory, and how a matrix goes on
//	document.go  matrix.json, which is what --json prints
//	figures.go   a platform's runs -> its figures
package matrix

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/whole"
)

// FileName is the document within a matrix's directory.
const FileName = "matrix.json"

// Matrix is a matrix's directory. It is not safe for concurrent use.
type Matrix struct {
	Path     string
	Document Document

	made map[string][]*made // by platform, in the order in which they were made
}

// Create begins a matrix in a new directory, with every run of its order still
// to be made. The document says which platforms, how many rounds and which seed.
func Create(dir string, d Document, scenario []byte) (*Matrix, error) {
	d.Schema, d.State = Schema, Running
	d.Runs = order(&d)
	m := &Matrix{Path: dir, Document: d, made: make(map[string][]*made)}
	for i := range m.Document.Platforms {
		m.figures(&m.Document.Platforms[i])
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create matrix: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "scenario.yaml"), scenario, 0o644); err != nil {
		return nil, fmt.Errorf("create matrix: %w", err)
	}
	return m, m.Save()
}

// Is says whether a folder is a matrix's directory.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, FileName))
	return err == nil
}

// Open reads a matrix's directory, however far it came, and makes its figures
// anew.
func Open(dir string) (*Matrix, error) {
	m := &Matrix{Path: dir, made: make(map[string][]*made)}
	path := filepath.Join(dir, FileName)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open matrix: %w", err)
	}
	if err := whole.Decode(text, &m.Document); err != nil {
		return nil, fmt.Errorf("open matrix: %s is damaged: %w", path, err)
	}
	if m.Document.Schema != Schema {
		return nil, fmt.Errorf("open matrix: %s: schema %q, and this coldcurve reads %q", path, m.Document.Schema, Schema)
	}
	for i := range m.Document.Runs {
		if err := m.read(&m.Document.Runs[i]); err != nil {
			return nil, fmt.Errorf("open matrix: %w", err)
		}
	}
	for i := range m.Document.Platforms {
		m.figures(&m.Document.Platforms[i])
	}
	return m, nil
}

// Add takes a run that was made, or begun, and writes the document. A platform
// of which no request was answered with success has failed.
func (m *Matrix) Add(number int) error {
	run := &m.Document.Runs[number-1]
	if err := m.read(run); err != nil {
		return err
	}
	p := m.Document.Platform(run.Platform)
	m.figures(p)
	if p.Failure == "" && p.Sent > 0 && p.Sent == p.Errors {
		var causes []summary.Cause
		for _, r := range m.made[p.Name] {
			causes = append(causes, r.summary.Causes...)
		}
		p.Failure, p.Hint = summary.Silence(p.Sent, causes)
	}
	return m.Save()
}

// Fail says that a platform cannot go on, and what the reader can do about it.
// The first reason stays.
func (m *Matrix) Fail(platform, why, hint string) error {
	if p := m.Document.Platform(platform); p.Failure == "" {
		p.Failure, p.Hint = why, hint
	}
	return m.Save()
}

// End marks how the matrix came to its end.
func (m *Matrix) End(s State, at time.Time) error {
	m.Document.State, m.Document.Ended = s, at
	return m.Save()
}

// Pooled are the figures of a platform's runs that can be used, all together.
func (m *Matrix) Pooled(platform string) *summary.Kept { return pool(usable(m.made[platform])) }

// Usable are the directories of those runs.
func (m *Matrix) Usable(platform string) []*rundir.Dir {
	var list []*rundir.Dir
	for _, r := range usable(m.made[platform]) {
		list = append(list, r.dir)
	}
	return list
}

// Dirs are the run directories that are there, in the order in which they were
// made.
func (m *Matrix) Dirs() []*rundir.Dir {
	var list []*rundir.Dir
	for i := range m.Document.Runs {
		run := &m.Document.Runs[i]
		j := slices.IndexFunc(m.made[run.Platform], func(r *made) bool { return r.number == run.Number })
		if j >= 0 {
			list = append(list, m.made[run.Platform][j].dir)
		}
	}
	return list
}

// read reads a run, if it is there.
func (m *Matrix) read(run *Run) error {
	dir, err := rundir.Open(filepath.Join(m.Path, run.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := read(run.Number, dir)
	if err != nil {
		return err
	}
	run.Made, run.Invalid = true, nil
	if r.summary.Condemned {
		run.Invalid = r.summary.Invalid
	}
	m.made[run.Platform] = append(m.made[run.Platform], r)
	return nil
}

// Save writes the document so that a reader sees the old one or the new one.
func (m *Matrix) Save() error {
	return whole.JSON(filepath.Join(m.Path, FileName), &m.Document)
}
