package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
)

// side is the runs of one side of a comparison, wherever they came from.
type side struct {
	words     []string
	runs      []baseline.Run
	baselines []*baseline.Baseline // those among them
	left      []string             // which runs were named and do not count, and why
}

// readSide reads the runs that words name: run directories, folders and
// patterns of them, baselines' names and files.
func readSide(store baseline.Store, words []string) (*side, error) {
	s := &side{words: words}
	for _, word := range words {
		if err := s.read(store, word); err != nil {
			return nil, err
		}
	}
	s.apart("", nil)
	return s, nil
}

// apart leaves out what is named twice, and what is among another side's runs.
func (s *side) apart(other string, others []baseline.Run) {
	all := len(s.runs)
	distinct, again, shared := baseline.Distinct(s.runs, others)
	for _, left := range []struct {
		runs []string
		why  string
	}{{again, "they are named twice, or copies of others, and count once"}, {shared, "they are " + other + "'s, too"}} {
		if len(left.runs) > 0 {
			s.left = append(s.left, fmt.Sprintf("%d of %d runs are left out, for %s: %s", len(left.runs), all, left.why, gate.Several(left.runs, ", ")))
		}
	}
	s.runs = distinct
}

func (s *side) read(store baseline.Store, word string) error {
	info, err := os.Stat(word)
	switch {
	case err == nil && info.IsDir():
		return s.readFolder(word)
	case err == nil:
		b, err := baseline.Read(word)
		return s.keep(b, err)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case strings.ContainsAny(word, "*?["):
		return s.readPattern(word)
	case strings.ContainsRune(word, filepath.Separator):
		return fmt.Errorf("%s: there is no such run directory or baseline file", word)
	}
	b, err := store.Load(word)
	return s.keep(b, err)
}

func (s *side) keep(b *baseline.Baseline, err error) error {
	if err != nil {
		return err
	}
	s.baselines = append(s.baselines, b)
	s.runs = append(s.runs, b.Runs...)
	return nil
}

func (s *side) readPattern(pattern string) error {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("%s: %w", pattern, err)
	}
	return s.readRuns(paths, pattern+": no run directory is called so")
}

// readFolder reads a run directory, or all those in a folder.
func (s *side) readFolder(folder string) error {
	if isRun(folder) {
		return s.readRun(folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var paths []string
	for _, e := range entries {
		paths = append(paths, filepath.Join(folder, e.Name()))
	}
	return s.readRuns(paths, folder+" is neither a run directory nor a folder of them")
}

// readRuns reads those of the paths that are run directories; none is an error.
func (s *side) readRuns(paths []string, none string) error {
	paths = slices.DeleteFunc(paths, func(path string) bool { return !isRun(path) })
	if len(paths) == 0 {
		return errors.New(none)
	}
	for _, path := range paths {
		if err := s.readRun(path); err != nil {
			return err
		}
	}
	return nil
}

func isRun(path string) bool {
	_, err := os.Stat(filepath.Join(path, "manifest.json"))
	return err == nil
}

func (s *side) readRun(path string) error {
	dir, err := rundir.Open(path)
	if err != nil {
		return err
	}
	run, err := baseline.Of(dir)
	if err == nil {
		s.runs = append(s.runs, *run)
	}
	return err
}

func (s *side) trials() ([]gate.Trial, error) {
	return (&baseline.Baseline{Name: s.name(), Runs: s.runs}).Trials()
}

// name is the side as documents name it.
func (s *side) name() string { return strings.Join(s.words, " ") }
