//go:build linux

package reference_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestOrphansOfFunctionsEnd: a process that a function starts in a session of
// its own goes with the function, with control groups and without.
func TestOrphansOfFunctionsEnd(t *testing.T) {
	need.Linux(t)
	need.Program(t, "setsid")
	hello := build(t, "hello", platform.Go)
	fn := platform.Function{Name: "orphan", Runtime: platform.Go, Code: t.TempDir(), Env: map[string]string{"MARK": t.Name()}}
	script := "#!/bin/sh\nsetsid sleep 300 &\nexec '" + filepath.Join(hello.Code, "bootstrap") + "'\n"
	if err := os.WriteFile(filepath.Join(fn.Code, "bootstrap"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, without := range []bool{false, true} {
		client := open(t, reference.ClientOptions{Settings: reference.Settings{NoCgroups: without, Policy: lifecycle.Policy{KeepAlive: time.Minute}}})
		d := deploy(t, client, fn)
		if _, err := d.Invoke(t.Context(), platform.Request{}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for range patience { // the child may be late
			if n = len(withEnv("MARK=" + t.Name())); n == 2 {
				break
			}
			time.Sleep(often)
		}
		if n != 2 {
			t.Errorf("%d processes while it runs, want the function and its child", n)
		}
		if err := client.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if left := withEnv("MARK=" + t.Name()); len(left) > 0 {
			t.Errorf("without control groups %v: left behind: %v", without, left)
		}
	}
}

// withEnv are the processes that have pair in their environment.
func withEnv(pair string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), pair+"\x00") {
			found = append(found, filepath.Dir(file))
		}
	}
	return found
}
