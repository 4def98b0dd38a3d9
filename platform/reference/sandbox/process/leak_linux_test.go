package process_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// print is what a test process holds of the machine.
type print struct{ goroutines, descriptors int }

func footprint(t testing.TB) print {
	t.Helper()
	return print{runtime.NumGoroutine(), descriptors(t)}
}

func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// expectNothingLeft looks for processes with the marker, control groups of
// this process, and growth in goroutines and descriptors. Each may take a
// moment to go.
func expectNothingLeft(t testing.TB, before print) {
	t.Helper()
	var left []string
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		left = leftovers(t, before)
		if len(left) == 0 {
			return
		}
		time.Sleep(wait)
	}
	t.Errorf("left behind: %s", strings.Join(left, "; "))
}

func leftovers(t testing.TB, before print) []string {
	var left []string
	for pid, mark := range marked() {
		if mark == t.Name() {
			left = append(left, "process "+strconv.Itoa(pid))
		}
	}
	left = append(left, groups("-"+strconv.Itoa(os.Getpid())+"-")...)
	now := footprint(t)
	if now.descriptors > before.descriptors {
		left = append(left, fmt.Sprintf("%d descriptors, %d before", now.descriptors, before.descriptors))
	}
	if now.goroutines > before.goroutines {
		stacks := make([]byte, 64<<10)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = append(left, fmt.Sprintf("%d goroutines, %d before\n%s", now.goroutines, before.goroutines, stacks))
	}
	return left
}

// marked are the processes with the marker in their environment, and its value.
func marked() map[int]string {
	found := map[int]string{}
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		env, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for pair := range bytes.SplitSeq(env, []byte{0}) {
			if value, ok := bytes.CutPrefix(pair, []byte(marker+"=")); ok {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				found[pid] = string(value)
			}
		}
	}
	return found
}

// groups are coldcurve's control group folders whose name holds part.
func groups(part string) []string {
	var found []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), "coldcurve-") {
			if strings.Contains(d.Name(), part) {
				found = append(found, path)
			}
			return filepath.SkipDir
		}
		return nil
	})
	return found
}

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
		if err := syscall.Kill(n, signal); err != nil {
			t.Fatal(err)
		}
	}
}
