package workers

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// Options say which workerd, and how functions run in it.
type Options struct {
	// Program is the workerd executable. The default is the one on the PATH,
	// and else npm's in node_modules of the working directory.
	Program string
	// CompatibilityDate is whose behaviour functions get, of all those that
	// Workers have had: 2026-01-31. The default is [UsualCompatibility].
	CompatibilityDate string
	// Answer is how long workerd may take to start, and to answer what waits for
	// no function. The default is 30s.
	Answer time.Duration
}

// UsualCompatibility is the compatibility date of functions that name none.
const UsualCompatibility = "2026-01-01"

const usualAnswer = 30 * time.Second

// resolve fills in the defaults, or tells every fault.
func (o *Options) resolve() error {
	var faults []error
	o.CompatibilityDate, o.Answer = cmp.Or(o.CompatibilityDate, UsualCompatibility), cmp.Or(o.Answer, usualAnswer)
	if _, err := time.Parse(time.DateOnly, o.CompatibilityDate); err != nil {
		faults = append(faults, fmt.Errorf("compatibility date %q: write for example %s", o.CompatibilityDate, UsualCompatibility))
	}
	if o.Answer < 0 {
		faults = append(faults, fmt.Errorf("a time to wait of %v is below 0", o.Answer))
	}
	if len(faults) > 0 {
		return fmt.Errorf("platform workers: %w", errors.Join(faults...))
	}
	return nil
}

const hintInstall = "`npm install --save-exact workerd@" + Tested + "` here, or name the program (platform: {name: workers, workerd: PATH})"

// Tested is the version of npm's package that this adapter is tested with.
const Tested = "1.20261117.1"

// find gives the path of the workerd program.
func find(given string) (string, error) {
	local := filepath.Join("node_modules", "workerd", "bin", "workerd")
	for _, name := range []string{cmp.Or(given, "workerd"), local} {
		path, err := exec.LookPath(name)
		switch {
		case err == nil:
			return native(path)
		case given != "":
			return "", unready(fmt.Errorf("%s cannot be executed: %w", given, errors.Unwrap(err)), hintInstall)
		}
	}
	return "", unready(errors.New("there is no workerd, neither on the PATH nor in ./node_modules"), hintInstall)
}

// native is the program itself, where npm has left its launcher in the
// program's place (it does where install scripts are turned off): a launcher
// would be a process between this one and workerd, which does not end with it.
func native(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", unready(err, hintInstall)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", unready(err, hintInstall)
	}
	defer f.Close()
	begin := make([]byte, 2)
	if _, err := f.Read(begin); err != nil || string(begin) != "#!" {
		return path, nil
	}
	machine := runtime.GOARCH
	if machine == "amd64" {
		machine = "64"
	}
	beside := filepath.Join(path, "..", "..", "..", "@cloudflare", "workerd-"+runtime.GOOS+"-"+machine, "bin", "workerd")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	return path, nil
}

// unready is the error of a platform that cannot be used.
func unready(err error, hint string) error {
	return &platform.Error{Kind: sample.Refused, Op: "platform workers", Err: err, Hint: hint}
}
