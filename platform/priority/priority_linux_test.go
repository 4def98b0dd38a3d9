package priority

import (
	"os"
	"os/exec"
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

func policy(t *testing.T, tid int) uint32 {
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
	if got := policy(t, ours); got != unix.SCHED_FIFO {
		t.Errorf("a thread has policy %d, want %d", got, unix.SCHED_FIFO)
	}
	if got := policy(t, spared); got != unix.SCHED_NORMAL {
		t.Errorf("the spared thread has policy %d, want %d", got, unix.SCHED_NORMAL)
	}

	late := thread(t)
	if got := policy(t, late); got != unix.SCHED_FIFO {
		t.Errorf("a thread that came up since has policy %d, want %d", got, unix.SCHED_FIFO)
	}

	p.Release()
	for _, tid := range []int{ours, late, spared} {
		if got := policy(t, tid); got != unix.SCHED_NORMAL {
			t.Errorf("after Release a thread has policy %d, want %d", got, unix.SCHED_NORMAL)
		}
	}
}

func TestReleaseLeavesOtherLevels(t *testing.T) {
	need.Root(t)
	tid := thread(t)
	p := Raise(Generator)
	defer p.Release()
	other := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: Observer}
	if err := unix.SchedSetAttr(tid, other, 0); err != nil {
		t.Fatal(err)
	}
	p.Release()
	if got := policy(t, tid); got != unix.SCHED_FIFO {
		t.Errorf("a thread at another level has policy %d, want %d", got, unix.SCHED_FIFO)
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
	if got := policy(t, starter(t, func() error { return nil }).Pid); got != unix.SCHED_FIFO {
		t.Errorf("a child has policy %d, want %d: there is nothing to spare it", got, unix.SCHED_FIFO)
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
	if got := policy(t, thread(t)); got != unix.SCHED_FIFO {
		t.Errorf("another thread has policy %d, want %d", got, unix.SCHED_FIFO)
	}
}

func TestSpareLeavesWhatIsNotRaised(t *testing.T) {
	before := policy(t, 0)
	if err := Spare(); err != nil {
		t.Fatal(err)
	}
	if got := policy(t, 0); got != before {
		t.Errorf("the thread has policy %d, want %d", got, before)
	}
}
