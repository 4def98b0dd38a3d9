package drive

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// nap sleeps in the kernel. Go's own sleep wakes up by epoll, whose timeout has
// a granularity of a millisecond. The thread's timer slack, 50 µs by default,
// is 1 ns during the nap and the default again after it. A signal may end the
// nap early.
func nap(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Errors are of no consequence: without the call a nap is only longer.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0)
}
