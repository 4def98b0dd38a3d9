// Package sandbox owns how one instance is started, spoken to and put away.
//
// In: a [Spec]. Out: a running [Instance] and the [Marks] of its start. It
// takes no decisions (those are lifecycle's), keeps no list of instances, and
// knows no callers.
package sandbox

import (
	"context"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
)

// Spec is what an instance is made of. It is shared by all instances of a
// function version and not changed after the first start.
type Spec struct {
	Function platform.Function
	// Identifier is the runtime as the function asked for it ("nodejs22.x"), "" is
	// without a version. Which version runs is the machine's.
	Identifier string
	Version    string        // "$LATEST" or a number, as in Lambda
	ARN        string        // the function's Lambda ARN
	Memory     units.Bytes   // > 0
	Storage    units.Bytes   // > 0, size of /tmp where the sandbox bounds it
	Timeout    time.Duration // > 0, of one invocation
	Slots      int           // requests that an instance serves at once; 0 is 1, more only from a Sharer
	// InitLimit, > 0, bounds the first attempt of init, at full CPU. When it ends in
	// failure or runs over, the instance is begun anew, once, under Timeout.
	InitLimit time.Duration
}

// Initialization is why an instance is started, as Lambda tells a function in
// AWS_LAMBDA_INITIALIZATION_TYPE
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
type Initialization string

const (
	OnDemand    Initialization = "on-demand"               // for a request that waits, or is likely soon
	Provisioned Initialization = "provisioned-concurrency" // to be there before any request
	SnapStart   Initialization = "snap-start"              // of a process that has the function loaded; only a Zygote's children are
)

// Marks are the instants of an instance's start, in nanoseconds of the
// machine's CLOCK_MONOTONIC; 0 is not known.
type Marks struct {
	Begun       int64 // Start was called
	Provisioned int64 // the first process has been executed
	Booted      int64 // the runtime's own first instruction, as its client first says; 0 where it does not say
	Ready       int64 // the first poll for work has arrived; 0 where init failed
	Failed      int64 // init has failed for good; 0 where it did not
	Attempts    int   // processes begun: 2 where init was begun anew, which lies between Booted and Ready
	// Start is how the instance came to be: Cold, Prewarmed (a stem that was
	// given the function) or Restored (a zygote's child). Unknown is read as Cold.
	Start sample.Start
}

// Invocation is one request to an instance.
type Invocation struct {
	RequestID string // UUID
	Payload   []byte
	TraceID   string // value of Lambda-Runtime-Trace-Id
	Qualifier string // alias or version behind the ARN that was invoked; "" for none
	// ClientContext is what the caller tells of itself, JSON; nil for nothing.
	ClientContext []byte
	Deadline      time.Time
}

// Result is what an instance answered.
type Result struct {
	Body          []byte
	FunctionError string // "" or Lambda's word: Handled, Unhandled
	HandlerStart  int64  // CLOCK_MONOTONIC: the invocation was handed over
	HandlerEnd    int64  // CLOCK_MONOTONIC: its reply's first byte was there
	// Log holds what the instance wrote to stdout and stderr since the last
	// invocation ended, at most the last 4 KiB.
	Log []byte
}

// Failure is an instance's failure with its kind: Init, Crash, Timeout,
// OutOfMemory, Payload (the instance lives on after this one) or Platform.
type Failure struct {
	Kind  sample.ErrorKind
	Cause error
	// Type and Message are Lambda's errorType and errorMessage for the caller
	// (Runtime.ExitError, "RequestId: ... Error: Runtime exited with error: exit status 1").
	// A failure of init has no request: its message begins at "Error: ", or is
	// the function's own.
	Type, Message string
	Log           []byte // as in Result
	// Unfetched is that the instance ended by itself before it had asked for the
	// invocation: nothing of its function has seen it.
	Unfetched bool
	// HandlerStart and HandlerEnd as in Result; 0 if the handler was not reached.
	HandlerStart, HandlerEnd int64
}

