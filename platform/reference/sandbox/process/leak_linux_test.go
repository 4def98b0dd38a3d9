package process_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/sandboxtest"
)

// The kit's and its neighbour's, by the names that these tests have for them.
const marker = residue.Marker

var (
	footprint         = sandboxtest.Take
	expectNothingLeft = sandboxtest.ExpectNothingLeft
	marked            = residue.Marked
	groups            = residue.Groups
)

// running are the processes whose command line holds part.
func running(part string) []string {
	var pids []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range files {
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(part)) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}

func kill(t testing.TB, pids []string, signal syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(n, signal); err != nil && err != syscall.ESRCH { // gone with one before
			t.Fatal(err)
		}
	}
}
