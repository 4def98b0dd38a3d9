package container_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
	"github.com/moby/moby/client"
)

// function is the folder of the compiled test function.
var function string

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerDir); dir != "" {
		own(dir)
		return
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "coldcurve-container-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "../sandboxtest/testdata/function")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the test function: %v\n%s", err, out)
			return 1
		}
		function = dir
		return m.Run()
	}())
}

// spec is a function that behaves at init as told.
func spec(behaviour string, env ...string) *sandbox.Spec {
	vars := map[string]string{}
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
		Memory: 256 << 20, Storage: 64 << 20, Timeout: 20 * time.Second, InitLimit: time.Minute,
	}
}

// open makes a sandbox that is looked after: when the test ends it is closed,
// and nothing of it may be left.
func open(t testing.TB, o container.Options) *container.Sandbox {
	t.Helper()
	if err := container.Available(t.Context(), o); err != nil {
		need.Missing(t, err.Error())
	}
	s, err := container.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for _, left := range things(t, container.OwnerOf(s)) {
			t.Errorf("left: %s", left)
		}
	})
	return s
}

// things are the containers and images of an owner.
func things(t testing.TB, owner string) (found []string) {
	t.Helper()
	e, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ours := client.Filters{}.Add("label", "coldcurve.owner="+owner)
	containers, err := e.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers.Items {
		found = append(found, "container "+c.ID+" "+string(c.State))
	}
	images, err := e.ImageList(context.Background(), client.ImageListOptions{Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images.Items {
		found = append(found, fmt.Sprint("image ", i.RepoTags, i.ID))
	}
	return found
}

func start(t testing.TB, s *container.Sandbox, spec *sandbox.Spec) sandbox.Instance {
	t.Helper()
	in, err := s.Start(t.Context(), "i-1", spec, sandbox.OnDemand)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return in
}

// ready starts an instance and awaits its init.
func ready(t testing.TB, s *container.Sandbox, spec *sandbox.Spec) sandbox.Instance {
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
	s := open(t, container.Options{})
	in := start(t, s, spec(""))
	marks, err := in.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !(0 < marks.Begun && marks.Begun < marks.Provisioned && marks.Provisioned <= marks.Ready) || marks.Attempts != 1 || marks.Start != sample.Cold {
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
		if i == 0 && in.MaxMemory() < 200<<10 { // what the first REPORT line says
			t.Errorf("after an answer its peak memory is %d bytes", in.MaxMemory())
		}
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

func eventually(t testing.TB, otherwise string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Error(otherwise)
}

// TestEngineAgrees compares with the engine's own account of the start, of
// several: between the two may be as much time as a busy machine takes to go
// on with us.
func TestEngineAgrees(t *testing.T) {
	for _, oci := range []string{"runc", "crun"} {
		t.Run(oci, func(t *testing.T) {
			s := open(t, container.Options{OCIRuntime: oci})
			function := spec("")
			if err := s.Prepare(t.Context(), function); err != nil {
				t.Fatal(err)
			}
			agree := false
			for try := 0; try < 5 && !agree; try++ {
				before := time.Now()
				in := start(t, s, function)
				marks, err := in.AwaitReady(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				inspected := container.Inspect(t, in)
				said, err := time.Parse(time.RFC3339Nano, inspected.State.StartedAt)
				if err != nil {
					t.Fatal(err)
				}
				engine, ours := said.Sub(before), time.Duration(marks.Provisioned-marks.Begun)
				t.Logf("from the call: started says the engine after %v, we after %v, first poll after %v", engine, ours, time.Duration(marks.Ready-marks.Begun))
				agree = engine > 0 && ours >= engine/2 && ours <= 2*engine
				if got := inspected.HostConfig.Runtime; got != oci {
					t.Errorf("ran by %s, want %s", got, oci)
				}
				if got := string(invoke(t, in, "hello").Body); got != "hello" {
					t.Errorf("got %q", got)
				}
			}
			if !agree {
				t.Error("the engine and the marks do not agree on any start")
			}
		})
	}
}

// TestManyAtOnce closes the sandbox over instances in every stage of their start.
func TestManyAtOnce(t *testing.T) {
	s := open(t, container.Options{})
	function := spec("")
	if err := s.Prepare(t.Context(), function); err != nil {
		t.Fatal(err)
	}
	var starts sync.WaitGroup
	answered := make(chan string, 12)
	for i := range cap(answered) {
		starts.Go(func() {
			in, err := s.Start(t.Context(), fmt.Sprintf("i-%d", i), function, sandbox.OnDemand)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := in.AwaitReady(t.Context()); err != nil {
				t.Error(err)
				return
			}
			want := fmt.Sprintf("hello %d", i)
			if r, err := in.Invoke(t.Context(), invocation(want, time.Minute)); err != nil || string(r.Body) != want {
				t.Errorf("got %q, %v, want %q", r.Body, err, want)
				return
			}
			answered <- want
		})
	}
	starts.Wait()
	if len(answered) != cap(answered) {
		t.Errorf("%d of %d instances answered", len(answered), cap(answered))
	}
	for i := range 4 { // and some that are closed while they start
		starts.Go(func() {
			if in, err := s.Start(t.Context(), fmt.Sprintf("late-%d", i), function, sandbox.OnDemand); err == nil {
				_, _ = in.AwaitReady(t.Context())
			}
		})
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	starts.Wait()
}
