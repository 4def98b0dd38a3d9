package catalog

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Error is a refusal in AWS Lambda's words. What the catalogue could not do for
// reasons of its own (a full disk) is one too: its Exception is ServiceException.
type Error struct {
	Exception string // Lambda's name of it, such as ResourceNotFoundException
	Status    int    // HTTP status that Lambda answers with
	Message   string // Lambda's text where there is one
	Reason    string // of TooManyRequestsException, in Lambda's words
	Err       error  // the cause, if there is one; not part of the text
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fault is whose it is, as Lambda's documents say it: User or Service.
func (e *Error) Fault() string {
	if e.Status >= http.StatusInternalServerError {
		return "Service"
	}
	return "User"
}

// AsError words any error of this package or of the engine as Lambda does.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e, ok := errors.AsType[*engine.Error](err)
	if !ok {
		return &Error{Exception: "ServiceException", Status: http.StatusInternalServerError, Message: err.Error(), Err: err}
	}
	words := func(name string, status int) *Error {
		return &Error{Exception: name, Status: status, Message: err.Error(), Reason: e.Reason, Err: err}
	}
	switch e.Code {
	case engine.NotFound:
		return words("ResourceNotFoundException", http.StatusNotFound)
	case engine.Exists, engine.Retired:
		return words("ResourceConflictException", http.StatusConflict)
	case engine.Invalid:
		return words("InvalidParameterValueException", http.StatusBadRequest)
	case engine.TooLarge:
		return words("RequestTooLargeException", http.StatusRequestEntityTooLarge)
	case engine.Throttled:
		return words("TooManyRequestsException", http.StatusTooManyRequests)
	}
	return words("ServiceException", http.StatusInternalServerError)
}

func notFound(format string, args ...any) *Error {
	return &Error{Exception: "ResourceNotFoundException", Status: http.StatusNotFound, Message: fmt.Sprintf(format, args...)}
}

func functionNotFound(arn string) *Error { return notFound("Function not found: %s", arn) }

func conflict(format string, args ...any) *Error {
	return &Error{Exception: "ResourceConflictException", Status: http.StatusConflict, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Error {
	return &Error{Exception: "InvalidParameterValueException", Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// violation is a value outside of what the API's model allows, which Lambda
// refuses before it looks at anything else.
func violation(value any, member, constraint string) *Error {
	return &Error{
		Exception: "ValidationException", Status: http.StatusBadRequest,
		Message: fmt.Sprintf("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint),
	}
}

func stale() *Error {
	return &Error{
		Exception: "PreconditionFailedException", Status: http.StatusPreconditionFailed,
		Message: "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
	}
}

func tooLarge(format string, args ...any) *Error {
	return &Error{
		Exception: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf(format, args...),
	}
}

// broken is a failure of the catalogue's own.
func broken(doing string, err error) *Error {
	return &Error{
		Exception: "ServiceException", Status: http.StatusInternalServerError,
		Message: doing + ": " + err.Error(), Err: err,
	}
}
