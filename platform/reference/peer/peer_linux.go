package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// owner is the user at the other end.
func owner(c net.Conn) (uint32, error) {
	switch c := c.(type) {
	case *net.UnixConn:
		return unixOwner(c)
	case *net.TCPConn:
		theirs, err := addrPort(c.RemoteAddr())
		if err != nil {
			return 0, err
		}
		ours, err := addrPort(c.LocalAddr())
		if err != nil {
			return 0, err
		}
		return tcpOwner(theirs, ours)
	}
	return 0, fmt.Errorf("a %T has no owner", c)
}

func unixOwner(c *net.UnixConn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var got error
	err = raw.Control(func(fd uintptr) {
		cred, got = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, got); err != nil {
		return 0, err
	}
	return cred.Uid, nil
}

// addrPort is an address as the kernel compares them: IPv4 in its own form,
// whatever the socket's family.
func addrPort(a net.Addr) (netip.AddrPort, error) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("no TCP address: %v", a)
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()), nil
}

// tcpOwner is the owner of the socket that is theirs on a connection to ours.
//
// A socket that its program has closed lingers without an owner, which older
// kernels tell as uid 0; it has no inode then. And where no connection is
// found, the kernel answers with a listener at the same address. Neither says
// who connected.
func tcpOwner(theirs, ours netip.AddrPort) (uint32, error) {
	s, err := lookup(theirs, ours)
	if err != nil {
		return 0, err
	}
	if s.local != theirs || s.remote != ours {
		return 0, errors.New("the other end is gone")
	}
	switch s.state {
	case unix.BPF_TCP_ESTABLISHED, unix.BPF_TCP_FIN_WAIT1, unix.BPF_TCP_FIN_WAIT2: // the latter two after a half-close
	default:
		return 0, fmt.Errorf("the other end is in TCP state %d", s.state)
	}
	if s.inode == 0 {
		return 0, errors.New("the other end is closed")
	}
	return s.uid, nil
}

// probe looks up a listener of our own.
func probe() error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	addr, err := addrPort(l.Addr())
	if err != nil {
		return err
	}
	s, err := lookup(addr, netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
	if err != nil {
		return err
	}
	if s.local != addr || s.inode == 0 {
		return fmt.Errorf("asked for %v, was told of %v", addr, s.local)
	}
	return nil
}
