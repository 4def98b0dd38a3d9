package lambdaapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/catalog"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sigv4"
)

// wording is how Lambda tells a refusal.
type wording struct {
	*catalog.Error
	kind sample.ErrorKind
}

// wordingOf is the one way from refusals to the wire.
func wordingOf(err error) wording {
	if signed, ok := errors.AsType[*sigv4.Error](err); ok {
		return wording{&catalog.Error{Exception: signed.Name, Status: signed.Status(), Message: signed.Message}, sample.Refused}
	}
	return wording{catalog.AsError(err), kindOf(err)}
}

func kindOf(err error) sample.ErrorKind {
	if e, ok := errors.AsType[*engine.Error](err); ok {
		switch e.Code {
		case engine.TooLarge:
			return sample.Payload
		case engine.Throttled:
			return sample.Throttled
		case engine.Cancelled:
			return sample.Cancelled
		case engine.NotFound, engine.Exists, engine.Invalid, engine.Retired:
			return sample.Refused
		}
		return sample.Platform
	}
	switch words := catalog.AsError(err); {
	case words.Exception == requestTooLarge:
		return sample.Payload
	case words.Status >= http.StatusInternalServerError:
		return sample.Platform
	}
	return sample.Refused
}

// document is Lambda's for a refusal. By the API's model most exceptions have
// a member message, and these have Message.
func (w wording) document() []byte {
	doc := map[string]string{"Type": w.Fault()}
	if w.Reason != "" {
		doc["Reason"] = w.Reason
	}
	switch w.Exception {
	case "ResourceNotFoundException", "ServiceException", "UnknownOperationException", "InvalidZipFileException",
		"InvalidRuntimeException", "CodeVerificationFailedException", "ResourceInUseException":
		doc["Message"] = w.Message
	default:
		doc["message"] = w.Message
	}
	return marshal(doc)
}

// writeError answers with Lambda's error document.
func writeError(w http.ResponseWriter, err error) {
	words := wordingOf(err)
	header := w.Header()
	header.Set(HeaderErrorType, words.Exception)
	header.Set(HeaderErrorKind, words.kind.String())
	if header.Get(HeaderRequestID) == "" {
		header.Set(HeaderRequestID, engine.NewRequestID())
	}
	writeBody(w, words.Status, words.document())
}

const (
	invalidContent  = "InvalidRequestContentException"
	requestTooLarge = "RequestTooLargeException"
)

func unknownOperation(method, path string) error {
	return &catalog.Error{
		Exception: "UnknownOperationException", Status: http.StatusNotFound,
		Message: fmt.Sprintf("unknown operation: %s %.200q", method, path),
	}
}

func invalidRequest(message string, err error) error {
	if err != nil {
		message += ": " + err.Error()
	}
	return &catalog.Error{Exception: invalidContent, Status: http.StatusBadRequest, Message: message, Err: err}
}

func invalid(message string) error {
	return &catalog.Error{Exception: "InvalidParameterValueException", Status: http.StatusBadRequest, Message: message}
}

func tooLarge(limit int64, operation string) error {
	return &catalog.Error{
		Exception: requestTooLarge, Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("Request must be smaller than %d bytes for the %s operation", limit, operation),
	}
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // documents of this package can be marshalled
	}
	return text
}

// writeJSON answers with a document.
func writeJSON(w http.ResponseWriter, status int, v any) { writeBody(w, status, marshal(v)) }

// writeBody answers with a document that is JSON already. That the caller is
// gone is nobody's concern any more.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Forbid answers a request that does not get as far as the API.
func Forbid(w http.ResponseWriter, why string) {
	Dismiss(w)
	writeError(w, &catalog.Error{Exception: "AccessDeniedException", Status: http.StatusForbidden, Message: why})
}
