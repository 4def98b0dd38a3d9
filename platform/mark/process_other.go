//go:build !unix

package mark

import "os"

// signalled is true: here a process that is gone is not found.
func signalled(*os.Process) bool { return true }
