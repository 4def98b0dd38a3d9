//go:build linux

package process_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// bare is the floor: the same function, started and polled by a loop that does
// nothing else. It has no limits, no log, no deadline and no way to fail.
type bare struct {
	listener net.Listener
	addr     string
	null     *os.File
	conn     net.Conn
	in       *bufio.Reader
	pid      int
}

func newBare(b *testing.B) *bare {
	b.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close(); null.Close() })
	return &bare{listener: l, addr: l.Addr().String(), null: null}
}

// start forks, executes and reads the first poll.
func (f *bare) start(b *testing.B) {
	path := filepath.Join(function, "bootstrap")
	pid, err := syscall.ForkExec(path, []string{path}, &syscall.ProcAttr{
		Dir:   function,
		Env:   []string{"AWS_LAMBDA_RUNTIME_API=" + f.addr, marker + "=" + b.Name()},
		Files: []uintptr{f.null.Fd(), f.null.Fd(), f.null.Fd()},
	})
	if err != nil {
		b.Fatal(err)
	}
	f.pid = pid
	if f.conn, err = f.listener.Accept(); err != nil {
		b.Fatal(err)
	}
	f.in = bufio.NewReader(f.conn)
	f.request(b)
}

// invoke answers the poll that was read and reads the response.
func (f *bare) invoke(b *testing.B, payload string) {
	f.write(b, "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nContent-Length: "+strconv.Itoa(len(payload))+"\r\n\r\n"+payload)
	if got := f.request(b); string(got) != payload {
		b.Fatalf("got %q, want %q", got, payload)
	}
}

// receipt accepts the response and reads the next poll, which no caller waits for.
func (f *bare) receipt(b *testing.B) {
	f.write(b, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
	f.request(b)
}

func (f *bare) write(b *testing.B, s string) {
	if _, err := io.WriteString(f.conn, s); err != nil {
		b.Fatal(err)
	}
}

func (f *bare) request(b *testing.B) []byte {
	length := 0
	for {
		line, err := f.in.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(value))
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(f.in, body); err != nil {
		b.Fatal(err)
	}
	return body
}

func (f *bare) end() {
	_ = syscall.Kill(f.pid, syscall.SIGKILL)
	var status syscall.WaitStatus
	_, _ = syscall.Wait4(f.pid, &status, 0, nil)
	_ = f.conn.Close()
}

const payload = `{"name":"world"}`

// times collects what single operations took.
type times []time.Duration

func (t *times) add(start time.Time) { *t = append(*t, time.Since(start)) }

func (t times) p50() float64 {
	slices.Sort(t)
	return float64(t[len(t)/2]) / float64(time.Microsecond)
}

// report gives both medians and their ratio, from operations that took turns.
func report(b *testing.B, floor, box times) {
	b.ReportMetric(floor.p50(), "floor-p50-us")
	b.ReportMetric(box.p50(), "p50-us")
	b.ReportMetric(box.p50()/floor.p50(), "ratio")
	b.ReportMetric(0, "ns/op") // of both, and of what stands between them
}

// BenchmarkColdStart compares a start from its order to the first response
// with the floor.
func BenchmarkColdStart(b *testing.B) {
	for _, cgroups := range []bool{true, false} {
		b.Run(fmt.Sprintf("cgroups=%t", cgroups), func(b *testing.B) {
			s := open(b, process.Options{NoCgroups: !cgroups})
			shop := spec(b, "")
			floor := newBare(b)
			var bareTimes, boxTimes times
			for b.Loop() {
				settle()
				start := time.Now()
				floor.start(b)
				floor.invoke(b, payload)
				bareTimes.add(start)
				floor.end()

				settle()
				start = time.Now()
				in := cold(b, s, shop)
				boxTimes.add(start)
				if err := in.Stop(false); err != nil {
					b.Fatal(err)
				}
			}
			report(b, bareTimes, boxTimes)
		})
	}
}

// settle lets what the last operation left behind finish, and the launchers
// make ready again what it used.
func settle() { time.Sleep(8 * time.Millisecond) }

func cold(b *testing.B, s *process.Sandbox, shop *sandbox.Spec) sandbox.Instance {
	in, err := s.Start(b.Context(), "i-1", shop)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := in.AwaitReady(b.Context()); err != nil {
		b.Fatal(err)
	}
	hit(b, in)
	return in
}

func hit(b *testing.B, in sandbox.Instance) {
	r, err := in.Invoke(b.Context(), &sandbox.Invocation{RequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
		Payload: []byte(payload), Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		b.Fatal(err)
	}
	if string(r.Body) != payload {
		b.Fatalf("got %q, want %q", r.Body, payload)
	}
}

// BenchmarkWarm compares an invocation of a ready instance with the floor.
func BenchmarkWarm(b *testing.B) {
	s := open(b, process.Options{})
	shop := spec(b, "")
	shop.Memory = 1769 << 20 // a whole CPU, as the floor's function has
	in := ready(b, s, shop)
	defer in.Stop(false)
	floor := newBare(b)
	floor.start(b)
	defer floor.end()
	var bareTimes, boxTimes times
	for b.Loop() {
		pause()
		start := time.Now()
		floor.invoke(b, payload)
		bareTimes.add(start)
		floor.receipt(b)

		pause()
		start = time.Now()
		hit(b, in)
		boxTimes.add(start)
	}
	report(b, bareTimes, boxTimes)
}

// pause lets the function poll again.
func pause() { time.Sleep(200 * time.Microsecond) }
