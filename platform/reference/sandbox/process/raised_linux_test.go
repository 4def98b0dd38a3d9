package process_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/priority"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// raise puts the whole test process at real-time priority until the test ends.
func raise(t *testing.T) {
	t.Helper()
	need.Root(t)
	p := priority.Raise(priority.ControlPlane)
	t.Cleanup(p.Release)
	if !p.Holds() {
		t.Fatal("not raised, as root")
	}
}

func TestInstancesOfARaisedProcessAreNotRaised(t *testing.T) {
	raise(t)
	s := open(t, process.Options{})
	ready(t, s, spec(t, ""))
	n := 0
	for pid, mark := range marked() {
		if mark != t.Name() {
			continue
		}
		n++
		attr, err := unix.SchedGetAttr(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		if attr.Policy != unix.SCHED_NORMAL {
			t.Errorf("the instance has policy %d, want %d", attr.Policy, unix.SCHED_NORMAL)
		}
	}
	if n != 1 {
		t.Errorf("%d processes, want the instance's", n)
	}
}

func TestSearchForAnInterpreterIsNotRaised(t *testing.T) {
	raise(t)
	dir := t.TempDir()
	told := filepath.Join(dir, "policy")
	script := "#!/bin/sh\nset -- $(cat /proc/$$/stat)\necho ${41} >" + told + "\necho " + dir + "/node\n"
	if err := os.WriteFile(filepath.Join(dir, "node"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	s := open(t, process.Options{RuntimeClients: dir})
	sp := spec(t, "")
	sp.Function.Runtime = platform.NodeJS
	if err := s.Prepare(t.Context(), sp); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(text)); got != "0" { // SCHED_NORMAL
		t.Errorf("the search has policy %s, want 0", got)
	}
}
