package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/server"
)

// open makes the platform with what this machine has.
func open(t *testing.T, workers int) *server.Platform {
	t.Helper()
	options := server.Options{Workers: workers, Programs: map[platform.Runtime]string{}}
	var err error
	if options.Clients, err = fixtures.RuntimeClients(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []platform.Runtime{platform.NodeJS, platform.Python} {
		if tool, err := fixtures.Find(t.Context(), r); err == nil {
			options.Programs[r] = tool.Path
		}
	}
	p, err := server.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// deploy starts a fixture's server; the fixture stays in the user's cache.
func deploy(t *testing.T, p *server.Platform, fixture string, r platform.Runtime) platform.Deployment {
	t.Helper()
	switch r {
	case platform.NodeJS:
		need.Program(t, "node")
	case platform.Python:
		need.Program(t, "python3")
	}
	built, err := fixtures.Build(t.Context(), fixtures.Spec{Name: fixture, Runtime: r, Server: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Deploy(t.Context(), platform.Function{Name: fixture, Runtime: r, Code: built.Code, Handler: built.Handler, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func everywhere(t *testing.T, test func(t *testing.T, r platform.Runtime)) {
	for _, r := range []platform.Runtime{platform.Go, platform.NodeJS, platform.Python} {
		t.Run(string(r), func(t *testing.T) { test(t, r) })
	}
}

func TestServesEachFixture(t *testing.T) {
	everywhere(t, func(t *testing.T, r platform.Runtime) {
		p := open(t, 1)
		for _, name := range fixtures.Names() {
			d := deploy(t, p, name, r)
			for range 2 {
				got, err := d.Invoke(t.Context(), platform.Request{Payload: fixtures.Payload(name)})
				if err != nil || got.Status != 200 || got.FirstByte.IsZero() {
					t.Fatalf("%s: %+v, %v", name, got, err)
				}
				if got.Evidence.Start != sample.Warm || got.Evidence.Grade != sample.Observed || got.Evidence.Instance == "" {
					t.Errorf("%s: evidence %+v, want a warm start that was observed", name, got.Evidence)
				}
			}
		}
	})
}

func TestHandlerErrors(t *testing.T) {
	everywhere(t, func(t *testing.T, r platform.Runtime) {
		d := deploy(t, open(t, 1), "cpu", r)
		for range 2 {
			if _, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"ms":-1}`)}); platform.KindOf(err) != sample.Handler {
				t.Errorf("got %v, want a handler's error", err)
			}
		}
		if _, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"ms":1}`)}); err != nil {
			t.Errorf("after errors: %v", err)
		}
	})
}

// TestReadings wants the CPU time that the handlers used to be found, of a
// server of two processors in particular: it is two processes where the
// language has no threads.
func TestReadings(t *testing.T) {
	const requests, each = 20, 25 * time.Millisecond
	everywhere(t, func(t *testing.T, r platform.Runtime) {
		p := open(t, 1)
		d := deploy(t, p, "cpu", r)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for range requests / 4 {
					if _, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"ms":` + strconv.Itoa(int(each.Milliseconds())) + `}`)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		var used time.Duration
		for deadline := time.Now().Add(time.Minute); used < requests*each-40*time.Millisecond && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			readings, err := p.Readings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, now := range readings {
				if i > 0 && (now.CPU < readings[i-1].CPU || now.At < readings[i-1].At) {
					t.Fatalf("reading %+v after %+v", now, readings[i-1])
				}
				if used = now.CPU; now.Memory < 1<<20 || now.Processes < 1 || now.Function != "cpu" {
					t.Fatalf("reading %+v", now)
				}
			}
		}
		if least := requests*each - 40*time.Millisecond; used < least {
			t.Errorf("%v of CPU time for %d requests of %v", used, requests, each)
		}
		lives, err := p.Instances(t.Context())
		if err != nil || len(lives) != 1 || lives[0].Invocations != requests || lives[0].Ready <= lives[0].Started || lives[0].MaxMemory == 0 {
			t.Errorf("lives %+v, %v", lives, err)
		}
	})
}

// TestReadingsOfOthers has another thread compute on an idle server's processor.
func TestReadingsOfOthers(t *testing.T) {
	const spun = 300 * time.Millisecond
	p := open(t, 1)
	got, err := deploy(t, p, "hello", platform.Go).Invoke(t.Context(), platform.Request{})
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(got.Evidence.Instance, "hello-"))
	if err != nil {
		t.Fatal(err)
	}
	before := reading(t, p)
	done := make(chan error)
	go func() { done <- spinBeside(pid, spun) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	after := reading(t, p)
	if others, own := after.Others-before.Others, after.CPU-before.CPU; others < spun/2 || own > spun/2 {
		t.Errorf("others used %v and the server %v of its processor, want about %v and nothing", others, own, spun)
	}
}

// spinBeside computes on a process's processors, in a thread of its own.
func spinBeside(pid int, total time.Duration) error {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	var tied unix.CPUSet
	if err := errors.Join(unix.SchedGetaffinity(pid, &tied), unix.SchedSetaffinity(0, &tied)); err != nil {
		return err
	}
	for {
		var usage unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil || time.Duration(usage.Utime.Nano()+usage.Stime.Nano()) >= total {
			return err
		}
	}
}

// reading is what a platform's only server has used by now.
func reading(t *testing.T, p *server.Platform) platform.Reading {
	t.Helper()
	readings, err := p.Readings(t.Context())
	if err != nil || len(readings) == 0 {
		t.Fatalf("readings %+v, %v", readings, err)
	}
	return readings[len(readings)-1]
}

func TestRemoveLeavesNoProcess(t *testing.T) {
	everywhere(t, func(t *testing.T, r platform.Runtime) {
		p := open(t, 1)
		d := deploy(t, p, "hello", r)
		got, err := d.Invoke(t.Context(), platform.Request{})
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimPrefix(got.Evidence.Instance, "hello-"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.Remove(context.Background()), d.Remove(context.Background())); err != nil {
			t.Error(err)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d after Remove: %v", pid, err)
		}
		if _, err := d.Invoke(t.Context(), platform.Request{}); err == nil {
			t.Error("a removed server answers")
		}
	})
}

// TestBacklog sends eight long requests at once to a server that has one place:
// each is served or refused.
func TestBacklog(t *testing.T) {
	p, err := server.New(server.Options{Backlog: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	d := deploy(t, p, "cpu", platform.Go)
	var wait sync.WaitGroup
	var served, refused atomic.Int64
	for range 8 {
		wait.Go(func() {
			got, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"ms":300}`)})
			switch {
			case err == nil:
				served.Add(1)
			case platform.KindOf(err) == sample.Throttled && got.Evidence.Start == sample.Warm:
				refused.Add(1)
			default:
				t.Errorf("got %+v, %v, want an answer, or a refusal by a warm server", got, err)
			}
		})
	}
	wait.Wait()
	if served.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d served and %d refused, want some of each", served.Load(), refused.Load())
	}
	if _, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(`{"ms":1}`)}); err != nil {
		t.Errorf("after them: %v", err)
	}
}

