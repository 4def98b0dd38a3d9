// Package platform is the contract between the driver and whatever runs
// functions.
//
// In: a [Function] to deploy and [Request]s to serve. Out: [Response]s that
// carry [Evidence] of how each was served, and [Error]s with a kind. It holds
// no adapter: those live one folder each below it and import only this. It
// does not time requests, which is the driver's work; an adapter adds only
// what nobody else can see (the first byte, the platform's own phases).
package platform

import (
	"context"
	"errors"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// Runtime is the language runtime of a function, by coldcurve's name for it.
type Runtime string

// The runtimes. RuntimeIdentifiers in package lambdaapi maps them to Lambda's.
const (
	Go     Runtime = "go"
	NodeJS Runtime = "nodejs"
	Python Runtime = "python"
	Wasm   Runtime = "wasm"  // a WASI preview 1 module
	Image  Runtime = "image" // a container image with a Runtime API client in it
)

// Function is what a platform is asked to run.
type Function struct {
	Name     string            // logical name, unique in a scenario: [A-Za-z0-9-_]{1,64}
	Runtime  Runtime           // "" only on platforms that run what is already there (http)
	Code     string            // folder with the function's files (go: an executable named bootstrap; wasm: bootstrap.wasm); "" on http and for an image
	Image    string            // reference of a container image, where Runtime is Image
	Handler  string            // runtime's own notation (nodejs, python: file.function); unused by go
	Memory   units.Bytes       // limit, and by it the CPU share; 0 is the platform's default
	Timeout  time.Duration     // limit of one invocation; 0 is the platform's default
	Env      map[string]string // the function's environment, and nothing of ours
	Reserved int               // most instances at once; 0 is no limit of its own
	Storage  units.Bytes       // size of /tmp; 0 is the platform's default
	Sandbox  string            // how instances are isolated, in the platform's words; "" is its default
	Start    string            // how instances are started, in the platform's words; "" is its default
	Existing string            // what it is called where it is there already, to be invoked and left as it is; "" to deploy it
}

// Request is one invocation.
type Request struct {
	Payload     []byte // owned by the caller, not to be changed; nil is no payload
	ContentType string // "" is application/json where a payload is given
	Consumer    string // who to account it to; "" for nobody in particular
	Stage       string // which of the consumer's environments; "" for none in particular
	Trigger     string // by what it reaches the function: a name of package sample; "" is a direct invocation
	WantBody    bool   // the answer's body is looked at; else the platform may leave it out
}

// Evidence is what a platform says of how it served a request.
type Evidence struct {
	Start     sample.Start
	Grade     sample.Grade
	Instance  string // "" where the platform does not name instances
	Breakdown sample.Breakdown
}

// Response is an answer. It is meaningful beside an error too: a request that
// timed out on a cold instance still has its evidence.
type Response struct {
	Status    int       // HTTP status, or its nearest equivalent; 0 where there was no answer
	Body      []byte    // may be nil where the request did not want it
	FirstByte time.Time // with a monotonic reading; zero where it is not known
	Answered  time.Time // with a monotonic reading: when the whole answer was there, of an adapter that does more before Invoke returns; else zero
	Evidence  Evidence
	Billed    time.Duration // 0 where the platform does not say
}

// Platform runs functions.
//
// Deploy is called once a function before any traffic and returns when the
// function can be invoked; it does not start instances. It may be called for
// several functions at once.
type Platform interface {
	Deploy(context.Context, Function) (Deployment, error)
}

// Deployment is one deployed function.
//
// Invoke is safe for concurrent use and returns when the whole answer is
// there, when the context ends, or when it is known that no answer will come.
// Its error, if any, is or wraps an [*Error]. It adds no requests of its own:
// no probe, no retry.
//
// Remove takes the function away with everything that was started for it. It
// is idempotent, works after the run's context has ended, on its own, and keeps
// to a deadline that is still to come ([Outlive]). It may be called for several
// deployments at once.
type Deployment interface {
	Invoke(context.Context, Request) (Response, error)
	Remove(context.Context) error
}

// Outlive is a context for what has to be done also after the run's has ended. A
// deadline that has not passed is kept, for whoever bounds what follows a run.
func Outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	out := context.WithoutCancel(ctx)
	if limit, bounded := ctx.Deadline(); bounded && ctx.Err() == nil {
		return context.WithDeadlineCause(out, limit, errOver)
	}
	return context.WithCancel(out)
}

