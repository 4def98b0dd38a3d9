package pairs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/pairs"
)

// TestGoSourceOfARevision has a scenario whose function is source: each revision
// of it is built, and the user's own folder stays as it is.
func TestGoSourceOfARevision(t *testing.T) {
	need.Program(t, "git")
	folder := t.TempDir()
	scenario := filepath.Join(folder, "shop.yaml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
		cmd.Dir = folder
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, text)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "fn"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("shop.yaml", "name: shop\nfunctions: [{name: shop, code: fn, runtime: go}]\nphases: [{name: once, duration: 1s, arrivals: {process: constant, rate: 1/s}}]\n")
	write("fn/go.mod", "module shop\n")
	write("fn/main.go", "package main\n\nfunc main() {}\n")
	git("init", "-q")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	write("fn/main.go", "package main // and what is not committed does not compile\n")

	w := pairs.Workshop{Scenario: scenario}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	side, err := w.Ready(t.Context(), "rev:HEAD", scenarios.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := side.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(s.Functions[0].Code, "bootstrap")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("%s has no executable: %v", s.Functions[0].Code, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "fn", "bootstrap")); err == nil {
		t.Error("the user's own folder was built in")
	}
}
