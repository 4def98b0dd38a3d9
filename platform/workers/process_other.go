//go:build !linux

package workers

import (
	"fmt"
	"os/exec"
	"runtime"
)

// prepare refuses where workerd would outlive a coldcurve that is killed.
func prepare(*exec.Cmd) error {
	return fmt.Errorf("platform workers needs Linux, and this is %s", runtime.GOOS)
}
