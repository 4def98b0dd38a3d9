// Package sandboxtest owns what every sandbox has to do: a conformance kit.
//
// In: a [Kit], how a sandbox is made and what its functions look like. Out: a
// test with a part for each promise of package sandbox. What a sandbox does
// beyond them, and how, its own tests look at.
//
// The kit's function, in testdata, speaks the Runtime API on the bare standard
// library and behaves as it is told: at init by the variable BEHAVIOUR, then
// by each payload. What it is told stands in its source.
package sandboxtest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Kit is a sandbox to be tested.
type Kit struct {
	// Open makes a sandbox with the zero options. The kit closes it.
	Open func(testing.TB) sandbox.Sandbox
	// Code is the folder of the kit's function: see Build. A sandbox that cannot
	// run it brings one that behaves like it.
	Code string
	// Runtime is the function's. The default is go.
	Runtime platform.Runtime
	// Inside is whether an instance is no process of its own: it has no children
	// and hears no signals.
	Inside bool
	// Late is whether what is told of an instance, its log and the memory that
	// it uses, may come a moment after its answer.
	Late bool
	// Limits is whether memory limits are enforced here.
	Limits bool
	// Tmp is whether an instance has a /tmp of its own.
	Tmp bool
	// Crowd is how many instances are paused and stopped at once, beside half as
	// many busy processes: fewer where an engine has much to do for each. The
	// default is 12.
	Crowd int
}

// Build builds the kit's function into a folder that every user can read.
func Build(dir string) error {
	const source = "github.com/coldcurve/coldcurve/platform/reference/sandbox/sandboxtest/testdata/function"
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	out, err := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "bootstrap"), source).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the test function: %w\n%s", err, out)
	}
	return nil
}

// Spec is a function that behaves at init as told.
func (k Kit) Spec(t testing.TB, behaviour string, env ...string) *sandbox.Spec {
	vars := map[string]string{residue.Marker: t.Name()}
	if behaviour != "" {
		vars["BEHAVIOUR"] = behaviour
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return &sandbox.Spec{
		Function: platform.Function{Name: "shop", Runtime: cmp.Or(k.Runtime, platform.Go), Code: k.Code, Handler: "index.handler", Env: vars},
		Version:  "$LATEST", ARN: "arn:aws:lambda:us-east-1:000000000000:function:shop",
		Memory: 256 << 20, Storage: 64 << 20, Timeout: 20 * time.Second, InitLimit: time.Minute,
	}
}

// open makes a sandbox that is looked after: when the test ends it is closed,
// and nothing of it may be left.
func (k Kit) open(t testing.TB) sandbox.Sandbox {
	t.Helper()
	before := Take(t)
	s := k.Open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		ExpectNothingLeft(t, before)
	})
	return s
}

func start(t testing.TB, s sandbox.Sandbox, spec *sandbox.Spec) sandbox.Instance {
	t.Helper()
	in, err := s.Start(t.Context(), "i-1", spec, sandbox.OnDemand)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return in
}

func ready(t testing.TB, s sandbox.Sandbox, spec *sandbox.Spec) sandbox.Instance {
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

// readable is an empty folder that every user can read.
func readable(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
