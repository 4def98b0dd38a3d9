package pairs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios"
)

// Side is what is measured on one side of a comparison, ready to be run.
type Side struct {
	Given    string // as it was named
	What     string // in words
	Scenario string // path of the scenario's file, or a name of the suite
	// Folder is where the scenario's relative paths start from; "" is the
	// scenario's own folder.
	Folder    string
	Overrides scenarios.Overrides
}

// Workshop makes sides ready. What it makes lies in a temporary folder and in
// git's list of worktrees until Close.
type Workshop struct {
	// Scenario is the path of the scenario's file, or a name of the suite.
	Scenario string
	// Build is a shell command that is run in a revision's top folder, or in the
	// folder that is named, before anything there is looked at; "" for none. Code
	// in Go without an executable is built anyway.
	Build string
	// Log gets what is being done, a line a call.
	Log func(line string)

	made      string // the temporary folder; "" as long as there is none
	worktrees []worktree
}

// The prefixes of sides that are no folder.
const (
	settings = "set:"
	revision = "rev:"
	another  = "platform:"
)

// Check says what is wrong with what a side is called, without building anything.
func (w *Workshop) Check(ctx context.Context, given string, o scenarios.Overrides) error {
	s := Side{Given: given, Overrides: o}
	var err error
	switch {
	case given == "":
	case strings.HasPrefix(given, settings):
		err = s.set(strings.TrimPrefix(given, settings))
	case strings.HasPrefix(given, another):
		s.move(strings.TrimPrefix(given, another))
	case strings.HasPrefix(given, revision):
		_, err = w.commit(ctx, strings.TrimPrefix(given, revision))
	default:
		_, _, err = folderOf(given)
	}
	if err == nil {
		err = s.Overrides.Check()
	}
	return s.wrong(err)
}

// Ready makes a side ready. Given is "" for the scenario as it stands, a folder
// with a function's code (NAME=FOLDER where there are several functions),
// rev:REVISION or rev:REVISION:FOLDER, set:KEY=VALUE,... or platform:NAME or
// platform:URL. The overrides hold for both sides. Functions in Go that the side
// leaves to the scenario are built as those of a revision are.
func (w *Workshop) Ready(ctx context.Context, given string, o scenarios.Overrides) (Side, error) {
	s := Side{Given: given, Scenario: w.Scenario, Overrides: o}
	var err error
	switch {
	case given == "":
		s.What = "the scenario as it stands"
	case strings.HasPrefix(given, settings):
		s.What = "with " + strings.ReplaceAll(strings.TrimPrefix(given, settings), ",", ", ")
		err = s.set(strings.TrimPrefix(given, settings))
	case strings.HasPrefix(given, another):
		s.move(strings.TrimPrefix(given, another))
	case strings.HasPrefix(given, revision):
		err = w.revision(ctx, &s, strings.TrimPrefix(given, revision))
	default:
		s.What = "the code in " + given
		err = w.code(ctx, &s, given)
	}
	if err == nil {
		err = w.compileAll(ctx, &s)
	}
	return s, s.wrong(err)
}

// wrong is an error with the side that it is of.
func (s *Side) wrong(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", cmp.Or(s.Given, s.What), err)
}

// Parse reads a side's scenario with a seed, nil for its own.
func (s *Side) Parse(seed *uint64) (*scenarios.Scenario, error) {
	o := s.Overrides
	o.Seed = seed
	if s.Folder == "" {
		return scenarios.Find(s.Scenario, o)
	}
	text, err := os.ReadFile(s.Scenario)
	if err != nil {
		return nil, err
	}
	return scenarios.Parse(filepath.Join(s.Folder, filepath.Base(s.Scenario)), text, o)
}

// set takes settings: those that have a flag through it, so that they come
// before what functions say of themselves.
func (s *Side) set(text string) error {
	list, err := scenarios.ParseSettings(s.Given, text)
	if err != nil {
		return &UsageError{err}
	}
	for _, set := range list {
		switch set.Key {
		case "sandbox":
			s.Overrides.Sandboxes = []string{set.Value}
		case "start":
			s.Overrides.Starts = []string{set.Value}
		case "keep_alive":
			d, err := units.ParseDuration(set.Value)
			if err != nil {
				return &UsageError{err}
			}
			s.Overrides.KeepAlive = &d
		default:
			s.Overrides.Set = append(s.Overrides.Set, set)
		}
	}
	return nil
}

func (s *Side) move(to string) {
	s.What = "on platform " + to
	if strings.Contains(to, "://") {
		s.Overrides.Platform, s.Overrides.URL = "http", to
		return
	}
	s.Overrides.Platform = to
}

// code takes a folder as a function's code.
func (w *Workshop) code(ctx context.Context, s *Side, given string) error {
	name, folder, err := folderOf(given)
	if err != nil {
		return err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	if folder, err = w.built(ctx, folder); err != nil {
		return err
	}
	s.replace(name, folder)
	return nil
}

// folderOf reads FOLDER or NAME=FOLDER.
func folderOf(given string) (name, folder string, err error) {
	name, folder, named := strings.Cut(given, "=")
	if !named {
		name, folder = "", given
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", "", &UsageError{fmt.Errorf("there is no such folder: write rev:%s if it is a git revision, or give a folder with a function's code, set:KEY=VALUE or platform:URL", given)}
	}
	return name, folder, nil
}

// replace gives a function the code in a folder. Overrides are shared by both sides.
func (s *Side) replace(function, folder string) {
	s.Overrides.Code = maps.Clone(s.Overrides.Code)
	if s.Overrides.Code == nil {
		s.Overrides.Code = map[string]string{}
	}
	s.Overrides.Code[function] = folder
}

// Close takes away what was made.
func (w *Workshop) Close() error {
	var errs []error
	for _, t := range slices.Backward(w.worktrees) {
		errs = append(errs, t.remove())
	}
	w.worktrees = nil
	if w.made != "" {
		errs = append(errs, os.RemoveAll(w.made))
		w.made = ""
	}
	return errors.Join(errs...)
}

// folder is a new folder within the temporary one.
func (w *Workshop) folder(name string) (string, error) {
	if w.made == "" {
		made, err := os.MkdirTemp("", "coldcurve-compare-")
		if err != nil {
			return "", err
		}
		w.made = made
	}
	return os.MkdirTemp(w.made, name+"-")
}

func (w *Workshop) log(format string, args ...any) {
	if w.Log != nil {
		w.Log(fmt.Sprintf(format, args...))
	}
}

// UsageError says that a side is named in a way that means nothing.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }
func (e *UsageError) Unwrap() error { return e.err }
