package priority

import (
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
