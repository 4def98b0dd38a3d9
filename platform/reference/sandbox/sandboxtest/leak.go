package sandboxtest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
)

// Footprint is what a test process holds of the machine.
type Footprint struct {
	goroutines  int
	descriptors map[string]string // what each is of
}

// Take measures it.
func Take(t testing.TB) Footprint {
	t.Helper()
	return Footprint{runtime.NumGoroutine(), descriptors(t)}
}

func descriptors(t testing.TB) map[string]string {
	t.Helper()
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]string{}
	for _, e := range entries {
		if object, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil { // not the one that lists them
			open[e.Name()] = object
		}
	}
	return open
}

// ExpectNothingLeft looks for processes with the marker, control groups of
// this process, and growth in goroutines and descriptors. Each may take a
// moment to go.
func ExpectNothingLeft(t testing.TB, before Footprint) {
	t.Helper()
	var left []string
	for wait := time.Millisecond; wait < 20*time.Second; wait *= 2 {
		left = leftovers(t, before)
		if len(left) == 0 {
			return
		}
		time.Sleep(wait)
	}
	t.Errorf("left behind: %s", strings.Join(left, "; "))
}

func leftovers(t testing.TB, before Footprint) []string {
	var left []string
	for pid, mark := range residue.Marked() {
		if mark == t.Name() {
			left = append(left, "process "+strconv.Itoa(pid))
		}
	}
	left = append(left, residue.Groups("-"+strconv.Itoa(os.Getpid())+"-")...)
	now := Take(t)
	if len(now.descriptors) > len(before.descriptors) {
		left = append(left, fmt.Sprintf("descriptors %v, before %v", now.descriptors, before.descriptors))
	}
	if now.goroutines > before.goroutines {
		stacks := make([]byte, 64<<10)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = append(left, fmt.Sprintf("%d goroutines, %d before\n%s", now.goroutines, before.goroutines, stacks))
	}
	return left
}
