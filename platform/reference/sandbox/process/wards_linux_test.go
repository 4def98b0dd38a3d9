package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
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

// written is the process id that is going to stand in a file.
func written(t *testing.T, file string) (pid int) {
	t.Helper()
	eventually(t, "no process has told its id", func() bool {
		text, err := os.ReadFile(file)
		_, scanErr := fmt.Sscan(string(text), &pid)
		return err == nil && scanErr == nil
	})
	if pid == 0 {
		t.FailNow()
	}
	return pid
}

func TestOrphansGoWithTheirInstance(t *testing.T) {
	for _, how := range []string{"stopped", "ended by itself"} {
		t.Run(how, func(t *testing.T) {
			s := open(t, process.Options{NoCgroups: true, Adopt: true})
			bystander := ready(t, s, spec(t, "", "SPAWN=session"))
			other, err := s.Start(t.Context(), "i-2", spec(t, "", "SPAWN=session"), sandbox.OnDemand)
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
					line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
					t.Errorf("process %d (%q) outlives its instance", pid, line)
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
	pid := written(t, file)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	expectNoChildren(t)
	if text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline"); err == nil && strings.HasPrefix(string(text), "sleep") {
		t.Errorf("process %d is still there", pid)
	}
}

// TestChildrenFromBeforeAreLetBe: a shell that has started something in the
// background and then executes this program leaves it such a child.
func TestChildrenFromBeforeAreLetBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	// What it leaves behind later becomes a child of the subreaper, too.
	earlier := exec.Command("/bin/sh", "-c", `read go; (sleep 300 & echo $! >"$0.new"; mv "$0.new" "$0"); exec sleep 300`, file)
	earlier.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	word, err := earlier.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := earlier.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = earlier.Process.Kill()
		_ = earlier.Wait()
	})
	s := open(t, process.Options{NoCgroups: true, Adopt: true})
	fmt.Fprintln(word, "go")
	its := written(t, file)
	t.Cleanup(func() {
		_ = syscall.Kill(its, syscall.SIGKILL)
		_, _ = syscall.Wait4(its, nil, 0, nil)
	})
	in := ready(t, s, spec(t, "", "SPAWN=session"))
	invoke(t, in, "spawn")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := marks(t.Name()); n > 0 {
		t.Errorf("%d processes of the instance are left", n)
	}
	for what, pid := range map[string]int{"the child": earlier.Process.Pid, "what it left behind": its} {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			t.Errorf("%s from before has ended: %s", what, state)
		}
	}
}

// TestChildrenFromBeforeAreNotReaped: who has started one waits for it.
func TestChildrenFromBeforeAreNotReaped(t *testing.T) {
	earlier := exec.Command("/bin/sh", "-c", "read go; exit 3")
	earlier.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	word, err := earlier.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := earlier.Start(); err != nil {
		t.Fatal(err)
	}
	s := open(t, process.Options{NoCgroups: true, Adopt: true})
	in := ready(t, s, spec(t, ""))
	fmt.Fprintln(word, "go")
	eventually(t, "the child has not ended", func() bool {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(earlier.Process.Pid) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ")
	})
	if err := in.Stop(false); err != nil { // which looks for orphans
		t.Fatal(err)
	}
	_ = earlier.Wait()
	if got := earlier.ProcessState.ExitCode(); got != 3 {
		t.Errorf("got exit status %d, want 3", got)
	}
}

// TestOrphansThatEndAreReaped: nobody else would, and each keeps a process id.
func TestOrphansThatEndAreReaped(t *testing.T) {
	need.Program(t, "setsid")
	s := open(t, process.Options{NoCgroups: true, Adopt: true})
	file := filepath.Join(t.TempDir(), "pid")
	in := ready(t, s, spec(t, "", "SPAWN=stranger "+file))
	invoke(t, in, "spawn")
	pid := written(t, file)
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
