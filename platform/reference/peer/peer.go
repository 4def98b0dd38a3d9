// Package peer owns the question whose the other end of a local connection is.
//
// In: connections accepted on a unix socket or on a loopback address. Out:
// those whose other end belongs to this process's own user or to root; the
// others are closed before a byte of theirs is read. It knows no protocol, and
// no programs: whatever runs as the same user is let through.
//
// A unix socket knows its peer (SO_PEERCRED). Loopback TCP does not, but the
// kernel tells the owner of the socket at the other end: one exact look-up by
// both addresses over netlink (sock_diag). What cannot be found out is
// refused.
//
// In a user namespace every user without a number there reads as 65534, so a
// process that runs as 65534 there cannot tell its own user from those.
package peer

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"
)

// Guard gives a listener that accepts only what [Check] lets through. Refused
// is called with each reason, by the goroutine that accepts; nil is nobody.
// Also are further users whose connections are accepted.
func Guard(l net.Listener, refused func(error), also ...uint32) net.Listener {
	return GuardBy(l, func(c net.Conn) error { return check(c, also) }, refused)
}

// GuardBy gives a listener that accepts only what check has nothing against.
func GuardBy(l net.Listener, check func(net.Conn) error, refused func(error)) net.Listener {
	if refused == nil {
		refused = func(error) {}
	}
	return &guard{Listener: l, check: check, refused: refused}
}

type guard struct {
	net.Listener
	check   func(net.Conn) error
	refused func(error)
}

func (g *guard) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if err = g.check(c); err == nil {
			return c, nil
		}
		_ = c.Close()
		g.refused(err)
	}
}

// SetDeadline is the listener's own.
func (g *guard) SetDeadline(t time.Time) error {
	if l, ok := g.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		return l.SetDeadline(t)
	}
	return errors.ErrUnsupported
}

// SyscallConn is the listener's own.
func (g *guard) SyscallConn() (syscall.RawConn, error) {
	if l, ok := g.Listener.(syscall.Conn); ok {
		return l.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Check says why a connection's other end is not to be trusted; nil if it
// belongs to this process's user or to root. It works on both sides of a unix
// socket, where the listening side's owner is who listened.
func Check(c net.Conn) error { return check(c, nil) }

func check(c net.Conn, also []uint32) error {
	uid, err := owner(c)
	if err != nil {
		return fmt.Errorf("refused a connection%s: cannot tell whose it is: %w", from(c), err)
	}
	if own := os.Geteuid(); uid != 0 && uid != uint32(own) && !slices.Contains(also, uid) {
		return fmt.Errorf("refused a connection%s of uid %d: only uid %d and root may connect", from(c), uid, own)
	}
	return nil
}

// from is where a connection comes from, for an error; unix sockets' clients
// have no name.
func from(c net.Conn) string {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return " from " + tcp.String()
	}
	return ""
}

// ErrUnknown is that no owner of a TCP connection can be told, and so every
// connection would be refused.
var ErrUnknown = errors.New("cannot tell which user connects over loopback (netlink sock_diag)")

// Probe gives an [ErrUnknown] where that is so on this machine.
func Probe() error {
	if err := probe(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return nil
}
