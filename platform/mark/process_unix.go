//go:build unix

package mark

import (
	"errors"
	"os"
	"syscall"
)

// signalled says whether the process can be signalled, or is somebody else's.
func signalled(p *os.Process) bool {
	err := p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}
