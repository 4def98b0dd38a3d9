// Package reference owns the built-in FaaS as a process and as a platform.
//
// In: [ServeOptions], and the runtime listens with Lambda's wire API until it
// is told to end; or [ClientOptions], and it is started as a child process and
// driven as a [platform.Platform]. Out: answers with attested evidence, and
// nothing left behind. What an instance is and when one is started is not
// decided here: package engine runs functions, package lambdaapi speaks to
// callers.
//
// Whoever can reach it runs code as its user, so only that user and root are
// served, by package peer: on loopback TCP, on the unix sockets that are all a
// child listens on, and at the Runtime API of every instance. Among programs of
// that one user there is no boundary, least of all the functions: the process
// sandbox runs them as the runtime's user, free to do what that user may, to
// the runtime too. Only deploy what you would run yourself.
//
// The harness and the system under test are two processes, so that they share
// no heap and no scheduler. Both read CLOCK_MONOTONIC.
package reference

import (
	"errors"
	"runtime"
)

// errNoLinux is why nothing can be opened or served elsewhere.
var errNoLinux = errors.New("the reference runtime needs Linux, this is " + runtime.GOOS)
