package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// expectNoChildren looks for children of this process in a session that is
// not its own, the dead that nobody has reaped included.
func expectNoChildren(t *testing.T) {
	t.Helper()
	var left []string
	eventually(t, "orphans are left", func() bool {
		left = nil
		files, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
			if fields[1] == strconv.Itoa(os.Getpid()) {
				left = append(left, string(text))
			}
		}
		return len(left) == 0
	})
	for _, line := range left {
		t.Errorf("left: %s", line)
	}
}

func TestOrphansGoWithTheirInstance(t *testing.T) {
	for _, how := range []string{"stopped", "ended by itself"} {
		t.Run(how, func(t *testing.T) {
			s := open(t, process.Options{NoCgroups: true, Adopt: true})
			bystander := ready(t, s, spec(t, "", "SPAWN=session"))
			other, err := s.Start(t.Context(), "i-2", spec(t, "", "SPAWN=session"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.AwaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			invoke(t, bystander, "spawn")
			invoke(t, other, "spawn")
			if how == "ended by itself" {
				_, err := other.Invoke(t.Context(), invocation("exit 1", 10*time.Second))
				failure(t, err, sample.Crash)
				<-other.Done()
			}
			if err := other.Stop(how == "stopped"); err != nil {
				t.Fatal(err)
			}
			for pid, mark := range marked() {
				env, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
				if mark == t.Name() && strings.Contains(string(env), "]i-2\x00") {
					t.Errorf("process %d outlives its instance", pid)
				}
			}
			if n := marks(t.Name()); n < 2 {
				t.Errorf("%d processes after the stop, want the other instance and its child", n)
			}
			if got := string(invoke(t, bystander, "still here").Body); got != "still here" {
				t.Errorf("got %q", got)
			}
			if err := bystander.Stop(false); err != nil {
				t.Fatal(err)
			}
			expectNoChildren(t)
		})
	}
}

func TestOrphansWithoutANameGoAtClose(t *testing.T) {
	need.Program(t, "setsid")
	s := open(t, process.Options{NoCgroups: true, Adopt: true})
	file := filepath.Join(t.TempDir(), "pid")
	in := ready(t, s, spec(t, "", "SPAWN=stranger "+file))
	invoke(t, in, "spawn")
	var pid int
	eventually(t, "no stranger was started", func() bool {
		text, err := os.ReadFile(file)
		_, scanErr := fmt.Sscan(string(text), &pid)
		return err == nil && scanErr == nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	expectNoChildren(t)
	if text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline"); err == nil && strings.HasPrefix(string(text), "sleep") {
		t.Errorf("process %d is still there", pid)
	}
}

// TestOrphansThatEndAreReaped: nobody else would, and each keeps a process id.
func TestOrphansThatEndAreReaped(t *testing.T) {
	need.Program(t, "setsid")
	s := open(t, process.Options{NoCgroups: true, Adopt: true})
	file := filepath.Join(t.TempDir(), "pid")
	in := ready(t, s, spec(t, "", "SPAWN=stranger "+file))
	invoke(t, in, "spawn")
	var pid int
	eventually(t, "no stranger was started", func() bool {
		text, err := os.ReadFile(file)
		_, scanErr := fmt.Sscan(string(text), &pid)
		return err == nil && scanErr == nil
	})
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a dead orphan keeps its id", func() bool {
		_, err := os.Stat("/proc/" + strconv.Itoa(pid))
		return err != nil
	})
}
