// Package namespace owns instances that are processes in namespaces of their
// own.
//
// In: a [sandbox.Spec]. Out: a [sandbox.Instance] whose process sees a machine
// with nothing on it but itself: its user, pid, mount, uts, ipc and network
// namespaces are its own. What an instance is besides (limits, init, deadlines,
// logs, its end) is package process's; this one makes the walls.
//
// Inside there are a read-only root with the host's /usr, a made /etc, a /dev
// without devices of the machine, a /proc of its own, the function's code at
// /var/task, the runtime clients at /var/runtime, and a /tmp of the function's
// size, which counts as memory of the function. The process is no root, inside
// or outside, has no capabilities and cannot get any, and makes only the system
// calls that package filter allows. There is no network but loopback, where
// its Runtime API listens at 127.0.0.1:9001: the listening socket was opened
// there and is served from here.
//
// As root, each instance has a user of its own outside: one of those that
// nothing on the machine belongs to. What it is to read (the code) must be
// readable by every user, as Lambda demands it too. Without root it runs as
// the user who started the sandbox, where the machine lets that user make
// namespaces; [Available] tells.
//
// It does not protect against the kernel's own faults: functions share it.
// /usr is the host's, all of it. CPU caches, timing and the amount of free
// memory are shared too.
package namespace

import (
	"time"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// Options say how instances are made. The zero value runs Go functions.
type Options struct {
	// RuntimeClients is the folder with the runtime clients of Node.js and
	// Python. The default is none: such functions do not start.
	RuntimeClients string
	// Programs replaces the interpreter of a runtime by a path. The default is
	// node or python3 on the PATH. One that is not below /usr brings the folder
	// above its own along (/opt/python/bin/python3: /opt/python).
	Programs map[platform.Runtime]string
	// NoCgroups does without control groups, and so without limits of memory
	// and CPU.
	NoCgroups bool
	// Grace is how long a graceful Stop waits between SIGTERM and SIGKILL. The
	// default is 300 ms.
	Grace time.Duration
	// Ahead is how many cells are made ahead, each with a thread. The default is 4.
	Ahead int
	// Region is what functions are told as theirs. The default is us-east-1.
	Region string
}

// Runs says whether a runtime's instances can be processes.
func (*Sandbox) Runs(r platform.Runtime) bool { return (*process.Sandbox)(nil).Runs(r) }
