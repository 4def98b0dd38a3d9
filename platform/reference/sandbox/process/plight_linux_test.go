package process

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPlight(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if err := unix.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Wait4(pid, nil, unix.WUNTRACED, nil); err != nil {
		t.Fatal(err)
	}
	if got := plight(pid); !strings.HasPrefix(got, "its threads: 1 T in ") {
		t.Errorf("stopped: %q", got)
	}
	_ = cmd.Process.Kill()
	if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if got := plight(pid); !strings.Contains(got, "1 Z in ") {
		t.Fatalf("killed and not reaped: %q", got)
	}
	_ = cmd.Wait()
	if got := plight(pid); got != "it has gone since" {
		t.Errorf("reaped: %q", got)
	}
}
