package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// patience bounds the wait for the end of a module that is ended. It is in a
// loop or a host call and gets there at once, or moves memory meanwhile.
const patience = 10 * time.Second

// attempt is one run of a module. An instance has one, or a second where its
// init had to be begun anew.
type attempt struct {
	*pipe
	log    *log
	memory *memory
	files  *files
	module api.Module
	start  api.Function
	cancel context.CancelFunc

	condemned atomic.Bool            // it is ended because nobody needs it any more
	injury    atomic.Pointer[string] // or by this signal, on purpose

	exited chan struct{} // closed when nothing of it runs or is held any more
	status error         // after exited: how it ended; nil where it returned
	left   error         // after exited: what could not be given back
}

// run runs the module to its end and gives back what it held.
func (a *attempt) run(env []string, ended func(*attempt)) {
	_, err := a.start.Call(withEnvironment(a.over, env))
	a.status = err
	a.left = a.release()
	close(a.exited)
	ended(a)
}

// release gives back what the module holds, which does not run (any more).
func (a *attempt) release() error {
	a.cancel()
	err := errors.Join(a.module.Close(context.Background()), a.files.close(), a.memory.release())
	a.module, a.start = nil, nil
	return err
}

// kill ends the module wherever it is.
func (a *attempt) kill() { a.cancel() }

// putAway ends the module and waits until it is gone.
func (a *attempt) putAway() error {
	a.condemned.Store(true)
	a.kill()
	select {
	case <-a.exited:
		return a.left
	case <-time.After(patience):
		return fmt.Errorf("the module has not ended %v after it was told to", patience)
	}
}

// awaitInit returns nil at the first read, or why there will be none.
func (a *attempt) awaitInit(ctx context.Context, limit time.Duration) (*sandbox.Failure, error) {
	// A module without a language runtime reads before a timer is made, which
	// would wake the thread that waits for the network.
	runtime.Gosched()
	select {
	case <-a.ready:
		return nil, nil
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-a.ready:
		return nil, nil
	case <-a.exited:
		return a.initExit(), nil
	case <-timer.C:
		return sandbox.TimedOut("", limit, a.log.take()), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("await init: %w", context.Cause(ctx))
	}
}

// initExit is the failure of a module that has ended in init, in its own
// words if it has left some.
func (a *attempt) initExit() *sandbox.Failure {
	select {
	case told := <-a.failed:
		kind, message := errorDocument(told)
		return &sandbox.Failure{Kind: sample.Init, Type: kind, Message: message,
			Cause: fmt.Errorf("init failed: %s: %s", kind, message), Log: a.log.take()}
	default:
		return a.exitFailure(sample.Init, "")
	}
}

// exitFailure says how the module ended: kind, or OutOfMemory, or Platform
// where we ended it ourselves.
func (a *attempt) exitFailure(kind sample.ErrorKind, request string) *sandbox.Failure {
	how := a.describe()
	f := &sandbox.Failure{Kind: kind, Type: "Runtime.ExitError", Cause: errors.New("module exited" + how),
		Message: sandbox.ForRequest(request) + "Error: Runtime exited" + how}
	switch {
	case a.condemned.Load():
		f.Kind = sample.Platform
		f.Cause = errors.New("the instance was stopped")
	case a.starved():
		f.Kind, f.Type = sample.OutOfMemory, sandbox.OutOfMemory
		f.Cause = fmt.Errorf("module exited%s, having asked for more memory than its limit", how)
		f.Message = sandbox.ForRequest(request) + "Error: Runtime exited with error: signal: killed"
	}
	if trapped(a.status) {
		fmt.Fprintln(a.log, a.status) // with its stack
	}
	f.Log = a.log.take()
	return f
}

// starved says whether the module ended after it was refused memory. Nobody
// kills it then: it gives up by itself, in its own way.
func (a *attempt) starved() bool {
	return a.memory.refused.Load() && a.injury.Load() == nil && a.fault.Load() == nil
}

// describe words an end as Lambda does.
func (a *attempt) describe() string {
	if signal := a.injury.Load(); signal != nil {
		return " with error: signal: " + *signal
	}
	if fault := a.fault.Load(); fault != nil {
		return " with error: " + (*fault).Error()
	}
	if exit, ok := errors.AsType[*sys.ExitError](a.status); ok && exit.ExitCode() != 0 {
		return " with error: exit status " + strconv.FormatUint(uint64(exit.ExitCode()), 10)
	}
	if trapped(a.status) {
		first, _, _ := strings.Cut(a.status.Error(), "\n")
		return " with error: " + first
	}
	return " without providing a reason"
}

// trapped tells a trap from an exit.
func trapped(status error) bool {
	_, exit := errors.AsType[*sys.ExitError](status)
	return status != nil && !exit
}
