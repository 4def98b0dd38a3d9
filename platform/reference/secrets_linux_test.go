package reference_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
)

// TestNothingOfTheServersIsInAFunction looks at instances from outside, in each
// sandbox that has processes of ours and in each way to start them: at their
// environment, their descriptors, and at what the machine's other users may read
// of them and of the runtime, their arguments. (What is inside of a module and
// of a container is looked at in their own rooms.)
func TestNothingOfTheServersIsInAFunction(t *testing.T) {
	const ours, functions = "COLDCURVE_SECRET=of-the-server", "of-the-function"
	for _, tt := range []struct {
		sandbox, start string
		runtime        platform.Runtime
	}{
		{"process", "plain", platform.Go}, {"process", "plain", platform.Python}, {"process", "plain", platform.NodeJS},
		{"process", "pool", platform.NodeJS}, {"process", "pool", platform.Python}, {"process", "zygote", platform.Python},
		{"namespace", "plain", platform.Go}, {"namespace", "plain", platform.Python}, {"namespace", "plain", platform.NodeJS},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s", tt.sandbox, tt.start, tt.runtime), func(t *testing.T) {
			needSandbox(t, tt.sandbox)
			fn := build(t, "hello", tt.runtime)
			fn.Sandbox, fn.Start, fn.Env = tt.sandbox, tt.start, map[string]string{"TOKEN": functions}
			client := open(t, reference.ClientOptions{
				Env: []string{ours},
				Settings: reference.Settings{
					Policy: lifecycle.Policy{KeepAlive: time.Minute}, Sandboxes: []string{tt.sandbox},
				},
			})
			if _, err := deploy(t, client, fn).Invoke(t.Context(), platform.Request{Payload: []byte(payload)}); err != nil {
				t.Fatal(err)
			}
			serving := pid(t, client)
			if environ := procText(t, serving, "environ"); !strings.Contains(environ, ours) {
				t.Fatalf("the runtime's own environment %q is without what is looked for", environ)
			}
			owned := objects(t, serving)
			var instances []int
			looked := 0
			for tries := 0; tries < patience && looked < 3; tries++ { // a list read while one ends may leave others out
				instances = running(descendants(t, serving))
				for _, instance := range instances {
					looked += len(objects(t, instance))
					if environ := environment(t, instance); strings.Contains(environ, "COLDCURVE_SECRET") {
						t.Errorf("process %d has the environment %q", instance, environ)
					}
					for _, left := range keeps(t, instance, owned, fn.Code) {
						t.Errorf("process %d has %s", instance, left)
					}
				}
			}
			if looked < 3 {
				t.Errorf("%d descriptors found in %v", looked, instances)
			}
			for _, process := range append(instances, serving) {
				if args := procText(t, process, "cmdline"); strings.Contains(args, functions) || strings.Contains(args, "of-the-server") {
					t.Errorf("process %d has the arguments %q", process, args)
				}
			}
		})
	}
}

// environment is a process's own. One that was forked and executes nothing yet
// has its parent's.
func environment(t *testing.T, pid int) (text string) {
	t.Helper()
	for wait := time.Millisecond; wait < 20*time.Second; wait *= 2 {
		if text = procText(t, pid, "environ"); !strings.Contains(text, "COLDCURVE_SECRET") {
			break
		}
		time.Sleep(wait)
	}
	return text
}

// keeps is what a process has open that is not its own. An interpreter that is
// still starting reads files of its own, which it closes again.
func keeps(t *testing.T, pid int, owned map[string]string, code string) (left []string) {
	t.Helper()
	for wait := time.Millisecond; wait < 20*time.Second; wait *= 2 {
		left = nil
		for fd, object := range objects(t, pid) {
			if n, _ := strconv.Atoi(fd); n > 2 && foreign(object, owned, code) {
				left = append(left, "descriptor "+fd+": "+object)
			}
		}
		if len(left) == 0 {
			return nil
		}
		time.Sleep(wait)
	}
	return left
}

// foreign says whether what a descriptor names is not a function's own: it is
// the runtime's too, or a file that is neither code nor a program's.
func foreign(object string, owned map[string]string, code string) bool {
	if !filepath.IsAbs(object) {
		if strings.HasPrefix(object, "anon_inode:") {
			return false // all have the same name
		}
		for _, o := range owned {
			if o == object {
				return true
			}
		}
		return false
	}
	// Go's runtime keeps the files open that tell its share of the CPU.
	for _, fine := range []string{code, "/usr/", "/var/task", "/var/runtime", "/dev/null", "/dev/urandom", "/proc/", "/sys/fs/cgroup/cpu"} {
		if strings.HasPrefix(object, fine) {
			return false
		}
	}
	return true
}

// objects are what a process's descriptors name.
func objects(t *testing.T, pid int) map[string]string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil // it has ended
	}
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]string)
	for _, e := range entries {
		if object, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil { // it may be closed by now
			named[e.Name()] = object
		}
	}
	return named
}

func procText(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return "" // it was what made an instance's walls, and has ended
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.ReplaceAll(text, []byte{0}, []byte(" ")))
}
