//go:build linux

package reference_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform"
)

// relayMain is the least that a front with functions behind it can be: each
// connection is passed on, unread, to a process of its own over loopback TCP,
// and what comes back is passed back. It knows no HTTP, no function and no time.
func relayMain() int {
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	self, err := os.Executable()
	if err != nil {
		return 1
	}
	fmt.Fprintln(os.NewFile(3, "ready"), front.Addr())
	for {
		caller, err := front.Accept()
		if err != nil {
			return 1
		}
		function := exec.Command(self, "relayed", back.Addr().String())
		function.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
		if err := function.Start(); err != nil {
			return 1
		}
		behind, err := back.Accept()
		if err != nil {
			return 1
		}
		go func() {
			defer function.Wait()
			defer behind.Close()
			defer caller.Close()
			pass := make([]byte, 4<<10)
			for {
				for _, way := range [][2]net.Conn{{caller, behind}, {behind, caller}} {
					n, err := way[0].Read(pass)
					if err != nil {
						return
					}
					if _, err := way[1].Write(pass[:n]); err != nil {
						return
					}
				}
			}
		}()
	}
}

// relayedMain is the function behind a relay: one read, one write.
func relayedMain(addr string) int {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 1
	}
	body := `{"bytes":2,"greeting":"hello"}`
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	for request := make([]byte, 4<<10); ; {
		if _, err := c.Read(request); err == io.EOF {
			return 0
		} else if err != nil {
			return 1
		}
		if _, err := c.Write(answer); err != nil {
			return 1
		}
	}
}

// side is one server under load: how often it answers, and what that takes.
type side struct {
	name     string
	root     int // its process; those below it are the side's too
	posters  []*poster
	rates    []float64       // requests a second, by turns
	consumed []time.Duration // CPU time for a request, by turns, of all its processes
}

// turn loads the side for a while.
func (s *side) turn(b *testing.B, span time.Duration) {
	b.Helper()
	family := tree(b, s.root)
	before, start := cpuTime(family), time.Now()
	rate := load(b, s.posters, span)
	answered := rate * time.Since(start).Seconds()
	s.rates = append(s.rates, rate)
	s.consumed = append(s.consumed, time.Duration(float64(cpuTime(family)-before)/answered))
}

// tree gives a process and those below it.
func tree(b *testing.B, root int) []int {
	b.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	children := make(map[int][]int)
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := bytes.Cut(text, []byte(") "))
		fields := strings.Fields(string(after))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], pid)
	}
	family := []int{root}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	return family
}

// cpuTime is what processes have had of the processors, system calls included.
func cpuTime(pids []int) time.Duration {
	var sum time.Duration
	for _, pid := range pids {
		var ts unix.Timespec
		clock := int32(^pid<<3 | 2) // CPUCLOCK_SCHED of that process; clock_getcpuclockid(3)
		if unix.ClockGettime(clock, &ts) == nil {
			sum += time.Duration(ts.Nano())
		}
	}
	return sum
}

// BenchmarkWire holds Lambda's API over TCP, a warm function behind it, against
// what the machine can do at all: a bare net/http echo, and the least relay to a
// process of its own. All by turns, with as many kept connections each: one
// shows the round trip, more show what a request costs where all are busy.
func BenchmarkWire(b *testing.B) {
	fn := build(b, "hello", platform.Go)
	for _, n := range []int{1, 2, 4, 8, wireConnections} {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			api := newSide(b, "api", n, "/2015-03-31/functions/hello/invocations", func(addr string) error { return create(b, addr, fn) },
				"serve", "--ready-fd=3", "--addr=127.0.0.1:0", "--cache="+cache)
			others := []*side{newSide(b, "echo", n, "/", nil, "echo"), newSide(b, "relay", n, "/", nil, "relay")}
			const turn = 250 * time.Millisecond
			all := append(others, api)
			for _, s := range all { // starts the functions
				load(b, s.posters, turn)
			}
			for b.Loop() {
				for _, s := range all {
					s.turn(b, turn)
				}
			}
			for _, s := range all {
				b.ReportMetric(median(s.rates), s.name+"-req/s")
				b.ReportMetric(micros(s.consumed), s.name+"-cpu-us/req")
			}
			for _, s := range others {
				var shares []float64
				for i := range s.rates {
					shares = append(shares, api.rates[i]/s.rates[i])
				}
				b.ReportMetric(median(shares), "api/"+s.name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// newSide starts this test binary as a server, prepares it and connects to it.
func newSide(b *testing.B, name string, connections int, path string, prepare func(addr string) error, args ...string) *side {
	b.Helper()
	addr, pid, err := trySelf(b, args...)
	if err == nil && prepare != nil {
		err = prepare(addr)
	}
	if err != nil {
		b.Fatal(err)
	}
	s := &side{name: name, root: pid}
	for range connections {
		s.posters = append(s.posters, newPoster(b, addr, path, payload))
	}
	return s
}

func micros(spans []time.Duration) float64 {
	var v []float64
	for _, s := range spans {
		v = append(v, float64(s)/1e3)
	}
	return median(v)
}
