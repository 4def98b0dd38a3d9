package cli

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
)

// TestHangup: a terminal that goes away ends a command as an interrupt does, and
// not what it clears up then. One that nobody is to hear of stays so.
func TestHangup(t *testing.T) {
	usual := func() {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // Reset alone leaves it ignored
		signal.Reset(syscall.SIGHUP)
	}
	usual()
	defer usual()
	ctx, stop := signals(t.Context())
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	hangup := func() { // of this thread, so that it has come when it is sent
		if _, _, err := syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(syscall.Gettid()), uintptr(syscall.SIGHUP)); err != 0 {
			t.Fatal(err)
		}
	}
	hangup() // which would end this process, if it were not heard
	<-ctx.Done()
	stop()
	hangup()
	signal.Ignore(syscall.SIGHUP)
	_, stop = signals(t.Context())
	if stop(); !signal.Ignored(syscall.SIGHUP) {
		t.Error("a hangup that was ignored is heard")
	}
}
