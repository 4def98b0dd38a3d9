package baseline

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/whole"
)

//go:embed baseline.schema.json
var schemaJSON string

// SchemaJSON is the JSON schema (draft 2020-12) of a baseline's file.
func SchemaJSON() []byte { return []byte(schemaJSON) }

// suffix ends the name of a baseline's file.
const suffix = ".baseline.json"

// IsFile says whether a file is a baseline, by its name.
func IsFile(name string) bool { return strings.HasSuffix(name, suffix) }

// legal are names that are good for a file on every system.
var legal = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Store is a folder of baselines. The zero value is no store.
type Store struct{ Folder string }

// Save writes a baseline under its name. One that exists stays as it is and is
// an [*ExistsError], unless replace.
func (s Store) Save(b *Baseline, replace bool) (path string, err error) {
	if !legal.MatchString(b.Name) {
		return "", fmt.Errorf("save baseline: %q is not a name: write letters, digits, - . and _, at most 128", b.Name)
	}
	b.Schema = Schema
	if err := os.MkdirAll(s.Folder, 0o755); err != nil {
		return "", fmt.Errorf("save baseline %s: %w", b.Name, err)
	}
	path = s.path(b.Name)
	if _, err := os.Stat(path); err == nil && !replace {
		return "", &ExistsError{Name: b.Name, Path: path}
	}
	if err := whole.JSON(path, b); err != nil {
		return "", fmt.Errorf("save baseline %s: %w", b.Name, err)
	}
	return path, nil
}

func (s Store) path(name string) string { return filepath.Join(s.Folder, name+suffix) }

// ExistsError says that there is a baseline of a name.
type ExistsError struct{ Name, Path string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("save baseline %s: %s exists: choose another name, or replace it", e.Name, e.Path)
}

// MissingError says that there is no baseline of a name.
type MissingError struct {
	Folder, Name string
	Near         []string // those that are there
}

func (e *MissingError) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("no baseline %s: %s holds none", e.Name, e.Folder)
	}
	return fmt.Sprintf("no baseline %s in %s, which holds %s", e.Name, e.Folder, strings.Join(e.Near, ", "))
}

// Load reads the baseline of a name. There being none is a [*MissingError].
func (s Store) Load(name string) (*Baseline, error) {
	b, err := Read(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		names, listErr := s.names()
		return nil, errors.Join(listErr, &MissingError{Folder: s.Folder, Name: name, Near: names})
	}
	return b, err
}

// DamagedError says that a baseline's file is not as this coldcurve has written
// it: cut off, changed, or of something else.
type DamagedError struct {
	Path string
	Err  error // what is wrong with it
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("baseline %s cannot be used: %v; take it from where it was committed or cached, or save it again (baseline save --replace)", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Read reads a baseline's file. One that cannot be used is a [*DamagedError].
func Read(path string) (*Baseline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	b, err := Decode(text)
	if err != nil {
		return nil, &DamagedError{Path: path, Err: err}
	}
	return b, nil
}

// Decode reads a baseline from its text and checks that it can be used.
func Decode(text []byte) (*Baseline, error) {
	var b Baseline
	if err := whole.Decode(text, &b); err != nil {
		return nil, err
	}
	if b.Schema != Schema {
		return nil, fmt.Errorf("its schema is %q: want %s", b.Schema, Schema)
	}
	if len(b.Runs) == 0 {
		return nil, errors.New("it holds no runs")
	}
	_, err := b.Trials()
	return &b, err
}

func (s Store) names() ([]string, error) {
	entries, err := os.ReadDir(s.Folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list baselines: %w", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && legal.MatchString(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// List is all baselines, the oldest first. Those that cannot be read are in the
// error, beside which the others stand.
func (s Store) List() ([]*Baseline, error) {
	names, err := s.names()
	faults := []error{err}
	var list []*Baseline
	for _, name := range names {
		b, err := Read(s.path(name))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		b.Name = name // a file may have been renamed
		list = append(list, b)
	}
	slices.SortStableFunc(list, func(x, y *Baseline) int {
		return cmp.Or(x.Saved.Compare(y.Saved), cmp.Compare(x.Name, y.Name))
	})
	return list, errors.Join(faults...)
}

// Prune removes all but the keep latest baselines of each kind, that is of those
// whose runs can be compared, and gives the names of those that it removed, the
// oldest first. A dry one removes nothing and gives the names.
func (s Store) Prune(keep int, dry bool) (removed []string, err error) {
	list, err := s.List()
	kinds := make([]string, len(list))
	left := make(map[string]int) // of a kind, those not yet met
	for i, b := range list {
		kinds[i] = textOf(b.Runs[0].Kind)
		left[kinds[i]]++
	}
	for i, b := range list {
		if left[kinds[i]]--; left[kinds[i]] < keep {
			continue
		}
		if !dry {
			if err := os.Remove(s.path(b.Name)); err != nil {
				return removed, fmt.Errorf("prune baselines: %w", err)
			}
		}
		removed = append(removed, b.Name)
	}
	return removed, err
}
