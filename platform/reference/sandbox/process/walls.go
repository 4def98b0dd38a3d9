package process

import (
	"net"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Walls keep instances apart from the machine, where a plain process would be
// too free. Their methods are safe for concurrent use.
type Walls interface {
	// Raise makes ahead what one process will run in. It is called by a thread
	// that lives as long as the sandbox and stands in the instance's version 1
	// control groups. The files are the process's first three; group is an open
	// version 2 folder for SysProcAttr.CgroupFD, -1 for none.
	Raise(files [3]uintptr, group int) (Cell, error)
	// Inside tells where a function's code and the runtime clients lie, seen
	// from within.
	Inside() (code, clients string)
}

// Cell is what one process runs in. Its methods are called by one goroutine at
// a time; FillTmp by any.
type Cell interface {
	// Listener is for the Runtime API. Nothing outside of the cell reaches it.
	// The caller owns it.
	Listener() net.Listener
	// Execute runs the cell's process, once. Its parent is this process, so that
	// it can be waited for; pidfd is -1 where the kernel has none.
	Execute(*Execution) (pid, pidfd int, err error)
	// FillTmp leaves no room in /tmp, or what there was before.
	FillTmp(full bool) error
	// Raze ends everything in the cell and returns when it has gone. Idempotent.
	Raze() error
}

// Execution is what a cell executes. Paths are as seen from within.
type Execution struct {
	Path      string
	Argv, Env []string
	Dir       string
	Spec      *sandbox.Spec // whose Code is to be found inside
}
