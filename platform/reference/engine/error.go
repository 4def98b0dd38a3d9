package engine

import (
	"errors"
	"fmt"
)

// Code is why the engine would not do as it was asked.
type Code uint8

const (
	NotFound    Code = iota // no such function
	Exists                  // a function of that name is there
	Invalid                 // the function is not one that can be run
	TooLarge                // the request exceeds the payload limit
	Throttled               // no instance for the request, and none may be started
	Cancelled               // the caller gave up before an instance had the request
	Retired                 // the version takes no requests any more; not charged: its caller finds the version that has its place
	Unavailable             // the Runtime is closing, or a sandbox could not be made
)

// Error is a refusal: the function did not run. (That it ran and failed is in
// its [Outcome].)
type Error struct {
	Code    Code
	Message string
	Reason  string // of Throttled, in Lambda's words
	Err     error  // the cause, if there is one
}

// Error says what was refused.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// codeOf is the code of an Invoke's error.
func codeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Unavailable
}

func invalid(format string, args ...any) *Error {
	return &Error{Code: Invalid, Message: fmt.Sprintf(format, args...)}
}

func closing() *Error {
	return &Error{Code: Unavailable, Message: "The runtime is shutting down"}
}
