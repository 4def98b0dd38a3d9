package engine

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Limits are the bounds that a platform sets to functions and requests.
type Limits struct {
	Payload        units.Bytes    // most bytes of a synchronous request, and of its answer
	Memory         [2]units.Bytes // least and most memory of a function
	MemoryStep     units.Bytes    // memory is a multiple of this
	MemoryDefault  units.Bytes    // where a function names none
	StorageDefault units.Bytes    // size of /tmp, where a function names none
	Timeout        time.Duration  // longest limit of one invocation
	TimeoutDefault time.Duration  // where a function names none
	Init           time.Duration  // longest first attempt of init
	Environment    int            // most bytes of all names and values of a function's environment
	Concurrency    int            // requests at once over all functions, unless configured otherwise
	Unreserved     int            // least of the configured concurrency that reservations leave
	Tail           int            // most bytes of log that go back with an answer
	Source, AsOf   string
}

// LambdaLimits are AWS Lambda's quotas. Concurrency is the default of an
// account; Unreserved is from "Configuring reserved concurrency for a function"
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html),
// Init from "Lambda execution environment lifecycle", the defaults from the
// CreateFunction reference, the tail from the Invoke reference.
func LambdaLimits() Limits {
	const mib = 1 << 20
	return Limits{
		Payload:        6 * mib,
		Memory:         [2]units.Bytes{128 * mib, 10240 * mib},
		MemoryStep:     mib,
		MemoryDefault:  128 * mib,
		StorageDefault: 512 * mib,
		Timeout:        900 * time.Second,
		TimeoutDefault: 3 * time.Second,
		Init:           10 * time.Second,
		Environment:    4 << 10,
		Concurrency:    1000,
		Unreserved:     100,
		Tail:           4 << 10,
		Source:         "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
		AsOf:           "2026-08-01",
	}
}
