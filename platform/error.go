package platform

import (
	"errors"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// Error is a failed operation with the kind that the sample records.
type Error struct {
	Kind sample.ErrorKind
	Op   string // "invoke hello", "deploy thumbnail"
	Err  error
	Hint string // what the reader can do about it; "" for nothing that the error does not say
}

// Error says operation and cause.
func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of err: NoError for nil, Platform for an error that
// carries none.
func KindOf(err error) sample.ErrorKind {
	if err == nil {
		return sample.NoError
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return sample.Platform
}

// HintOf is what the reader of err can do about it; "" for nothing in particular.
func HintOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	return ""
}
