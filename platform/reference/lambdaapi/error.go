package lambdaapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// wording is how Lambda tells a refusal.
type wording struct {
	status int
	name   string // the exception
	fault  string // the document's Type: User or Service
	lower  bool   // the document's member is message, not Message
	kind   sample.ErrorKind
}

// wordingOf is the one table from refusals to the wire.
func wordingOf(err error) wording {
	if errors.Is(err, errUnknown) {
		return wording{http.StatusNotFound, "UnknownOperationException", "User", false, sample.Refused}
	}
	if errors.Is(err, errMalformed) {
		return wording{http.StatusBadRequest, "InvalidRequestContentException", "User", true, sample.Refused}
	}
	code := engine.Unavailable
	if e, ok := errors.AsType[*engine.Error](err); ok {
		code = e.Code
	}
	switch code {
	case engine.NotFound:
		return wording{http.StatusNotFound, "ResourceNotFoundException", "User", false, sample.Refused}
	case engine.Exists:
		return wording{http.StatusConflict, "ResourceConflictException", "User", true, sample.Refused}
	case engine.Invalid:
		return wording{http.StatusBadRequest, "InvalidParameterValueException", "User", true, sample.Refused}
	case engine.TooLarge:
		return wording{http.StatusRequestEntityTooLarge, "RequestTooLargeException", "User", true, sample.Payload}
	case engine.Throttled:
		return wording{http.StatusTooManyRequests, "TooManyRequestsException", "User", true, sample.Throttled}
	case engine.Cancelled:
		return wording{http.StatusInternalServerError, "ServiceException", "Service", false, sample.Cancelled}
	}
	return wording{http.StatusInternalServerError, "ServiceException", "Service", false, sample.Platform}
}

// refusal words an error, and gives Lambda's error document.
func refusal(err error) (wording, []byte) {
	words := wordingOf(err)
	doc := map[string]string{"Type": words.fault}
	if e, ok := errors.AsType[*engine.Error](err); ok && e.Reason != "" {
		doc["Reason"] = e.Reason
	}
	if words.lower {
		doc["message"] = err.Error()
	} else {
		doc["Message"] = err.Error()
	}
	return words, document(doc)
}

// writeError answers with Lambda's error document.
func writeError(w http.ResponseWriter, err error) {
	words, doc := refusal(err)
	header := w.Header()
	header.Set(HeaderErrorType, words.name)
	header.Set(HeaderErrorKind, words.kind.String())
	if header.Get(HeaderRequestID) == "" {
		header.Set(HeaderRequestID, engine.NewRequestID())
	}
	writeBody(w, words.status, doc)
}

func document(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // documents of this package can be marshalled
	}
	return text
}

// writeJSON answers with a document.
func writeJSON(w http.ResponseWriter, status int, v any) { writeBody(w, status, document(v)) }

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
	w.Header().Set(HeaderErrorType, "AccessDeniedException")
	w.Header().Set(HeaderErrorKind, sample.Refused.String())
	writeJSON(w, http.StatusForbidden, map[string]string{"Message": why})
}
