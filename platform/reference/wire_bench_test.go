//go:build linux

package reference_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// echoMain is the bare net/http server that the API is measured against.
func echoMain() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	fmt.Fprintln(os.NewFile(3, "ready"), l.Addr())
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	return 0
}

// trySelf starts this test binary as something that listens, where it can, and
// gives its address once it does, and its process.
func trySelf(t testing.TB, args ...string) (addr string, pid int, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		return "", 0, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", 0, err
	}
	defer r.Close()
	var says bytes.Buffer
	cmd := exec.Command(self, args...)
	cmd.Stderr, cmd.ExtraFiles = &says, []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return "", 0, err
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return "", 0, fmt.Errorf("%w: %s", cmd.Wait(), bytes.TrimSpace(says.Bytes()))
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) || says.Len() > 0 {
			t.Logf("%s: %v: %s", args[0], err, &says)
		}
	})
	return strings.TrimSpace(line), cmd.Process.Pid, nil
}

// poster sends the same request again and again over one connection, as cheaply
// as it can: what it costs is in both figures.
type poster struct {
	net.Conn
	in      *bufio.Reader
	request []byte
}

func newPoster(t testing.TB, addr, path, body string) *poster {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &poster{c, bufio.NewReader(c), requestOf(addr, path, body)}
}

func requestOf(addr, path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, addr, len(body), body)
}

// ask posts once and gives the whole answer.
func (p *poster) ask() (http.Header, []byte, error) {
	if _, err := p.Write(p.request); err != nil {
		return nil, nil, err
	}
	r, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, body)
	}
	return r.Header, body, err
}

func (p *poster) post() error {
	if _, err := p.Write(p.request); err != nil {
		return err
	}
	length := -1
	status, err := p.in.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("status line %q: %w", status, err)
	}
	for {
		line, err := p.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(value))
		}
	}
	_, err = p.in.Discard(length)
	return err
}

// load posts over all connections for a while, and gives what was answered a
// second.
func load(t testing.TB, posters []*poster, span time.Duration) float64 {
	t.Helper()
	var answered atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for _, p := range posters {
		all.Go(func() {
			for time.Since(start) < span {
				if err := p.post(); err != nil {
					t.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	return float64(answered.Load()) / time.Since(start).Seconds()
}

// create makes a function through the API at addr and waits until it is active.
func create(b *testing.B, addr string, fn platform.Function) error {
	b.Helper()
	document, err := json.Marshal(map[string]any{
		"FunctionName": fn.Name, "Runtime": catalog.IdentifierOf(fn.Runtime), "Role": "arn:aws:iam::000000000000:role/r", "Handler": fn.Handler,
		"Timeout": 10, "MemorySize": fn.Memory >> 20, "Code": map[string]any{"LocalFolder": fn.Code}, "Sandbox": fn.Sandbox, "Start": fn.Start,
	})
	if err != nil {
		return err
	}
	if r, body := post(b, "http://"+addr+"/2015-03-31/functions", string(document)); r.StatusCode != http.StatusCreated {
		return fmt.Errorf("create %s: %s %s", fn.Name, r.Status, body)
	}
	var now struct{ State, StateReason string }
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		r, err := http.Get("http://" + addr + "/2015-03-31/functions/" + fn.Name + "/configuration")
		if err != nil {
			return err
		}
		if err := errors.Join(json.NewDecoder(r.Body).Decode(&now), r.Body.Close()); err != nil {
			return err
		}
		if now.State != "Pending" {
			break
		}
	}
	if now.State != "Active" {
		return fmt.Errorf("%s is %s: %s", fn.Name, now.State, now.StateReason)
	}
	return nil
}

// wireConnections are kept to each side where all are to be busy.
const wireConnections = 16

// The goals of Lambda's API in requests a second, over as many kept connections
// as the other side has; BenchmarkPromises judges them.
const (
	// leastWireShare is of a bare net/http echo's, with a connection for each
	// processor. With more of them the echo answers several for each time that
	// it is woken, and nothing can that wakes a process for each request: the
	// least relay is at half of the echo there.
	leastWireShare = .5
	// leastRelayShare is of the least relay's, which passes bytes to a process of
	// its own and knows no HTTP, no function and no time; with wireConnections.
	leastRelayShare = .66
)

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
