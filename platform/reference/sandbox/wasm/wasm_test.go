package wasm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
)

// cache is shared by all tests: for fixtures and for machine code. module is
// the folder of the compiled test function.
var cache, module string

func TestMain(m *testing.M) {
	var err error
	if cache, err = os.MkdirTemp("", "coldcurve-wasm-"); err != nil {
		panic(err)
	}
	module = filepath.Join(cache, "function")
	build := exec.Command("go", "build", "-o", filepath.Join(module, wasm.Module), "./testdata/function")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	code := 1
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the test function: %v\n%s", err, out)
	} else {
		code = m.Run()
	}
	os.RemoveAll(cache)
	os.Exit(code)
}

func open(t testing.TB, o wasm.Options) *wasm.Sandbox {
	t.Helper()
	if o.Cache == "" {
		o.Cache = filepath.Join(cache, "compiled")
	}
	s, err := wasm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func spec(t testing.TB, code string, env map[string]string) *sandbox.Spec {
	t.Helper()
	return &sandbox.Spec{
		Function: platform.Function{Name: "shop", Runtime: platform.Wasm, Code: code, Handler: "bootstrap", Env: env},
		Version:  "$LATEST", ARN: "arn:aws:lambda:us-east-1:000000000000:function:shop",
		Memory: 256 << 20, Storage: 1 << 20, Timeout: 20 * time.Second, InitLimit: time.Minute,
	}
}

// function is the test function with an environment.
func function(t testing.TB, env ...string) *sandbox.Spec {
	t.Helper()
	vars := map[string]string{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return spec(t, module, vars)
}

func fixture(t testing.TB, name string) *sandbox.Spec {
	t.Helper()
	built, err := fixtures.Build(context.Background(), fixtures.Spec{Name: name, Runtime: platform.Wasm, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	return spec(t, built.Code, nil)
}

func start(t testing.TB, s *wasm.Sandbox, spec *sandbox.Spec) sandbox.Instance {
	t.Helper()
	in, err := s.Start(t.Context(), "i-1", spec, sandbox.OnDemand)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return in
}

func ready(t testing.TB, s *wasm.Sandbox, spec *sandbox.Spec) sandbox.Instance {
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
		t.Fatalf("invoke %.80q: %v", payload, err)
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
		t.Fatalf("got failure of kind %v (%v), log %q, want %v", f.Kind, f, f.Log, kind)
	}
	return f
}
