package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/strict"
)

//go:embed suite/*.yaml
var suite embed.FS

// Suite is the names of the scenarios that coldcurve brings along.
func Suite() []string {
	files, err := fs.Glob(suite, "suite/*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(strings.TrimPrefix(f, "suite/"), ".yaml")
	}
	return names
}

// LoadEmbedded reads a scenario of the suite.
func LoadEmbedded(name string, o Overrides) (*Scenario, error) {
	text, err := suite.ReadFile("suite/" + name + ".yaml")
	if err != nil {
		return nil, Faults{{File: name, Problem: "the suite has no such scenario", Instead: strict.Instead(name, Suite())}}
	}
	return parse(&reader{file: "embedded:" + name, dir: ".", overrides: o}, text)
}

// Load reads a scenario from a file.
func Load(path string, o Overrides) (*Scenario, error) {
	text, err := readFile(path, mb)
	if err != nil {
		return nil, Faults{{File: path, Problem: cause(err), Instead: "write the path of a scenario file"}}
	}
	return parse(&reader{file: path, dir: filepath.Dir(path), overrides: o}, text)
}

// cause is err without the path, which a fault says anyway.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Sprintf("%s: %s", e.Op, e.Err)
	}
	return err.Error()
}

// Find reads a scenario by what a person typed: a name of the suite, or else a
// path.
func Find(arg string, o Overrides) (*Scenario, error) {
	if slices.Contains(Suite(), arg) {
		return LoadEmbedded(arg, o)
	}
	_, err := os.Stat(arg)
	if errors.Is(err, fs.ErrNotExist) && filepath.Base(arg) == arg && filepath.Ext(arg) == "" {
		return LoadEmbedded(arg, o)
	}
	return Load(arg, o)
}
