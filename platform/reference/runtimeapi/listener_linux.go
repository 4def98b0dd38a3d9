package runtimeapi

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// deferAccept is a hint; a kernel without it works as well.
func deferAccept(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1)
}

// backlog tells whether a connection waits to be accepted.
func backlog(l net.Listener) bool {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	waits := false
	err = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		waits = err == nil && n > 0
	})
	return err == nil && waits
}
