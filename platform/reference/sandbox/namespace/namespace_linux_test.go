package namespace_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/sandboxtest"
)

// The folders of the compiled test functions: the kit's, and the burglar.
var function, burglarCode string

func TestMain(m *testing.M) {
	if code := os.Getenv(ownerCode); code != "" {
		if err := own(code); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "coldcurve-namespace-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		function, burglarCode = filepath.Join(dir, "function"), filepath.Join(dir, "burglar")
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func build(dir string) error {
	for _, folder := range []string{function, burglarCode} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(burglarCode, "bootstrap"), "./testdata/burglar").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the burglar: %w\n%s", err, out)
	}
	return errors.Join(os.Chmod(dir, 0o755), sandboxtest.Build(function))
}

func spec(t testing.TB) *sandbox.Spec {
	t.Helper()
	return &sandbox.Spec{
		Function: platform.Function{Name: "shop", Runtime: platform.Go, Handler: "index.handler"},
		Version:  "$LATEST", ARN: "arn:aws:lambda:us-east-1:000000000000:function:shop",
		Memory: 256 << 20, Storage: 64 << 20, Timeout: 20 * time.Second, InitLimit: time.Minute,
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
	in, err := s.Start(t.Context(), "i-1", spec, sandbox.OnDemand)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	if _, err := in.AwaitReady(t.Context()); err != nil {
		t.Fatalf("await ready: %v", err)
	}
	return in
}
