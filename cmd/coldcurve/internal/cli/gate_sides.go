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
	"github.com/coldcurve/coldcurve/analysis/comparison"
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

// noRunsError says that a word names no runs.
type noRunsError struct {
	problem string
	instead string // what may have been meant; "" where nobody can tell
}

func (e *noRunsError) Error() string { return e.problem }

// sideFault is what is wrong with what the words of a flag name, or (flag "") of
// a command.
func sideFault(flag string, err error) error {
	f := &failure{code: exitUsage, err: err}
	if flag != "" {
		f.err = fmt.Errorf("%s: %w", flag, err)
	}
	if none, ok := errors.AsType[*noRunsError](err); ok {
		f.hint = none.instead
	}
	return f
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
		return s.readFolderOr(store, word)
	case err == nil:
		b, err := baseline.Read(word)
		return s.keep(b, err)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case strings.ContainsAny(word, "*?["):
		return s.readPattern(word)
	case strings.ContainsRune(word, filepath.Separator):
		return &noRunsError{word + ": there is no such run directory or baseline file", similar(word)}
	}
	b, err := store.Load(word)
	return s.keep(b, err)
}

// readFolderOr reads a folder's runs; of one that holds none the baseline that is
// called so, where there is one.
func (s *side) readFolderOr(store baseline.Store, folder string) error {
	err := s.readFolder(folder)
	if _, none := errors.AsType[*noRunsError](err); none && !strings.ContainsRune(folder, filepath.Separator) {
		b, loadErr := store.Load(folder)
		if _, missing := errors.AsType[*baseline.MissingError](loadErr); !missing {
			return s.keep(b, loadErr)
		}
	}
	return err
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
	return s.readRuns(paths, pattern, pattern+": no run directory is called so")
}

// readFolder reads a run directory, or all those in a folder.
func (s *side) readFolder(folder string) error {
	if isRun(folder) {
		return s.readRun(folder)
	}
	if comparison.Is(folder) {
		return &noRunsError{
			folder + " is a comparison, which holds the runs of both its sides",
			fmt.Sprintf("coldcurve gate %s judges it; one side's runs are %s, or %s",
				quoted([]string{folder}), quoted([]string{filepath.Join(folder, "*-base")}), quoted([]string{filepath.Join(folder, "*-head")})),
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var paths []string
	for _, e := range entries {
		paths = append(paths, filepath.Join(folder, e.Name()))
	}
	return s.readRuns(paths, filepath.Join(folder, "*"), folder+" is neither a run directory nor a folder of them")
}

// readRuns reads those of the paths, which a pattern names, that are run
// directories; none is an error.
func (s *side) readRuns(paths []string, pattern, none string) error {
	runs := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !isRun(path) })
	if len(runs) == 0 {
		return &noRunsError{none, deeper(paths, pattern)}
	}
	for _, path := range runs {
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

// holds says whether a baseline's runs are the side's.
func (s *side) holds(saved *baseline.Baseline) bool {
	return slices.ContainsFunc(s.baselines, func(b *baseline.Baseline) bool { return b.Name == saved.Name })
}

func (s *side) trials() ([]gate.Trial, error) {
	return (&baseline.Baseline{Name: s.name(), Runs: s.runs}).Trials()
}

// imported says that all runs are another tool's history.
func (s *side) imported() bool {
	return !slices.ContainsFunc(s.runs, func(r baseline.Run) bool { return r.Inits == nil })
}

// name is the side as documents name it.
func (s *side) name() string { return strings.Join(s.words, " ") }
