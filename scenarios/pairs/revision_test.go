package pairs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/pairs"
)

// shop is a repository with a scenario whose function is source in Go, by its folder.
func shop(t *testing.T) (folder string) {
	t.Helper()
	need.Program(t, "git")
	folder = t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "fn"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, folder, "shop.yaml", "name: shop\nfunctions: [{name: shop, code: fn, runtime: go}]\nphases: [{name: once, duration: 1s, arrivals: {process: constant, rate: 1/s}}]\n")
	write(t, folder, "fn/go.mod", "module shop\n")
	write(t, folder, "fn/main.go", "package main\n\nfunc main() {}\n")
	git(t, folder, "init", "-q")
	git(t, folder, "add", ".")
	git(t, folder, "commit", "-q", "-m", "one")
	return folder
}

func write(t *testing.T, folder, path, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, path), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
	cmd.Dir = folder
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, text)
	}
	return string(text)
}

// workshop is one for the scenario in a folder, closed with the test.
func workshop(t *testing.T, folder string) *pairs.Workshop {
	t.Helper()
	w := &pairs.Workshop{Scenario: filepath.Join(folder, "shop.yaml")}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// built makes a side ready and wants its function to have an executable.
func built(t *testing.T, w *pairs.Workshop, given string) {
	t.Helper()
	side, err := w.Ready(t.Context(), given, scenarios.Overrides{})
	if err != nil {
		t.Fatalf("side %q: %v", given, err)
	}
	s, err := side.Parse(nil)
	if err != nil {
		t.Fatalf("side %q: %v", given, err)
	}
	if info, err := os.Stat(filepath.Join(s.Functions[0].Code, "bootstrap")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("side %q: %s has no executable: %v", given, s.Functions[0].Code, err)
	}
}

// TestGoSourceOfARevision has a scenario whose function is source: each revision
// of it is built, and the user's own folder stays as it is.
func TestGoSourceOfARevision(t *testing.T) {
	folder := shop(t)
	write(t, folder, "fn/main.go", "package main // and what is not committed does not compile\n")
	built(t, workshop(t, folder), "rev:HEAD")
	if _, err := os.Stat(filepath.Join(folder, "fn", "bootstrap")); err == nil {
		t.Error("the user's own folder was built in")
	}
}

// TestGoSourceOfTheScenario: a side that leaves the code to the scenario has it
// built, as one that names it has.
func TestGoSourceOfTheScenario(t *testing.T) {
	folder := shop(t)
	w := workshop(t, folder)
	for _, given := range []string{"", "set:memory=256MB", "platform:reference", filepath.Join(folder, "fn"), "shop=" + filepath.Join(folder, "fn")} {
		built(t, w, given)
	}
	if _, err := os.Stat(filepath.Join(folder, "fn", "bootstrap")); err == nil {
		t.Error("the user's own folder was built in")
	}
	write(t, folder, "fn/main.go", "package main // and does not compile\n")
	if _, err := w.Ready(t.Context(), "", scenarios.Overrides{}); err == nil || !strings.HasPrefix(err.Error(), "the scenario as it stands: go build ") {
		t.Errorf("source that does not compile: %v, want the side and the command", err)
	}
}

// TestCheck says what is wrong with a side's name without building the other.
func TestCheck(t *testing.T) {
	w := workshop(t, shop(t))
	w.Log = func(line string) { t.Errorf("something was made: %s", line) }
	for given, want := range map[string]string{
		"platform:nope":         `unknown platform "nope"`,
		"dir-not-there":         "there is no such folder",
		"set:keep_alive=zz":     `"zz"`,
		"set:sandbox=zz":        `unknown sandbox "zz"`,
		"rev:nowhere":           `git knows no revision "nowhere"`,
		"":                      "",
		"rev:HEAD":              "",
		"platform:http://[::1]": "",
	} {
		err := w.Check(t.Context(), given, scenarios.Overrides{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("side %q: %v, want %q", given, err, want)
		}
	}
}

// TestWorktreesAreForgotten where git cannot remove them: what it was making
// when it was cut short is no worktree.
func TestWorktreesAreForgotten(t *testing.T) {
	folder := shop(t)
	w := workshop(t, folder)
	side, err := w.Ready(t.Context(), "rev:HEAD", scenarios.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(side.Folder, ".git")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if list := git(t, folder, "worktree", "list"); strings.Count(list, "\n") != 1 {
		t.Errorf("git still has worktrees:\n%s", list)
	}
	if _, err := os.Stat(side.Folder); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", side.Folder, err)
	}
}
