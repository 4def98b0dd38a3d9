// Package priority owns the precedence of a process over others on its machine.
//
// In: a real-time level, and the threads that are to stay as they are. Out:
// every other thread of the process at that level until it is given back, if
// the process may; or one thread spared, to start other processes from. It knows neither what the process does nor why it must not
// be late.
package priority

// Levels, lowest first. A higher one preempts a lower one, and each of them
// everything that has no real-time priority.
const (
	// Generator is that of who sends requests at their times.
	Generator uint32 = 1
	// ControlPlane is that of who decides over instances: a request waits for
	// it as it would elsewhere, for the network and not for a function.
	ControlPlane uint32 = 1
	// Observer is that of a test's own clockwork beside a generator.
	Observer uint32 = 2
)
