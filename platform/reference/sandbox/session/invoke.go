package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// invalidEntrypoint is Lambda's errorType of a program that cannot be executed.
const invalidEntrypoint = "Runtime.InvalidEntrypoint"

// Invoke implements sandbox.Instance.
func (s *Session) Invoke(_ context.Context, inv *sandbox.Invocation) (sandbox.Result, error) {
	a := s.Current()
	select {
	case <-a.Exited():
		// Its parked poll may look alive for a moment yet: nobody would take
		// what is handed over.
		return sandbox.Result{}, s.lost(a, inv)
	default:
	}
	rung := s.alarm.Rung()
	if s.config.Spec.Slots > 1 { // each has its own deadline then
		over := make(chan struct{})
		defer time.AfterFunc(time.Until(inv.Deadline), func() { close(over) }).Stop()
		rung = over
	} else {
		s.alarm.Set(inv.Deadline)
		defer s.alarm.Clear()
	}
	replies := a.API().Hand(inv)
	select {
	case r := <-replies:
		return s.result(a, r)
	case <-a.Exited():
		return s.ending(a, inv, replies)
	case <-rung:
		return sandbox.Result{}, s.held(a, inv, sandbox.TimedOut(inv.RequestID, s.config.Spec.Timeout, a.TakeLog()))
	}
}

func (s *Session) result(a Attempt, r runtimeapi.Reply) (sandbox.Result, error) {
	log := a.TakeLog()
	switch r.Kind {
	case runtimeapi.TooLarge:
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", s.config.Response)
		return sandbox.Result{}, &sandbox.Failure{Kind: sample.Payload, Cause: errors.New("response exceeds the size limit"),
			Type: "Function.ResponseSizeTooLarge", Message: message, Log: log, HandlerStart: r.Handed, HandlerEnd: r.Ended}
	case runtimeapi.Error:
		return sandbox.Result{Body: r.Body, FunctionError: "Unhandled", HandlerStart: r.Handed, HandlerEnd: r.Ended, Log: log}, nil
	default:
		return sandbox.Result{Body: r.Body, HandlerStart: r.Handed, HandlerEnd: r.Ended, Log: log}, nil
	}
}

// ending tells what an invocation got from a process that has ended: its
// answer, if it was sent before the end, or the end.
func (s *Session) ending(a Attempt, inv *sandbox.Invocation, replies <-chan runtimeapi.Reply) (sandbox.Result, error) {
	a.API().Drain(lastWords)
	select {
	case r := <-replies:
		return s.result(a, r)
	default:
		return sandbox.Result{}, s.lost(a, inv)
	}
}

// lost is the failure of an invocation whose process has ended, whether it had
// fetched it or not.
func (s *Session) lost(a Attempt, inv *sandbox.Invocation) *sandbox.Failure {
	f := s.held(a, inv, ExitFailure(a, sample.Crash, inv.RequestID))
	f.Unfetched = f.HandlerStart == 0 && f.Kind != sample.Platform
	return f
}

// held adds for how long the handler held an invocation that it did not answer.
func (s *Session) held(a Attempt, inv *sandbox.Invocation, f *sandbox.Failure) *sandbox.Failure {
	if f.HandlerStart = a.API().Handed(inv.RequestID); f.HandlerStart != 0 {
		f.HandlerEnd = s.config.Clock.Now()
	}
	return f
}

// AwaitInit returns nil once it is ready, or why it will not be.
func AwaitInit(ctx context.Context, a Attempt, ready <-chan struct{}, limit time.Duration) (*sandbox.Failure, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ready:
		return nil, nil
	case told := <-a.API().InitFailed():
		return initFailure(a, told), nil
	case <-a.Exited():
		return initExit(a), nil
	case <-timer.C:
		return sandbox.TimedOut("", limit, a.TakeLog()), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("await init: %w", context.Cause(ctx))
	}
}

// initExit is the failure of a process that has ended in init, in its own
// words if it has left some.
func initExit(a Attempt) *sandbox.Failure {
	a.API().Drain(lastWords)
	select {
	case told := <-a.API().InitFailed():
		return initFailure(a, told)
	default:
		return ExitFailure(a, sample.Init, "")
	}
}

func initFailure(a Attempt, told runtimeapi.InitError) *sandbox.Failure {
	return &sandbox.Failure{Kind: sample.Init, Type: told.Type, Message: told.Message,
		Cause: fmt.Errorf("init failed: %s: %s", told.Type, told.Message), Log: a.TakeLog()}
}

// ExitFailure says how the process ended: kind, or OutOfMemory, or Platform
// where it did not end by itself.
func ExitFailure(a Attempt, kind sample.ErrorKind, request string) *sandbox.Failure {
	end := a.Ending()
	how := " without providing a reason"
	if end.How != "" {
		how = " with error: " + end.How
	}
	f := &sandbox.Failure{Kind: kind, Type: "Runtime.ExitError", Log: a.TakeLog(),
		Cause: errors.New("process exited" + how), Message: sandbox.ForRequest(request) + "Error: Runtime exited" + how}
	switch {
	case end.Cause != nil:
		f.Kind, f.Cause = sample.Platform, end.Cause
	case end.OutOfMemory:
		f.Kind, f.Type, f.Cause = sample.OutOfMemory, sandbox.OutOfMemory, errors.New("process killed for exceeding its memory limit")
	case end.Unfit && kind == sample.Init:
		f.Type = invalidEntrypoint
	}
	return f
}
