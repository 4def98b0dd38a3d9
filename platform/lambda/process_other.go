//go:build !unix

package lambda

import "os"

// signalled is true: here a process that is gone is not found.
func signalled(*os.Process) bool { return true }
