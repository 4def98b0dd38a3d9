//go:build linux

package peertest

import (
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// WithoutNetlink runs f where the kernel refuses netlink sockets, as some
// containers do.
func WithoutNetlink(t testing.TB, f func()) {
	t.Helper()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the filter stays with the thread
		if err = forbidNetlink(); err == nil {
			f()
		}
	}()
	<-done
	if err != nil {
		t.Fatalf("forbid netlink: %v", err)
	}
}

// forbidNetlink makes socket(AF_NETLINK, ...) fail on this thread.
func forbidNetlink() error {
	const load, equal, end = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load, K: 0}, // the call's number
		{Code: equal, K: unix.SYS_SOCKET, Jf: 3},
		{Code: load, K: 16}, // its first argument
		{Code: equal, K: unix.AF_NETLINK, Jf: 1},
		{Code: end, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: end, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
