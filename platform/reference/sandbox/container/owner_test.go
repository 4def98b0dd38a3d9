package container_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

// ownerDir is the variable that makes this test's program an owner: a process
// that has a sandbox and is going to be killed.
const ownerDir = "COLDCURVE_TEST_OWNER"

// own starts an instance, tells its sandbox's owner and waits for the end.
func own(dir string) {
	function = os.Getenv("COLDCURVE_TEST_FUNCTION")
	s, err := container.New(context.Background(), container.Options{Ahead: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	function := spec("")
	if err := s.Prepare(context.Background(), function); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if _, err := s.Start(context.Background(), "i-1", function, sandbox.OnDemand); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	name := filepath.Join(dir, "owner")
	if err := os.WriteFile(name+".new", []byte(container.OwnerOf(s)), 0o600); err != nil {
		panic(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		panic(err)
	}
	select {}
}

// TestWhatTheKilledLeaveIsSwept kills a process that has instances.
func TestWhatTheKilledLeaveIsSwept(t *testing.T) {
	if err := container.Available(t.Context(), container.Options{}); err != nil {
		need.Missing(t, err.Error())
	}
	for _, by := range []string{"New", "Sweep"} {
		t.Run(by, func(t *testing.T) {
			dir := t.TempDir()
			owner := exec.Command(os.Args[0])
			owner.Env = append(os.Environ(), ownerDir+"="+dir, "COLDCURVE_TEST_FUNCTION="+function)
			owner.Stderr = os.Stderr
			if err := owner.Start(); err != nil {
				t.Fatal(err)
			}
			var name []byte
			eventually(t, "the owner has not started its instance", func() (ok bool) {
				var err error
				name, err = os.ReadFile(filepath.Join(dir, "owner"))
				return err == nil
			})
			living := things(t, string(name))
			if err := container.Sweep(t.Context(), container.Options{}); err != nil {
				t.Fatal(err)
			}
			if got := things(t, string(name)); len(got) < len(living) || len(living) == 0 {
				t.Errorf("%q of a living process, %q after a sweep", living, got)
			}
			if err := owner.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = owner.Wait()
			if left := things(t, string(name)); !slices.ContainsFunc(left, func(s string) bool { return s[0] == 'c' }) || !slices.ContainsFunc(left, func(s string) bool { return s[0] == 'i' }) {
				t.Errorf("the killed has left %q, want a container and an image to sweep", left)
			}
			if by == "New" {
				open(t, container.Options{})
			} else if err := container.Sweep(t.Context(), container.Options{}); err != nil {
				t.Fatal(err)
			}
			if left := things(t, string(name)); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}