// TestCrash kills a server from outside.
func TestCrash(t *testing.T) {
	p := open(t, 1)
	d := deploy(t, p, "hello", platform.Go)
	got, err := d.Invoke(t.Context(), platform.Request{})
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimPrefix(got.Evidence.Instance, "hello-"))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); platform.KindOf(err) != sample.Crash && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		_, err = d.Invoke(t.Context(), platform.Request{})
	}
	if platform.KindOf(err) != sample.Crash || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("got %v, want a crash with its signal", err)
	}
	if err := d.Remove(t.Context()); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("remove says %v, want that the server had ended", err)
	}
}

func TestDeployRefusals(t *testing.T) {
	p := open(t, 1)
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "bootstrap"), []byte("#!/bin/sh\necho no such thing >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]platform.Function{
		`runtime "wasm": a server runs go, nodejs and python`: {Runtime: platform.Wasm},
		"its server ended (exit status 3): no such thing":     {Runtime: platform.Go, Code: broken},
		"no such file or directory":                           {Runtime: platform.Go, Code: t.TempDir()},
	} {
		if _, err := p.Deploy(t.Context(), f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := server.New(server.Options{Workers: 1 << 20}); err == nil || !strings.Contains(err.Error(), "workers 1048576 are outside 1 to") {
		t.Errorf("got %v, want a refusal of so many workers", err)
	}
}
