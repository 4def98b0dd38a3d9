//go:build linux

package reference_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestMain lets this test binary be the program that serves, as coldcurve is
// for its own client, and the parent that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			os.Exit(serveMain(os.Args[2:]))
		case "echo":
			os.Exit(echoMain())
		case "relay":
			os.Exit(relayMain())
		case "relayed":
			os.Exit(relayedMain(os.Args[2]))
		case "parent":
			os.Exit(parentMain())
		}
	}
	os.Exit(runTests(m))
}

// cache is where these tests have fixtures built.
var cache string

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coldcurve-reference-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	cache = dir
	return m.Run()
}

// serveMain does what the serve command does.
func serveMain(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var flags reference.ServeFlags
	parser, err := kong.New(&flags)
	if err == nil {
		_, err = parser.Parse(args)
	}
	var options reference.ServeOptions
	if err == nil {
		options, err = flags.Options(reference.DefaultSettings())
	}
	if err == nil {
		err = reference.Serve(ctx, options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "coldcurve: error:", err)
		return 1
	}
	return 0
}

// build makes a fixture ready to deploy.
func build(t testing.TB, name string, runtime platform.Runtime) platform.Function {
	t.Helper()
	need.Linux(t)
	if runtime == platform.NodeJS {
		need.Program(t, "node")
	}
	if runtime == platform.Python {
		need.Program(t, "python3")
	}
	built, err := fixtures.Build(t.Context(), fixtures.Spec{Name: name, Runtime: runtime, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	return platform.Function{
		Name: name, Runtime: built.Runtime, Code: built.Code, Handler: built.Handler,
		Memory: 1769 << 20, Timeout: 10 * time.Second,
	}
}

// gated is a function whose requests can be held in their handlers.
func gated(t testing.TB) platform.Function {
	t.Helper()
	need.Linux(t)
	fn, err := subject.Build(t.TempDir(), platform.Go, false)
	if err != nil {
		t.Fatal(err)
	}
	fn.Name, fn.Memory, fn.Timeout = "gated", 1769<<20, 5*time.Minute
	return fn
}

// newGate gives one that is open by the test's end, and what has a request held
// at it.
func newGate(t testing.TB) (gate subject.Gate, payload string) {
	t.Helper()
	gate = subject.Gate(t.TempDir())
	t.Cleanup(func() { _ = gate.Open() })
	text, err := json.Marshal(gate.Request())
	if err != nil {
		t.Fatal(err)
	}
	return gate, string(text)
}

// awaitHeld returns when so many requests are held.
func awaitHeld(t testing.TB, gate subject.Gate, n int) {
	t.Helper()
	held := 0
	for range patience {
		var err error
		if held, err = gate.Held(); err != nil {
			t.Fatal(err)
		}
		if held == n {
			return
		}
		time.Sleep(often)
	}
	t.Fatalf("%d requests are held, want %d", held, n)
}

// How often something that is going to be is looked for, and how many times: for
// two minutes on a machine that is idle.
const (
	often    = 10 * time.Millisecond
	patience = 12_000
)

// open starts a runtime, and checks at the test's end that nothing is left.
func open(t testing.TB, o reference.ClientOptions) *reference.Client {
	t.Helper()
	need.Linux(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o.Executable, o.Stderr, o.Cache = self, t.Output(), cache
	client, err := reference.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	serving := pid(t, client)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := client.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if left := groupsOf(serving); len(left) > 0 {
			t.Errorf("after Close, still there: %v", left)
		}
	})
	return client
}

// groupsOf are the control groups that a serving process has made.
func groupsOf(serving int) []string { return residue.Groups(fmt.Sprintf("-%d-", serving)) }

func deploy(t testing.TB, client *reference.Client, fn platform.Function) platform.Deployment {
	t.Helper()
	d, err := client.Deploy(t.Context(), fn)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pid is the runtime's process.
func pid(t testing.TB, client *reference.Client) int {
	t.Helper()
	d, err := client.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.Process
}

// descendants are the processes below pid, by /proc.
func descendants(t testing.TB, pid int) []int {
	t.Helper()
	var found []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(text)) {
			var child int
			if _, err := fmt.Sscan(field, &child); err != nil {
				t.Fatal(err)
			}
			found = append(found, child)
			found = append(found, descendants(t, child)...)
		}
	}
	return found
}

// running says which of the processes are there and not zombies.
func running(pids []int) (left []int) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		if _, rest, _ := strings.Cut(string(stat), ") "); !strings.HasPrefix(rest, "Z") {
			left = append(left, pid)
		}
	}
	return left
}

// awaitGone fails the test if the processes do not end.
func awaitGone(t testing.TB, pids []int) {
	t.Helper()
	for range patience {
		if len(running(pids)) == 0 {
			return
		}
		time.Sleep(often)
	}
	t.Errorf("still running: %v", running(pids))
}
