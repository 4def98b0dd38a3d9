package namespace_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"github.com/coldcurve/coldcurve/platform/platformtest/residue"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
)

// ownerCode is the variable that makes the test binary an owner of instances,
// with the kit's function as its value.
const ownerCode = "COLDCURVE_TEST_OWNER"

// own starts instances, says what they answer, and waits for its end.
func own(code string) error {
	if err := namespace.Available(); err != nil {
		return err
	}
	s, err := namespace.New(namespace.Options{Ahead: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	shop := &sandbox.Spec{Function: platform.Function{Name: "orphan", Runtime: platform.Go, Code: code,
		Env: map[string]string{residue.Marker: os.Getenv(residue.Marker), "SPAWN": "session"}},
		Version: "$LATEST", Memory: 256 << 20, Storage: 8 << 20, Timeout: time.Minute, InitLimit: time.Minute}
	in, err := s.Start(context.Background(), "i-1", shop, sandbox.OnDemand)
	if err != nil {
		return err
	}
	if _, err := in.AwaitReady(context.Background()); err != nil {
		return err
	}
	for _, payload := range []string{"spawn", "store /tmp/file", "store /var/task/file"} {
		r, err := in.Invoke(context.Background(), &sandbox.Invocation{RequestID: "a", Payload: []byte(payload), Deadline: time.Now().Add(time.Minute)})
		if err != nil {
			return err
		}
		fmt.Printf("%s; ", r.Body)
	}
	fmt.Println()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return in.Stop(false)
}

// owner runs one as a user and gives the line that it says.
func owner(t *testing.T, user uint32) (cmd *exec.Cmd, said string, end io.Closer) {
	t.Helper()
	binary := filepath.Join(readableFolder(t), "owner")
	// By another process: one that this has forked meanwhile, for a sandbox, may
	// hold a file of its own open for writing, which cannot be executed then.
	if out, err := exec.Command("cp", os.Args[0], binary).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd = exec.Command(binary)
	cmd.Env = append(os.Environ(), ownerCode+"="+function, residue.Marker+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	said, _ = bufio.NewReader(out).ReadString('\n')
	return cmd, strings.TrimSpace(said), in
}

func readableFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

const ownerSays = "spawn; stored; open /var/task/file: read-only file system;"

// expectNone waits until no process of the test is left.
func expectNone(t *testing.T) {
	t.Helper()
	var left []string
	for wait := time.Millisecond; wait < 20*time.Second; wait *= 2 {
		left = nil
		for pid, mark := range residue.Marked() {
			if mark == t.Name() {
				left = append(left, strconv.Itoa(pid))
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(wait)
	}
	t.Errorf("processes %v are left", left)
}

func TestKilledRuntimeLeavesNothing(t *testing.T) {
	need.Root(t)
	open(t, namespace.Options{})
	cmd, said, _ := owner(t, 0)
	if said != ownerSays {
		t.Fatalf("the owner says %q", said)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	expectNone(t)
}

// TestWithoutRoot has a user make instances who may do nothing else.
func TestWithoutRoot(t *testing.T) {
	need.Root(t) // to become another user
	cmd, said, end := owner(t, 65534)
	if said != ownerSays {
		_ = cmd.Wait()
		need.Missing(t, "user namespaces for users who are not root: said "+strconv.Quote(said))
	}
	if err := end.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the owner ended with %v", err)
	}
	expectNone(t)
}
