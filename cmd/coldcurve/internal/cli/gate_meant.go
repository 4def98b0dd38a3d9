package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// How far others are looked for than were named.
const (
	mostLevels  = 3
	mostEntries = 10_000
	mostSimilar = 3 // names that are offered for one
)

// deeper says how to name the runs that are in folders below the paths that a
// pattern names; "" where there are none.
func deeper(paths []string, pattern string) string {
	n, first, level, seen := 0, "", 0, 0
	for _, top := range paths {
		_ = filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			below := strings.Count(strings.TrimPrefix(path, top), string(filepath.Separator))
			switch seen++; {
			case err != nil || seen > mostEntries:
				return fs.SkipAll
			case !e.IsDir():
			case isRun(path) && (level == 0 || below == level):
				n, level = n+1, below
				if first == "" {
					first = path
				}
				return fs.SkipDir
			case below == mostLevels, isRun(path), comparison.Is(path):
				return fs.SkipDir
			}
			return nil
		})
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("there are %s deeper, such as %s: write %s",
		units.FormatNoun(n, "run"), first, quoted([]string{pattern + strings.Repeat(string(filepath.Separator)+"*", level)}))
}

// unknown says of a word that is no saved baseline's name that it names nothing
// else either, where there must be runs; any other error it gives as it is.
func unknown(err error) error {
	missing, ok := errors.AsType[*baseline.MissingError](err)
	if !ok {
		return err
	}
	instead := similar(missing.Name)
	if near := strict.Near(missing.Name, missing.Near, mostSimilar); instead == "" && len(near) > 0 {
		instead = "write " + strings.Join(near, " or ")
	}
	return &noRunsError{"there is no run directory, folder of them or baseline " + strict.Quote(missing.Name), instead}
}

// similar says which paths are there that are written nearly like one that is
// not; "" for none.
func similar(path string) string {
	at, rest := "", filepath.Clean(path)
	for rest != "" {
		name, after, _ := strings.Cut(rest, string(filepath.Separator))
		if _, err := os.Stat(filepath.Join(at, name)); name != "" && err != nil {
			return written(at, name, after)
		}
		at, rest = filepath.Join(at, name), after
		if name == "" { // of an absolute path
			at = string(filepath.Separator)
		}
	}
	return ""
}

// written lists what a folder holds that is written nearly like a name, with
// what was to follow where that is there.
func written(folder, name, after string) string {
	entries, err := os.ReadDir(cmp.Or(folder, "."))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || baseline.IsFile(e.Name()) {
			names = append(names, e.Name())
		}
	}
	var there []string
	for _, near := range strict.Near(name, names, mostSimilar) {
		path := filepath.Join(folder, near)
		if _, err := os.Stat(filepath.Join(path, after)); err == nil {
			path = filepath.Join(path, after)
		}
		there = append(there, quoted([]string{path}))
	}
	if len(there) == 0 {
		return ""
	}
	return "write " + strings.Join(there, " or ")
}
