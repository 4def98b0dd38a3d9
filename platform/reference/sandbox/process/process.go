// Package process owns instances that are plain processes of this machine.
//
// In: a [sandbox.Spec]. Out: a [sandbox.Instance]: a process in a session of
// its own that speaks the Lambda Runtime API, bounded by control groups where
// the user may make them. It decides nothing, and keeps its instances only so
// that Close leaves none behind.
//
// It is no security boundary. A function runs as the user who started the
// sandbox and may do all that this user may: read the files, use the network,
// trace and kill processes, the other instances' and this one among them. Only
// run what you would run yourself. What the sandbox does keep out is other
// users of the machine: an instance's Runtime API answers this user and root.
//
// A start's path holds what cannot be done before: fork and exec. The rest
// (the listener, the log's pipe, the control groups) is prepared by a few
// launchers beforehand. Each is a thread of its own that stands in its next
// instance's groups, so the child is born there: attaching it afterwards would
// cost 60 us, or 15 ms after a pause, and leave its first instructions
// unbounded.
//
// A stem is an interpreter that runs our client and has no function. It stands
// in an instance's place from birth and asks its Runtime API for a function,
// whose environment, in one message, makes it an instance: it is bounded, changes
// its folder and variables, and loads the handler.
//
// A zygote is a Python process that has loaded a function. It forks a forker
// ahead, which is put into an instance's place and there forks, when told to,
// the instance, and ends. So the instance is born in its control groups, and it
// becomes a child of this process, which reaps it like any other; that needs
// Options.Adopt, and costs 1 fork on a start's path and 1 before. No thread's
// end kills it: instead the kernel signals its process group when the other end
// of a socket has gone, which only this process holds. What its zygote's memory
// shares with it is counted at the zygote.
//
// A paused instance is frozen: by version 2 of control groups, else by version 1,
// else its process group is stopped by a signal. What version 1 has frozen when
// this process is killed is ended by [Sweep] and by the next New.
//
// Instances, and the search for interpreters, do not run at the real-time
// priority of a process that platform/priority has raised. Nor at one that the user has given this process: the two cannot be told apart.
//
// No instance outlives this process: the kernel kills it when its launcher's
// thread ends (stems and zygotes too). Processes that an instance started itself go with its control
// group. Without one they go with its process group, and those that have left
// it as orphans that this process adopts (Options.Adopt). When this process is
// killed rather than closed, they are found and killed by [Sweep] and by the
// next New, and without control groups not at all.
package process

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/platform"
)

// Options say how processes are started. The zero value runs Go functions.
type Options struct {
	// RuntimeClients is the folder with bootstrap.mjs and bootstrap.py, which
	// run Node.js and Python handlers. The default is none: such functions do
	// not start.
	RuntimeClients string
	// Programs replaces the interpreter of a runtime by a path. The default is
	// node or python3 on the PATH.
	Programs map[platform.Runtime]string
	// NoCgroups does without control groups, and so without limits.
	NoCgroups bool
	// Adopt makes this process the reaper of its descendants while there are no
	// control groups to hold them, so that what an instance has left behind is
	// found and ended. It concerns the whole process, so it is for one that does
	// nothing else than to serve, with one sandbox. Children from before New are
	// let be; with such, or as the first process of a container, what an instance
	// has left without a trace of its own cannot be told from what others have,
	// and stays. The default is not to.
	Adopt bool
	// Grace is how long a graceful Stop waits between SIGTERM and SIGKILL. The
	// default is 300 ms, which is what Lambda gives an external extension.
	Grace time.Duration
	// Launchers is how many starts are prepared ahead, each with a thread. The
	// default is 4.
	Launchers int
	// Region is what functions are told as theirs. The default is us-east-1.
	Region string
	// AllowAnyLocalUser lets every user of this machine connect to an
	// instance's Runtime API, and so take and answer its invocations. The
	// default is this user and root.
	AllowAnyLocalUser bool
	// Walls keep each instance apart from the machine. The default is none: an
	// instance is a plain process. With walls there is no user of this machine
	// to refuse, and nothing to adopt.
	Walls Walls
	// Refused is told of each connection that is refused, from any goroutine.
	// The default is nobody.
	Refused func(error)
}

func (o Options) withDefaults() Options {
	if o.Grace == 0 {
		o.Grace = 300 * time.Millisecond
	}
	if o.Launchers == 0 {
		o.Launchers = 4
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	return o
}

// Validate tells every option that cannot be.
func (o Options) Validate() error {
	if o.Grace < 0 {
		return fmt.Errorf("process sandbox: Grace is %v, want 0 or more", o.Grace)
	}
	if o.Launchers < 0 || o.Launchers > 64 {
		return fmt.Errorf("process sandbox: Launchers is %d, want 0 to 64", o.Launchers)
	}
	return nil
}

// Runs says whether a runtime's instances can be processes.
func (*Sandbox) Runs(r platform.Runtime) bool {
	return r == platform.Go || r == platform.NodeJS || r == platform.Python
}
