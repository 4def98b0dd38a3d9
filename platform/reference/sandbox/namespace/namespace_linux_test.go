package namespace_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
)

// built builds a test function, once a folder.
func built(t testing.TB, source string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), source).CombinedOutput()
	if err != nil {
		t.Fatalf("build %s: %v\n%s", source, err, out)
	}
	// t.TempDir's own folder is for one user, and instances are others.
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func spec(t testing.TB) *sandbox.Spec {
	t.Helper()
	return &sandbox.Spec{
		Function: platform.Function{Name: "shop", Runtime: platform.Go, Handler: "index.handler"},
		Version:  "$LATEST", ARN: "arn:aws:lambda:us-east-1:000000000000:function:shop",
		Memory: 256 << 20, Storage: 64 << 20, Timeout: 3 * time.Second, InitLimit: 10 * time.Second,
	}
}

// open makes a sandbox, if the machine can.
func open(t testing.TB, o namespace.Options) *namespace.Sandbox {
	t.Helper()
	if err := namespace.Available(); err != nil {
		need.Missing(t, err.Error())
	}
	s, err := namespace.New(o)
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

// ready starts an instance and awaits its init.
func ready(t testing.TB, s sandbox.Sandbox, spec *sandbox.Spec) sandbox.Instance {
	t.Helper()
	in, err := s.Start(t.Context(), "i-1", spec)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	if _, err := in.AwaitReady(t.Context()); err != nil {
		t.Fatalf("await ready: %v", err)
	}
	return in
}
