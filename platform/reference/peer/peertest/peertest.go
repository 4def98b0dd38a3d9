//go:build linux

// Package peertest owns what a test of who connects needs: a connection of
// another user's, and a kernel that does not tell.
//
// In: an address, or a function to run. Out: a connection that the kernel
// attributes to [UID], for which it needs root. It starts no program: a thread
// of this process becomes the other user, or is forbidden netlink, and ends.
package peertest

import (
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// UID is the stranger: nobody.
const UID = 65534

// Dial connects as the stranger. The connection is closed at the test's end.
func Dial(t testing.TB, network, addr string) net.Conn {
	t.Helper()
	need.Root(t)
	var c net.Conn
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		// The bare call changes this thread alone, where package syscall's
		// changes all of them.
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, UID, UID, UID); errno != 0 {
			err = errno
			return
		}
		c, err = net.Dial(network, addr)
	}()
	<-done
	if err != nil {
		t.Fatalf("connect as uid %d: %v", UID, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
