package platform

import "time"

// Fault is something that goes wrong on purpose, now and then.
type Fault struct {
	Function string    // whose instances; "" for all
	Kind     FaultKind // what
	// Share, 0 to 1, is of the starts or of the requests that it hits, by kind.
	Share float64
	// Delay is how long a slow init takes in addition, or when after its
	// hand-over a request is hit; 0 is at once.
	Delay time.Duration
}

// FaultKind is what goes wrong.
type FaultKind string

// The kinds. Those of a start hit Share of the instances, the others Share of
// the requests that reach an instance.
const (
	StartFailure FaultKind = "start-failure" // a start: no sandbox can be made
	SlowInit     FaultKind = "slow-init"     // a start: init stands still for Delay
	CrashInit    FaultKind = "crash-init"    // a start: the process ends before it is ready
	Crash        FaultKind = "crash"         // a request: the process aborts
	Kill         FaultKind = "kill"          // a request: the instance is killed from outside
	Hang         FaultKind = "hang"          // a request: the instance stops running until its timeout
	OutOfMemory  FaultKind = "oom"           // a request: the instance exceeds its memory
	DiskFull     FaultKind = "disk-full"     // a request: nothing more fits into /tmp
)

// FaultKinds are all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{StartFailure, SlowInit, CrashInit, Crash, Kill, Hang, OutOfMemory, DiskFull}
}
