package subject

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/coldcurve/coldcurve/fixtures/beacon"
	"github.com/coldcurve/coldcurve/platform"
)

// Build lays the subject out in a folder that every user can read, and gives
// the function without a name and limits: in Go, as a module for wasm, in
// Node.js or in Python. With asServer it is for platform server.
func Build(dir string, language platform.Runtime, asServer bool) (platform.Function, error) {
	f := platform.Function{Runtime: language, Code: dir, Handler: "index.handler"}
	err := os.Chmod(dir, 0o755)
	switch language {
	case platform.Go:
		var tags []string
		if asServer {
			tags = []string{"-tags", "coldcurveserver"}
		}
		err = errors.Join(err, compile(filepath.Join(dir, "bootstrap"), nil, tags...))
	case platform.Wasm:
		err = errors.Join(err, compile(filepath.Join(dir, "bootstrap.wasm"), []string{"GOOS=wasip1", "GOARCH=wasm"}))
	case platform.NodeJS:
		err = errors.Join(err, collect(dir, "index.mjs", inNode, "beacon.mjs"))
	case platform.Python:
		err = errors.Join(err, collect(dir, "index.py", inPython, "beacon.py"))
	default:
		err = fmt.Errorf("there is no subject in %s", language)
	}
	if err != nil {
		return platform.Function{}, fmt.Errorf("build the subject: %w", err)
	}
	return f, nil
}

func compile(to string, env []string, flags ...string) error {
	const source = "github.com/coldcurve/coldcurve/platform/platformtest/subject/testdata/function"
	command := exec.Command("go", append(append([]string{"build", "-o", to}, flags...), source)...)
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

//go:embed testdata/python/index.py
var inPython []byte

//go:embed testdata/nodejs/index.mjs
var inNode []byte

// collect lays out a subject that needs no compiler, with its beacon.
func collect(dir, file string, text []byte, snippet string) error {
	own, err := beacon.Snippets.ReadFile(snippet)
	return errors.Join(err,
		os.WriteFile(filepath.Join(dir, file), text, 0o644),
		os.WriteFile(filepath.Join(dir, snippet), own, 0o644))
}
