package process_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// function is the folder of the compiled test function; residue.Marker is in the
// environment of every process that a test starts.
var function string

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerDir); dir != "" {
		own(dir)
		return
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "coldcurve-process-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		out, err := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "bootstrap"), "../sandboxtest/testdata/function").CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "build the test function: %v\n%s", err, out)
			return 1
		}
		function = dir
		return m.Run()
	}())
}

// spec is a function that behaves at init as told.
func spec(t testing.TB, behaviour string, env ...string) *sandbox.Spec {
	vars := map[string]string{marker: t.Name()}
	if behaviour != "" {
		vars["BEHAVIOUR"] = behaviour
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return &sandbox.Spec{
		Function: platform.Function{Name: "shop", Runtime: platform.Go, Code: function, Handler: "index.handler", Env: vars},
		Version:  "$LATEST", ARN: "arn:aws:lambda:us-east-1:000000000000:function:shop",
		Memory: 256 << 20, Timeout: 20 * time.Second, InitLimit: time.Minute,
	}
}

// open makes a sandbox that is looked after: when the test ends it is closed,
// and nothing of it may be left.
func open(t testing.TB, o process.Options) *process.Sandbox {
	t.Helper()
	if o.Adopt { // the first Notify of a process starts a goroutine that stays
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGCHLD)
		signal.Stop(signals)
	}
	before := footprint(t)
	s, err := process.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		expectNothingLeft(t, before)
		if o.RuntimeClients != "" { // stems have no mark
			if left := running(o.RuntimeClients); len(left) > 0 {
				t.Errorf("left behind: processes %v", left)
			}
		}
	})
	return s
}

func start(t testing.TB, s *process.Sandbox, spec *sandbox.Spec) sandbox.Instance {
	t.Helper()
	in, err := s.Start(t.Context(), "i-1", spec, sandbox.OnDemand)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return in
}

// ready starts an instance and awaits its init.
func ready(t testing.TB, s *process.Sandbox, spec *sandbox.Spec) sandbox.Instance {
	t.Helper()
	in := start(t, s, spec)
	if _, err := in.AwaitReady(t.Context()); err != nil {
		t.Fatalf("await ready: %v", err)
	}
	return in
}

func invocation(payload string, timeout time.Duration) *sandbox.Invocation {
	return &sandbox.Invocation{RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012x", time.Now().UnixNano()&0xffffffffffff),
		Payload: []byte(payload), TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
		Deadline: time.Now().Add(timeout)}
}

func invoke(t testing.TB, in sandbox.Instance, payload string) sandbox.Result {
	t.Helper()
	r, err := in.Invoke(t.Context(), invocation(payload, 10*time.Second))
	if err != nil {
		t.Fatalf("invoke %q: %v", payload, err)
	}
	return r
}

// failure wants an error to be a *sandbox.Failure of a kind.
func failure(t testing.TB, err error, kind sample.ErrorKind) *sandbox.Failure {
	t.Helper()
	f, ok := errors.AsType[*sandbox.Failure](err)
	if !ok {
		t.Fatalf("got error %v, want a failure of kind %v", err, kind)
	}
	if f.Kind != kind {
		t.Fatalf("got failure of kind %v (%v), want %v", f.Kind, f, kind)
	}
	return f
}

func TestAnswersInvocations(t *testing.T) {
	s := open(t, process.Options{})
	in := start(t, s, spec(t, ""))
	marks, err := in.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !(0 < marks.Begun && marks.Begun < marks.Provisioned && marks.Provisioned <= marks.Ready) || marks.Attempts != 1 {
		t.Errorf("marks out of order: %+v", marks)
	}
	last := marks.Ready
	for i := range 20 {
		want := fmt.Sprintf("hello %d", i)
		r := invoke(t, in, want)
		if string(r.Body) != want || r.FunctionError != "" {
			t.Fatalf("got %q %q, want %q", r.Body, r.FunctionError, want)
		}
		if !(last <= r.HandlerStart && r.HandlerStart < r.HandlerEnd) {
			t.Errorf("invocation %d: handler from %d to %d, after %d", i, r.HandlerStart, r.HandlerEnd, last)
		}
		last = r.HandlerEnd
	}
	if in.MaxMemory() < int64(units.Bytes(200<<10)) {
		t.Errorf("max memory %d, want more", in.MaxMemory())
	}
	if err := in.Stop(false); err != nil {
		t.Fatal(err)
	}
	select {
	case <-in.Done():
	default:
		t.Error("done is open after stop")
	}
	if in.MaxMemory() == 0 {
		t.Error("max memory is forgotten after stop")
	}
}
