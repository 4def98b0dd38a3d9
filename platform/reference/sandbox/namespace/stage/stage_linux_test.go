package stage

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/coldcurve/coldcurve/platform/platformtest/need"
	"golang.org/x/sys/unix"
)

func start(t *testing.T) *Stage {
	t.Helper()
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s, err := p.Start([3]uintptr{null.Fd(), null.Fd(), null.Fd()}, &syscall.SysProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close() // which ends it
		var status unix.WaitStatus
		if _, err := unix.Wait4(s.Pid, &status, 0, nil); err != nil {
			t.Errorf("wait for the stage: %v", err)
		}
	})
	return s
}

func TestCallsAreExecutedInOrder(t *testing.T) {
	s := start(t)
	dir := t.TempDir()
	var script Script
	script.Call("mkdir", unix.SYS_MKDIRAT, Of(unix.AT_FDCWD), script.String(dir+"/a"), Of(0o700))
	script.Call("mkdir", unix.SYS_MKDIRAT, Of(unix.AT_FDCWD), script.String(dir+"/a/b"), Of(0o700))
	if err := s.Do(&script); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/a/b"); err != nil {
		t.Error(err)
	}
}

func TestFailedCallEndsTheScript(t *testing.T) {
	s := start(t)
	dir := t.TempDir()
	var script Script
	script.Call("make the room", unix.SYS_MKDIRAT, Of(unix.AT_FDCWD), script.String(dir), Of(0o700))
	script.Call("never", unix.SYS_MKDIRAT, Of(unix.AT_FDCWD), script.String(dir+"/never"), Of(0o700))
	err := s.Do(&script)
	if !errors.Is(err, syscall.EEXIST) || !strings.HasPrefix(err.Error(), "make the room: ") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir + "/never"); err == nil {
		t.Error("the script went on")
	}
	if err := s.Do(&Script{}); err != nil {
		t.Errorf("the stage does not take the next script: %v", err)
	}
}

func TestDescriptorsComeBack(t *testing.T) {
	s := start(t)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	var script Script
	script.Call("open", unix.SYS_OPENAT, Of(unix.AT_FDCWD), script.String(path), Of(unix.O_RDONLY), Of(0)) // 4: 0 to 3 are taken
	script.SendDescriptors("send", 4)
	if err := s.Send(&script); err != nil {
		t.Fatal(err)
	}
	m, err := s.Await()
	if err != nil || len(m.Descriptors) != 1 || m.Pid != s.Pid {
		t.Fatalf("got %+v, %v", m, err)
	}
	f := os.NewFile(uintptr(m.Descriptors[0]), path)
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "hello" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := s.Await(); err != nil {
		t.Errorf("the report: %v", err)
	}
}

func TestForkAndExecute(t *testing.T) {
	s := start(t)
	need.Program(t, "sh")
	file := filepath.Join(t.TempDir(), "said")
	var script Script
	child := script.Fork("fork")
	script.Call("exit", unix.SYS_EXIT_GROUP, Of(0))
	script.Begin(child)
	if err := s.Send(&script); err != nil {
		t.Fatal(err)
	}
	m, err := s.Await()
	if err != nil || m.Pid == s.Pid || m.Pid == 0 {
		t.Fatalf("got %+v, %v, want the child's report", m, err)
	}
	var last Script
	last.Call("keep the line from the program", unix.SYS_FCNTL, Of(3), Of(unix.F_SETFD), Of(unix.FD_CLOEXEC))
	last.Call("execute", unix.SYS_EXECVE, last.String("/bin/sh"),
		last.Strings([]string{"sh", "-c", `echo "$SAYING" >"$0"`, file}), last.Strings([]string{"SAYING=so it goes"}))
	if err := s.Do(&last); err != io.EOF {
		t.Fatalf("got %v, want the line's end", err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(m.Pid, &status, 0, nil); err != nil || status.ExitStatus() != 0 {
		t.Errorf("the child ended with %v, %v", status, err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "so it goes\n" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestTooLargeAScript(t *testing.T) {
	s := start(t)
	var script Script
	script.Bytes(make([]byte, room))
	if err := s.Do(&script); err == nil || !strings.Contains(err.Error(), "exceeds") {
		t.Errorf("got %v", err)
	}
}

// TestCodeIsWhatItsSourceSays assembles the stage again.
func TestCodeIsWhatItsSourceSays(t *testing.T) {
	assembler, objcopy := need.Program(t, "as"), need.Program(t, "objcopy")
	dir := t.TempDir()
	object, text := filepath.Join(dir, "stage.o"), filepath.Join(dir, "stage.bin")
	for _, command := range [][]string{
		{assembler, "-o", object, "testdata/stage_" + runtime.GOARCH + ".s"},
		{objcopy, "-O", "binary", "-j", ".text", object, text},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	if got, err := os.ReadFile(text); err != nil || string(got) != code {
		t.Errorf("assembled:\n%x, %v\nin the source:\n%x", got, err, code)
	}
}
