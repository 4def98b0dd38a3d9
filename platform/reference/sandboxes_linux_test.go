package reference_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// needSandbox wants a machine on which instances of a sandbox can be made.
func needSandbox(t *testing.T, name string) {
	t.Helper()
	need.Linux(t)
	if err := reference.Available(t.Context(), name); err != nil {
		need.Missing(t, err.Error())
	}
}

// TestSandboxes has a function started in each of them, over the wire, in a
// runtime that has others too.
func TestSandboxes(t *testing.T) {
	for _, tt := range []struct {
		sandbox, fixture string
		runtime          platform.Runtime
	}{
		{"process", "hello", platform.Go}, {"process", "hello", platform.Python}, {"process", "hello", platform.NodeJS},
		{"namespace", "hello", platform.Go}, {"namespace", "hello", platform.Python}, {"namespace", "hello", platform.NodeJS},
		{"wasm", "hello", platform.Wasm}, {"wasm", fixtures.Minimal, platform.Wasm},
		{"container", "hello", platform.Go},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", tt.sandbox, tt.fixture, tt.runtime), func(t *testing.T) {
			needSandbox(t, tt.sandbox)
			fn := build(t, tt.fixture, tt.runtime)
			fn.Sandbox = tt.sandbox
			client := open(t, reference.ClientOptions{Settings: reference.Settings{
				Policy: lifecycle.Policy{KeepAlive: time.Minute}, Sandboxes: []string{"process", tt.sandbox},
			}})
			d := deploy(t, client, fn)
			for _, want := range []sample.Start{sample.Cold, sample.Warm} {
				r, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(payload)})
				if err != nil {
					t.Fatal(err)
				}
				if r.Evidence.Start != want || r.Evidence.Grade != sample.Attested {
					t.Errorf("start %v, %v, want %v, attested", r.Evidence.Start, r.Evidence.Grade, want)
				}
			}
			about, err := client.Describe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := "process"
			if tt.sandbox != "process" {
				want = min(tt.sandbox, "process") + ", " + max(tt.sandbox, "process")
			}
			if about.Facts["sandbox"] != want {
				t.Errorf("sandbox is told as %q, want %q", about.Facts["sandbox"], want)
			}
		})
	}
}

// TestPause has an instance stand still and be thawed in each sandbox that can.
func TestPause(t *testing.T) {
	for _, name := range []string{"process", "namespace", "container"} {
		t.Run(name, func(t *testing.T) {
			needSandbox(t, name)
			client := open(t, reference.ClientOptions{Settings: reference.Settings{
				Policy: lifecycle.Policy{KeepAlive: time.Minute}, Sandboxes: []string{name},
			}})
			fn := build(t, "hello", platform.Go)
			fn.Start = "pause"
			d := deploy(t, client, fn)
			start := func() sample.Start {
				r, err := d.Invoke(t.Context(), platform.Request{Payload: []byte(payload)})
				if err != nil {
					t.Fatal(err)
				}
				return r.Evidence.Start
			}
			if got := start(); got != sample.Cold {
				t.Errorf("the first start is %v, want cold", got)
			}
			for range 2 {
				got := sample.Warm
				for wait := often; got == sample.Warm && wait < time.Minute; wait *= 2 {
					time.Sleep(wait) // what is not paused yet is warm
					got = start()
				}
				if got != sample.Restored {
					t.Errorf("after a pause it is %v, want restored", got)
				}
			}
		})
	}
}

// TestPriorityIsNotAFunctions holds the runtime's priority against the rule
// that no function runs at it.
func TestPriorityIsNotAFunctions(t *testing.T) {
	need.Root(t)
	for _, tt := range []struct {
		sandbox string
		raised  bool // the serving process, which modules would run in
	}{{"process", true}, {"namespace", true}, {"wasm", false}} {
		t.Run(tt.sandbox, func(t *testing.T) {
			needSandbox(t, tt.sandbox)
			client := open(t, reference.ClientOptions{Settings: reference.Settings{
				Policy: lifecycle.Policy{KeepAlive: time.Minute}, Sandboxes: []string{tt.sandbox},
			}})
			runtime := platform.Go
			if tt.sandbox == "wasm" {
				runtime = platform.Wasm
			}
			fn := build(t, "hello", runtime)
			if _, err := deploy(t, client, fn).Invoke(t.Context(), platform.Request{Payload: []byte(payload)}); err != nil {
				t.Fatal(err)
			}
			serving := pid(t, client)
			if got, err := raised(serving); err != nil || got != tt.raised {
				t.Errorf("the runtime is raised: %v (%v), want %v", got, err, tt.raised)
			}
			looked := 0
			for range patience { // a list read while a child ends may leave others out
				for _, instance := range childrenOf(t, serving) {
					switch got, err := raised(instance); {
					case errors.Is(err, unix.ESRCH): // it set the sandbox up and has ended since
					case err != nil:
						t.Error(err)
					case got:
						t.Errorf("process %d of a function is raised", instance)
					default:
						looked++
					}
				}
				if looked > 0 || tt.sandbox == "wasm" {
					break
				}
				time.Sleep(often)
			}
			if tt.sandbox != "wasm" && looked == 0 {
				t.Error("no instance to look at")
			}
		})
	}
}

func childrenOf(t *testing.T, pid int) (list []int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		for _, child := range strings.Fields(string(text)) {
			id, err := strconv.Atoi(child)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, id)
		}
	}
	return list
}

// raised says whether a process's main thread is at a real-time priority.
func raised(pid int) (bool, error) {
	attr, err := unix.SchedGetAttr(pid, 0)
	if err != nil {
		return false, fmt.Errorf("policy of process %d: %w", pid, err)
	}
	return attr.Policy != unix.SCHED_NORMAL, nil
}

// TestImageThatIsNotThere is a function that never becomes active.
func TestImageThatIsNotThere(t *testing.T) {
	needSandbox(t, "container")
	client := open(t, reference.ClientOptions{Settings: reference.Settings{Sandboxes: []string{"container"}}})
	_, err := client.Deploy(t.Context(), platform.Function{
		Name: "nowhere", Runtime: platform.Image, Image: "localhost:1/not/there:1", Memory: 1 << 30, Timeout: time.Second,
	})
	if err == nil || !strings.HasPrefix(err.Error(), "deploy nowhere: ") || !strings.Contains(err.Error(), "localhost:1/not/there:1") {
		t.Errorf("Deploy: %v, want what is missing", err)
	}
	if platform.KindOf(err) != sample.Refused {
		t.Errorf("Deploy: kind %v, want refused", platform.KindOf(err))
	}
}

// TestSandboxThatCannotBeOpened names it, and what to do.
func TestSandboxThatCannotBeOpened(t *testing.T) {
	need.Linux(t)
	nowhere := "unix://" + t.TempDir() + "/docker.sock"
	_, err := reference.Open(t.Context(), reference.ClientOptions{
		Executable: os.Args[0], Env: []string{"DOCKER_HOST=" + nowhere}, Settings: reference.Settings{Sandboxes: []string{"process", "container"}, Cache: cache},
	})
	for _, want := range []string{"container sandbox: ", nowhere, "start one"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open: %v, want %q in it", err, want)
		}
	}
}
