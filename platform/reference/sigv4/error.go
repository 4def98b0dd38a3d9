package sigv4

import "net/http"

// The names of AWS's exceptions.
const (
	MissingToken       = "MissingAuthenticationTokenException" // nothing is signed
	Incomplete         = "IncompleteSignatureException"        // the signature cannot be read
	InvalidSignature   = "InvalidSignatureException"           // it is not this request's, or not now's
	UnrecognizedClient = "UnrecognizedClientException"         // its key is nobody's here
)

// Error is why a request is not served.
type Error struct {
	Name    string // the exception
	Message string // AWS's, without what was signed
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Status is the HTTP status of each of these exceptions.
func (e *Error) Status() int { return http.StatusForbidden }

func incomplete(message string) error { return &Error{Incomplete, message} }

func wrongPayload(told string) error {
	if told == "UNSIGNED-PAYLOAD" {
		return &Error{InvalidSignature, "An unsigned payload is not accepted: sign the body's SHA-256."}
	}
	return &Error{InvalidSignature, "The provided 'x-amz-content-sha256' header does not match what was computed."}
}
