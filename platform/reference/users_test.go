//go:build linux

package reference_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
	"github.com/coldcurve/coldcurve/platform/reference/peer/peertest"
	"github.com/coldcurve/coldcurve/platform/reference/referencetest"
)

const (
	askAPI        = "GET /coldcurve/v1/describe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	askDirect     = "POST /2015-03-31/functions/none/invocations HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
	askRuntimeAPI = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"
)

// answered is the status line of the answer to a request, "" if there is none:
// the connection has been closed.
func answered(t *testing.T, c net.Conn, request string) string {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, request) // the other end may have closed by now
	line, err := bufio.NewReader(c).ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: neither answered nor closed", c.RemoteAddr())
	}
	return strings.TrimSpace(line)
}

// asked is what this process's user is answered.
func asked(t *testing.T, network, addr, request string) string {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return answered(t, c, request)
}

// TestChildServesItsOwnUserOnly tries every address that a child and its
// instance can be reached by, as anybody finds them.
func TestChildServesItsOwnUserOnly(t *testing.T) {
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
	d := deploy(t, client, build(t, "hello", platform.Go))
	if _, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	serving := pid(t, client)
	api, direct := false, false
	for _, name := range unixListeners(t, serving) {
		request, status := askAPI, "HTTP/1.1 200 OK"
		switch {
		case strings.HasSuffix(name, "-api"):
			api = true
		case strings.HasSuffix(name, "-direct"):
			direct, request, status = true, askDirect, "HTTP/1.1 404 Not Found"
		default:
			t.Errorf("unknown socket %s", name)
		}
		if got := answered(t, peertest.Dial(t, "unix", name), request); got != "" {
			t.Errorf("%s answers a stranger: %s", name, got)
		}
		if got := asked(t, "unix", name, request); got != status {
			t.Errorf("%s answers %q, want %s", name, got, status)
		}
	}
	if !api || !direct {
		t.Errorf("no socket for the API (%v) or for invocations (%v)", api, direct)
	}
	ports := tcpListeners(t, serving)
	if len(ports) == 0 {
		t.Error("no Runtime API found")
	}
	for _, addr := range ports {
		if got := answered(t, peertest.Dial(t, "tcp", addr), askRuntimeAPI); got != "" {
			t.Errorf("the Runtime API at %s answers a stranger: %s", addr, got)
		}
		if got := asked(t, "tcp", addr, askAPI); got != "HTTP/1.1 404 Not Found" {
			t.Errorf("%s answers %q: a TCP port with more than the Runtime API", addr, got)
		}
	}
	if a := burst(t.Context(), d, 1, `{}`)[0]; a.err != nil {
		t.Errorf("after the strangers: %v", a.err)
	}
}

// unixListeners are the addresses of a process's listening unix sockets.
func unixListeners(t *testing.T, pid int) (names []string) {
	t.Helper()
	const listening = "00010000"
	own := socketsOf(t, pid)
	for _, f := range table(t, fmt.Sprintf("/proc/%d/net/unix", pid)) {
		if len(f) == 8 && f[3] == listening && own[f[6]] {
			names = append(names, f[7])
		}
	}
	return names
}

// tcpListeners are the addresses of a process's listening TCP sockets.
func tcpListeners(t *testing.T, pid int) (addrs []string) {
	t.Helper()
	const listening = "0A"
	own := socketsOf(t, pid)
	for _, file := range []string{"tcp", "tcp6"} {
		for _, f := range table(t, fmt.Sprintf("/proc/%d/net/%s", pid, file)) {
			if len(f) < 10 || f[3] != listening || !own[f[9]] {
				continue
			}
			var port int
			if _, err := fmt.Sscanf(f[1][strings.LastIndex(f[1], ":"):], ":%X", &port); err != nil {
				t.Fatal(err)
			}
			addrs = append(addrs, fmt.Sprintf("127.0.0.1:%d", port))
		}
	}
	return addrs
}

// table is one of /proc's, a slice of fields a line, without the heading.
func table(t *testing.T, path string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && strings.HasSuffix(path, "tcp6") {
		return nil // no IPv6 here
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		rows = append(rows, strings.Fields(line))
	}
	return rows[1:]
}

// socketsOf are the inodes of a process's sockets.
func socketsOf(t *testing.T, pid int) map[string]bool {
	t.Helper()
	inodes := make(map[string]bool)
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		target, _ := os.Readlink(fd) // it may be closed by now
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serveAt serves on addr until the test's end and gives the address.
func serveAt(t *testing.T, addr string, s reference.Settings, logged io.Writer, change ...func(*reference.ServeOptions)) string {
	t.Helper()
	s.Cache = cache
	o := reference.ServeOptions{Addr: addr, Settings: s, Log: logged}
	for _, f := range change {
		f(&o)
	}
	return referencetest.Serve(t, o)
}

func TestServeRefusesOtherUsers(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			if l, err := net.Listen("tcp", addr); err != nil {
				need.Missing(t, "loopback "+addr)
			} else {
				_ = l.Close()
			}
			var logged lines
			at := serveAt(t, addr, reference.Settings{}, &logged)
			stranger := peertest.Dial(t, "tcp", at)
			if got := answered(t, stranger, askAPI); got != "" {
				t.Errorf("a stranger is answered %s", got)
			}
			if got := asked(t, "tcp", at, askAPI); got != "HTTP/1.1 200 OK" {
				t.Errorf("our own user is answered %q", got)
			}
			want := fmt.Sprintf("coldcurve: serve: refused a connection from %s of uid 65534: only uid 0 and root may connect\n", stranger.LocalAddr())
			if got := logged.String(); got != want {
				t.Errorf("logged %q, want %q", got, want)
			}
		})
	}
}

func TestServeToAnyLocalUser(t *testing.T) {
	at := serveAt(t, "127.0.0.1:0", reference.Settings{AllowAnyLocalUser: true}, nil)
	if got := answered(t, peertest.Dial(t, "tcp", at), askAPI); got != "HTTP/1.1 200 OK" {
		t.Errorf("a stranger is answered %q", got)
	}
}

func TestServeWithoutNetlinkRefuses(t *testing.T) {
	peertest.WithoutNetlink(t, func() {
		err := reference.Serve(t.Context(), reference.ServeOptions{Addr: "127.0.0.1:0", Settings: reference.Settings{Cache: cache}})
		if !errors.Is(err, peer.ErrUnknown) || !strings.Contains(err.Error(), "--allow-any-local-user") {
			t.Errorf("Serve: %v, want that it cannot tell who connects, and the flag", err)
		}
	})
}
