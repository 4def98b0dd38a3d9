package priority

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// thread starts a thread of its own that ends with the test.
func thread(t *testing.T) (tid int) {
	t.Helper()
	id, done := make(chan int), make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		id <- unix.Gettid()
		<-done
	}()
	return <-id
}

func policyOf(t *testing.T, tid int) uint32 {
	t.Helper()
	attr, err := unix.SchedGetAttr(tid, 0)
	if err != nil {
		t.Fatal(err)
	}
	return attr.Policy
}

func TestRaise(t *testing.T) {
	need.Root(t)
	ours, spared := thread(t), thread(t)
	p := Raise(Generator, spared)
	defer p.Release()
	if !p.Holds() {
		t.Fatal("not raised, as root")
	}
	if got := policyOf(t, ours); got != policy {
		t.Errorf("a thread has policy %d, want %d", got, policy)
	}
	if got := policyOf(t, spared); got != unix.SCHED_NORMAL {
		t.Errorf("the spared thread has policy %d, want %d", got, unix.SCHED_NORMAL)
	}

	late := thread(t)
	if got := policyOf(t, late); got != policy {
		t.Errorf("a thread that came up since has policy %d, want %d", got, policy)
	}

	p.Release()
	for _, tid := range []int{ours, late, spared} {
		if got := policyOf(t, tid); got != unix.SCHED_NORMAL {
			t.Errorf("after Release a thread has policy %d, want %d", got, unix.SCHED_NORMAL)
		}
	}
}

// TestEqualsTakeTurns starts a process that is busy until a file is there, at
// the level and on the processor of the thread that is to make the file.
func TestEqualsTakeTurns(t *testing.T) {
	need.Root(t)
	p := Raise(Generator)
	defer p.Release()
	file := filepath.Join(t.TempDir(), "there")
	busy := exec.Command("sh", "-c", `i=0; until [ -e "$0" ]; do i=$((i+1)); [ $i -lt 5000000 ] || exit 1; done`, file)
	ended := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		ended <- errors.Join(pin(), busy.Start(), os.WriteFile(file, nil, 0o644), busy.Wait())
	}()
	if err := <-ended; err != nil {
		t.Errorf("a thread waits for as long as its equal is busy: %v", err)
	}
}

// pin binds the calling thread to one of its processors.
func pin() error {
	var own, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		return err
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if own.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	return unix.SchedSetaffinity(0, &one)
}

func TestReleaseLeavesOtherLevels(t *testing.T) {
	need.Root(t)
	tid := thread(t)
	p := Raise(Generator)
	defer p.Release()
	other := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: Observer}
	if err := unix.SchedSetAttr(tid, other, 0); err != nil {
		t.Fatal(err)
	}
	p.Release()
	if got := policyOf(t, tid); got != policy {
		t.Errorf("a thread at another level has policy %d, want %d", got, policy)
	}
}

// starter starts a process from a thread of its own, made ready by prepare.
func starter(t *testing.T, prepare func() error) *os.Process {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	begun := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := prepare(); err != nil {
			begun <- err
			return
		}
		begun <- cmd.Start()
	}()
	if err := <-begun; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process
}

func TestSpare(t *testing.T) {
	need.Root(t)
	p := Raise(Generator)
	defer p.Release()
	if got := policyOf(t, starter(t, func() error { return nil }).Pid); got != policy {
		t.Errorf("a child has policy %d, want %d: there is nothing to spare it", got, policy)
	}
	nicer := func() error {
		if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 5); err != nil {
			return err
		}
		return Spare()
	}
	child := starter(t, nicer)
	attr, err := unix.SchedGetAttr(child.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	if attr.Policy != unix.SCHED_NORMAL || attr.Nice != 5 {
		t.Errorf("a spared thread's child has policy %d and nice value %d, want %d and 5", attr.Policy, attr.Nice, unix.SCHED_NORMAL)
	}
	if got := policyOf(t, thread(t)); got != policy {
		t.Errorf("another thread has policy %d, want %d", got, policy)
	}
}

func TestSpareLeavesWhatIsNotRaised(t *testing.T) {
	before := policyOf(t, 0)
	if err := Spare(); err != nil {
		t.Fatal(err)
	}
	if got := policyOf(t, 0); got != before {
		t.Errorf("the thread has policy %d, want %d", got, before)
	}
}
