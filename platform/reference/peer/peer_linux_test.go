package peer_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/peer/peertest"
)

func listen(t testing.TB, network, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		if network == "tcp6" && errors.Is(err, unix.EADDRNOTAVAIL) {
			need.Missing(t, "IPv6 on loopback")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func accept(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func dial(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// each runs a test on every kind of listener there is.
func each(t *testing.T, test func(*testing.T, net.Listener)) {
	for _, kind := range []struct{ name, network, addr string }{
		{"tcp4", "tcp4", "127.0.0.1:0"},
		{"tcp6", "tcp6", "[::1]:0"},
		{"unix file", "unix", filepath.Join(t.TempDir(), "s")},
		{"unix abstract", "unix", "@coldcurve-peer-test-" + filepath.Base(t.TempDir()) + strings.ReplaceAll(t.Name(), "/", "-")},
	} {
		t.Run(kind.name, func(t *testing.T) {
			l := listen(t, kind.network, kind.addr)
			if kind.name == "unix file" {
				openTo(t, kind.addr)
			}
			test(t, l)
		})
	}
}

// openTo lets every user reach a socket by its path.
func openTo(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); dir != os.TempDir() && len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
}

func TestOwnUserIsLetThrough(t *testing.T) {
	each(t, func(t *testing.T, l net.Listener) {
		theirs := dial(t, l)
		if err := peer.Check(accept(t, l)); err != nil {
			t.Error(err)
		}
		if l.Addr().Network() != "tcp" {
			if err := peer.Check(theirs); err != nil {
				t.Errorf("from the client's side: %v", err)
			}
		}
	})
}

func TestAnotherUserIsRefused(t *testing.T) {
	each(t, func(t *testing.T, l net.Listener) {
		stranger := peertest.Dial(t, l.Addr().Network(), l.Addr().String())
		friend := dial(t, l)
		var refused []error
		guarded := peer.Guard(l, func(err error) { refused = append(refused, err) })
		// The stranger is first in the queue, so this accepts past it.
		served := accept(t, guarded)
		if len(refused) != 1 || !strings.Contains(refused[0].Error(), "of uid 65534: only uid 0 and root may connect") {
			t.Errorf("refused %v, want the stranger by its uid", refused)
		}
		if n, err := stranger.Read(make([]byte, 1)); err == nil {
			t.Errorf("the stranger has read %d bytes", n)
		}
		if _, err := io.WriteString(friend, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(served, make([]byte, 1)); err != nil {
			t.Errorf("the friend is not served: %v", err)
		}
	})
}

// TestIPv4FromAnIPv6Socket is how Java connects.
func TestIPv4FromAnIPv6Socket(t *testing.T) {
	l := listen(t, "tcp4", "127.0.0.1:0")
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		need.Missing(t, "IPv6 sockets")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	mapped := unix.SockaddrInet6{Port: l.Addr().(*net.TCPAddr).Port}
	copy(mapped.Addr[:], net.IPv4(127, 0, 0, 1).To16())
	if err := unix.Connect(fd, &mapped); err != nil {
		t.Fatal(err)
	}
	if err := peer.Check(accept(t, l)); err != nil {
		t.Error(err)
	}
}

// TestClosedEnds: a client that has sent all it has is still there. One
// that has closed is not: the kernel may tell such a socket as root's.
func TestClosedEnds(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			network := "tcp4"
			if addr[0] == '[' {
				network = "tcp6"
			}
			l := listen(t, network, addr)
			half := dial(t, l)
			if err := half.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if err := peer.Check(accept(t, l)); err != nil {
				t.Errorf("half closed: %v", err)
			}
			gone := dial(t, l)
			if _, err := io.WriteString(gone, "GET / HTTP/1.1\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if err := gone.Close(); err != nil {
				t.Fatal(err)
			}
			if err := peer.Check(accept(t, l)); err == nil {
				t.Error("closed: let through")
			} else {
				t.Log(err)
			}
		})
	}
}

// TestListenerIsNoPeer: where the client has bound a port and gone, a listener
// of ours that stands there now says nothing about it.
func TestListenerIsNoPeer(t *testing.T) {
	l := listen(t, "tcp4", "127.0.0.1:0")
	for range 50 {
		served, left := abandoned(t, l)
		there, err := net.Listen("tcp4", left)
		if errors.Is(err, unix.EADDRINUSE) {
			continue // somebody else on this machine got the port first
		}
		if err != nil {
			t.Fatal(err)
		}
		defer there.Close()
		if err := peer.Check(served); err == nil || !strings.Contains(err.Error(), "gone") {
			t.Errorf("got %v, want that the other end is gone", err)
		}
		return
	}
	t.Fatal("no port that a client left could be had, in 50 tries")
}

// abandoned is a connection whose client has gone, and the address that it left.
func abandoned(t *testing.T, l net.Listener) (served net.Conn, left string) {
	t.Helper()
	client := dial(t, l)
	served = accept(t, l)
	// An abortive end leaves the port free at once, and the server's side
	// with an error to read.
	if err := client.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	left = client.LocalAddr().String()
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	return served, left
}

func TestOtherConnectionsAreRefused(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if err := peer.Check(a); err == nil {
		t.Error("a pipe was let through")
	}
}

func TestProbe(t *testing.T) {
	if err := peer.Probe(); err != nil {
		t.Error(err)
	}
}

func TestWithoutNetlinkTCPIsRefused(t *testing.T) {
	peertest.WithoutNetlink(t, func() {
		if err := peer.Probe(); !errors.Is(err, peer.ErrUnknown) || !errors.Is(err, unix.EPERM) {
			t.Errorf("Probe: %v", err)
		}
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		defer l.Close()
		client, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		served, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer served.Close()
		if err := peer.Check(served); !errors.Is(err, unix.EPERM) {
			t.Errorf("Check: %v", err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, kind := range []struct{ network, addr string }{{"tcp4", "127.0.0.1:0"}, {"tcp6", "[::1]:0"}, {"unix", "@coldcurve-peer-bench"}} {
		b.Run("net="+kind.network, func(b *testing.B) {
			l := listen(b, kind.network, kind.addr)
			dial(b, l)
			c := accept(b, l)
			for b.Loop() {
				if err := peer.Check(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