var errOver = errors.New("no answer before the time for clearing up was over")

// The optional interfaces of a Platform, found by assertion.
type (
	// Claimant says what the platform can, before anything is deployed.
	Claimant interface {
		Claims() Claims
	}

	// Describer tells what answers: a name, versions, limits that are not
	// enforced here. Called after Deploy.
	Describer interface {
		Describe(context.Context) (Description, error)
	}

	// Historian tells the life of every instance that was started, after the traffic.
	Historian interface {
		Instances(context.Context) ([]InstanceRecord, error)
	}

	// Logger gives the end of what each function has printed, by name, after
	// the traffic. Functions that have printed nothing may be left out.
	Logger interface {
		Logs(context.Context) (map[string]string, error)
	}

	// Meter tells who has used what of it since it began, after the traffic.
	Meter interface {
		Usage(context.Context) (usage.Account, error)
	}

	// Gauge tells what the functions' processes have used so far, read now and
	// then, in order of time, after the traffic.
	Gauge interface {
		Readings(context.Context) ([]Reading, error)
	}

	// Closer is implemented by platforms that hold something of their own (a
	// child process, connections). Close is idempotent and waits until it is gone.
	Closer interface {
		Close(context.Context) error
	}
)

// The optional interfaces of a Deployment, found by assertion.
type (
	// Evicter makes the next start cold and returns when that is certain.
	Evicter interface {
		Evict(context.Context) error
	}
)

// Description is a platform's account of itself, kept in the manifest.
type Description struct {
	Name    string            `json:"name"`
	Version string            `json:"version,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`   // sandbox, cgroup version, keep-alive, ...
	Notes   []string          `json:"notes,omitempty"`   // what a reader must know: limits that are not enforced, emulation
	Process int               `json:"process,omitempty"` // pid of the platform's own process, 0 if there is none here
	Clock   bool              `json:"monotonic_shared"`  // its times are of this machine's CLOCK_MONOTONIC
}

// MemoryFact is the name of the fact that tells how much memory a function has
// which was there already; "" where the platform cannot tell, or not yet.
func MemoryFact(function string) string { return "memory of " + function }

// InstanceRecord is the life of one instance. Times are nanoseconds of the
// machine's CLOCK_MONOTONIC; one that has not happened is 0.
type InstanceRecord struct {
	ID          string `json:"id"`
	Function    string `json:"function"`
	Started     int64  `json:"started_ns"`           // the decision to start it
	Created     int64  `json:"created_ns,omitempty"` // its sandbox is made and does not run yet; 0 where that is not told apart
	Provisioned int64  `json:"provisioned_ns"`       // its sandbox runs; where init was begun anew, the first one
	Booted      int64  `json:"booted_ns"`            // its language runtime runs; 0 where that cannot be told
	Ready       int64  `json:"ready_ns"`             // its init is done
	Gone        int64  `json:"gone_ns"`              // nothing of it is left
	Reason      string `json:"reason"`               // why it went: idle, crash, timeout, oom, init, evicted, shrunk (fewer are provisioned), memory (another's needs it), shutdown
	Invocations uint64 `json:"invocations"`          // requests handed to it
	MaxMemory   int64  `json:"max_memory"`           // peak bytes; 0 where it cannot be told

	// InitAttempts is how often its init was begun; 0 where that cannot be told.
	InitAttempts int `json:"init_attempts"`
}

// Reading is what a function's processes, and theirs, have used so far.
type Reading struct {
	Function string        `json:"function"`
	At       int64         `json:"at_ns"`  // of the machine's CLOCK_MONOTONIC
	CPU      time.Duration `json:"cpu_ns"` // user and system, in steps of 10 ms a process
	// Waited is how long its threads were ready and did not run, for other work
	// on their processors or for each other; of threads that live.
	Waited time.Duration `json:"waited_ns"`
	// Others is how much time of those processors all else has used since the
	// machine started, interrupts and the hypervisor, too.
	Others    time.Duration `json:"others_ns"`
	Memory    int64         `json:"memory"` // resident bytes; what processes share counts for each
	Processes int           `json:"processes"`
}
