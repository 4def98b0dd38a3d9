// Package events owns the ways to a function other than a caller who waits for
// its answer: events that are accepted first and handled later, schedules, files
// that appear in a folder, and HTTP requests to a function's own URL.
//
// In: what happened outside (an event, a due instant, a file, an HTTP request).
// Out: invocations in the shape that AWS gives such an event, each with the
// instant at which its trigger fired, and the records that say how
// asynchronous ones ended. It runs no function itself, starts no instance, and
// knows neither versions nor permissions: those are the catalog's and the
// wire's.
//
//	schedule is due  --+
//	file is complete --+--> Queue --> Invoker --> Success ------------> on-success destination
//	Event invocation --+      ^          |
//	                          +-- wait --+--> RetriesExhausted --------> on-failure destination
//	                                     +--> EventAgeExceeded -------->
//	request to the URL ------------------> Invoker --> its answer as HTTP
//
// The queue is in memory: what waits in it when the runtime ends is counted,
// told and lost.
package events

import (
	"context"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Invoker runs a function. It is called from many goroutines at once.
type Invoker interface {
	Invoke(ctx context.Context, name, qualifier string, inv engine.Invocation) (engine.Outcome, error)
}

// Rules are a platform's bounds and habits with asynchronous invocations.
type Rules struct {
	Payload units.Bytes     // most bytes of an event
	Retries int             // after a function's error, unless a function is configured otherwise
	Waits   []time.Duration // before the first retry, the second, ...; the last holds for all that follow
	Age     time.Duration   // an event that is older is given up, unless a function is configured otherwise
	// Backoff is the first wait and the longest after a refusal for want of
	// concurrency, which is not one of the Retries; it doubles in between.
	Backoff [2]time.Duration
	// Depth is how many events may come of one another by destinations.
	Depth        int
	Source, AsOf string
}

// LambdaRules are AWS Lambda's: waits, retries, age and backoff from "How
// Lambda handles errors and retries with asynchronous invocation", the depth
// from "Use Lambda recursive loop detection".
func LambdaRules() Rules {
	return Rules{
		Payload: 1 << 20,
		Retries: 2,
		Waits:   []time.Duration{time.Minute, 2 * time.Minute},
		Age:     6 * time.Hour,
		Backoff: [2]time.Duration{time.Second, 5 * time.Minute},
		Depth:   16,
		Source:  "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html",
		AsOf:    "2026-08-01",
	}
}

// Config is how a function wants its asynchronous invocations handled.
type Config struct {
	Retries   int           // 0 to 2 on Lambda
	Age       time.Duration // above 0
	OnSuccess string        // destination, see [ParseDestination]; "" for none
	OnFailure string
}

// Condition is how an asynchronous invocation ended, in Lambda's words.
type Condition string

// The conditions.
const (
	Success          Condition = "Success"
	RetriesExhausted Condition = "RetriesExhausted"
	EventAgeExceeded Condition = "EventAgeExceeded"
	Lost             Condition = "Lost" // ours: the runtime ended, or the function is gone
)

// Result is the end of an asynchronous invocation.
type Result struct {
	Condition Condition
	Attempts  int            // how often the function was asked to run
	Outcome   engine.Outcome // of the last attempt that reached it
	Err       error          // of the last attempt, if it was refused
}