// Error says what failed.
func (f *Failure) Error() string { return f.Cause.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Sandbox makes instances. Start is safe for concurrent use and returns once
// the instance's process runs (or could not be made to). It creates nothing
// that outlives Close. It may also have Prepare(ctx, spec), which the engine
// calls before a function's first start: it finds the interpreter, pulls the
// image, and starts nothing. And it may have Forget(spec), which the engine
// calls, once or more often, when nothing of spec will be started any more.
type Sandbox interface {
	Start(ctx context.Context, id string, spec *Spec, why Initialization) (Instance, error)
	// Close puts away whatever is left and waits until it is gone. Idempotent.
	Close() error
}

// Instance is one started instance. Its methods may be called from any
// goroutine, Invoke by as many at a time as the spec has slots. When the
// instance goes, every Invoke returns.
type Instance interface {
	// AwaitReady returns when init is done, or has failed for good (a
	// *Failure), with the marks of all that has happened by then. It handles
	// init's limit and second attempt.
	AwaitReady(ctx context.Context) (Marks, error)
	// Invoke hands the instance one request and returns its answer, or a
	// *Failure. After a Failure other than Payload the instance is useless and
	// wants Stop. The context's end is treated as the caller's, not as the
	// instance's: Invoke returns only when the instance has answered, failed or
	// run into the deadline.
	Invoke(ctx context.Context, inv *Invocation) (Result, error)
	// Done is closed when the instance's process has gone by itself or by Stop.
	Done() <-chan struct{}
	// Stop ends the instance (SIGTERM for graceful, then SIGKILL) and returns
	// when no process, listener or cgroup of it is left. Idempotent.
	Stop(graceful bool) error
	// MaxMemory is the peak memory use in bytes; 0 where it cannot be told.
	MaxMemory() int64
}

// The optional interfaces of a Sandbox, found by assertion. What they start
// holds one cgroup, one listener and one process like an instance, and is gone
// after Close like one.
type (
	// Stocker can boot a runtime before it is known for which function.
	Stocker interface {
		// Boot returns once the stem's process runs. Safe for concurrent use. A
		// runtime that cannot be booted ahead (go) is an error.
		Boot(ctx context.Context, id string, runtime platform.Runtime) (Stem, error)
	}

	// Sharer can have an instance serve several requests at once.
	Sharer interface {
		// Shares is nil if instances of the spec can serve Spec.Slots requests
		// at once, else the reason: a runtime client that fetches one request
		// after the other cannot. It is called after Prepare.
		Shares(spec *Spec) error
	}

	// Interpreting can tell what runs the code of a spec that was prepared.
	Interpreting interface {
		// Interpreter is that in words, and its version, such as 3.11.2; "" where
		// it is not known, or the function is its own runtime.
		Interpreter(spec *Spec) (what, version string)
	}

	// Brooder can keep a function loaded, to fork its instances from.
	Brooder interface {
		// Brood returns once the zygote's process runs. A runtime that cannot
		// fork is an error.
		Brood(ctx context.Context, id string, spec *Spec) (Zygote, error)
	}
)

// Stem is a runtime without a function: the interpreter runs, nothing of a
// function's code, environment or memory limit is there yet.
type Stem interface {
	// AwaitBooted returns when it can be given a function.
	AwaitBooted(ctx context.Context) error
	// Assign makes it the instance id of a function; its AwaitReady then waits
	// for the handler's loading. Marks.Begun is Assign's call, Provisioned and
	// Booted are when the function's name had reached it, Start is Prewarmed. A
	// stem is used up by Assign whether it works or not.
	Assign(ctx context.Context, id string, spec *Spec, why Initialization) (Instance, error)
	// Done is closed when its process has gone by itself or by Stop.
	Done() <-chan struct{}
	// Stop ends a stem that was not assigned. Idempotent.
	Stop() error
}

// Zygote is a process that has loaded a function and serves nothing. Its
// children share its memory until they write.
type Zygote interface {
	// AwaitReady returns when the function is loaded, or has failed to (a *Failure).
	AwaitReady(ctx context.Context) error
	// Fork makes an instance. Marks.Begun is Fork's call, Provisioned is when
	// the child ran, Start is Restored. Safe for concurrent use. The zygote itself
	// is told that it is SnapStart's, and its children what they are made for.
	Fork(ctx context.Context, id string, why Initialization) (Instance, error)
	// Done is closed when its process has gone by itself or by Stop. Its
	// children live on.
	Done() <-chan struct{}
	// Stop ends it. Idempotent.
	Stop() error
}

// The optional interfaces of an Instance, found by assertion.
type (
	// Pauser can stop an instance's processes without ending them. Neither is
	// called while a request is held; both return when it is so.
	Pauser interface {
		Pause() error
		Resume() error
	}

	// Patient can be hurt on purpose, at any time, from any goroutine.
	Patient interface {
		Injure(Injury) error
	}
)

// Injury is what is done to an instance on purpose.
type Injury uint8

const (
	Kill    Injury = iota // SIGKILL to all of its processes
	Abort                 // SIGABRT to its main process, as if it had crashed by itself
	Freeze                // its processes stop running
	Thaw                  // and run again
	FillTmp               // nothing more fits into its /tmp; an error where /tmp is not its own
	FreeTmp               // and again what did before
	Exhaust               // the kernel ends it for exceeding its memory limit; an error where it has none
)
