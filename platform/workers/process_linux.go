package workers

import (
	"os/exec"
	"syscall"

	"github.com/coldcurve/coldcurve/platform/priority"
)

// prepare has the child killed when the calling thread ends, and a terminal's
// Ctrl-C pass it by; it has no more of the processors than anybody.
func prepare(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return priority.Spare()
}
