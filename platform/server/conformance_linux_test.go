package server_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// TestConformance holds it to what every platform has to do. In Go: a server
// that takes one request at a time has nobody left for the callers who come
// after one that has gone.
func TestConformance(t *testing.T) {
	dir := t.TempDir()
	function, err := subject.Build(dir, platform.Go, true)
	if err != nil {
		t.Fatal(err)
	}
	platformtest.Run(t, platformtest.Kit{
		Function: function,
		Open:     func(testing.TB) platform.Platform { return open(t, 1) },
		Left:     func(t testing.TB) []string { return processesOf(t, filepath.Join(dir, "bootstrap")) },
	})
}

// processesOf are those that execute a program.
func processesOf(t testing.TB, program string) (left []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if path, err := os.Readlink(link); err == nil && path == program {
			left = append(left, filepath.Dir(link))
		}
	}
	return left
}
