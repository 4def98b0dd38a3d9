package container_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/container"
)

// looker is the function that looks around, built for the test.
func looker(t testing.TB) *sandbox.Spec {
	t.Helper()
	look := spec("")
	look.Function.Name, look.Function.Code = "looker", t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(look.Function.Code, "bootstrap"), "./testdata/looker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the looker: %v\n%s", err, out)
	}
	return look
}

// ask has the looker do something; the answer, or the error's text.
func ask(t testing.TB, in sandbox.Instance, order string) string {
	t.Helper()
	r := invoke(t, in, order)
	if r.FunctionError != "" {
		var told struct{ ErrorMessage string }
		if err := json.Unmarshal(r.Body, &told); err != nil {
			t.Fatal(err)
		}
		return told.ErrorMessage
	}
	var text string
	if err := json.Unmarshal(r.Body, &text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWalls(t *testing.T) {
	t.Setenv("COLDCURVE_TEST_SECRET", "ours")
	for _, oci := range []string{"runc", "crun"} {
		t.Run(oci, func(t *testing.T) {
			s := open(t, container.Options{OCIRuntime: oci})
			in := ready(t, s, looker(t))
			status := ask(t, in, `{"read": "/proc/self/status"}`)
			for _, want := range []string{"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
				if !strings.Contains(status, want+"\n") {
					t.Errorf("status lacks %q:\n%s", want, status)
				}
			}
			var uid int
			_, rest, _ := strings.Cut(status, "\nUid:")
			if _, err := fmt.Sscan(rest, &uid); err != nil || uid < 65536 {
				t.Errorf("runs as uid %d, %v", uid, err)
			}
			for _, tt := range []struct{ order, want string }{
				{`{"write": "/x"}`, "read-only file system"},
				{`{"write": "/var/task/x"}`, "read-only file system"},
				{`{"write": "/dev/shm/x"}`, "no such file or directory"},
				{`{"read": "/etc/shadow"}`, "no such file or directory"},
				{`{"write": "/tmp/x", "size": "1"}`, ""},
				{`{"write": "/tmp/x", "size": "` + strings.Repeat("1", 65) + `"}`, "no space left on device"},
			} {
				if got := ask(t, in, tt.order); !strings.HasSuffix(got, tt.want) || tt.want == "" && got != "" {
					t.Errorf("%.40s: got %q, want %q", tt.order, got, tt.want)
				}
			}
			env := ask(t, in, `{"read": "/proc/self/environ"}`)
			if strings.Contains(env, "COLDCURVE_TEST_SECRET") || !strings.Contains(env, "LAMBDA_TASK_ROOT=/var/task\x00") || !strings.Contains(env, "]i-1\x00") {
				t.Errorf("environment %q", env)
			}
			if got := *container.Inspect(t, in).HostConfig.PidsLimit; got != 1024 {
				t.Errorf("%d processes are allowed, want 1024", got)
			}
		})
	}
}

// TestNeighboursAreKeptOut: with the machine's own network an instance can see
// another's Runtime API, and must not be served by it.
func TestNeighboursAreKeptOut(t *testing.T) {
	refused := make(chan error, 10)
	s := open(t, container.Options{Refused: func(err error) { refused <- err }})
	look := looker(t)
	one, other := ready(t, s, look), ready(t, s, look)
	env := ask(t, one, `{"read": "/proc/self/environ"}`)
	_, rest, _ := strings.Cut(env, "AWS_LAMBDA_RUNTIME_API=")
	api, _, _ := strings.Cut(rest, "\x00")
	if got := ask(t, other, `{"dial": "`+api+`"}`); !strings.Contains(got, "EOF") && !strings.Contains(got, "reset") {
		t.Errorf("a neighbour got %q", got)
	}
	select {
	case err := <-refused:
		if !strings.Contains(err.Error(), "refused a connection") {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("nothing was refused")
	}
}
