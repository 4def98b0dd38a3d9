package lambdaapi

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// emptyPayload is what a function of Lambda gets when nothing is sent.
const emptyPayload = "{}"

// invoke is the Invoke operation.
func (h *Handler) invoke(w http.ResponseWriter, r *http.Request, name string) error {
	switch kind := r.Header.Get(HeaderInvocationType); kind {
	case "", "RequestResponse":
	case "DryRun":
		if _, err := h.functions.find(name); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	case "Event":
		return invalid("Invocation type Event is not supported; write RequestResponse or DryRun")
	default:
		return invalid("Invocation type " + strconv.Quote(kind) + " is not known; write RequestResponse or DryRun")
	}
	payload, err := readBody(w, r, h.runtime.Limits().Payload)
	if err != nil {
		return err
	}
	if len(payload) == 0 {
		payload = []byte(emptyPayload)
	}
	out, err := h.functions.Invoke(r.Context(), name, engine.Invocation{
		TraceID: r.Header.Get(HeaderTraceID),
		Payload: payload,
		Tail:    r.Header.Get(HeaderLogType) == "Tail",
	})
	eachEvidence(&out, w.Header().Set)
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, out.Body)
	return nil
}

// eachEvidence gives the headers that tell how a request was served, beside
// its answer.
func eachEvidence(out *engine.Outcome, set func(name, value string)) {
	if out.Start == sample.Unknown {
		return
	}
	truth, _ := out.Truth.AppendText(make([]byte, 0, 192)) // it cannot fail
	set(HeaderRequestID, out.RequestID)
	set(HeaderExecutedVersion, out.Version)
	set(HeaderStart, out.Start.String())
	set(HeaderInstance, out.Instance)
	set(HeaderTruth, string(truth))
	set(HeaderBilled, strconv.FormatInt(int64(out.Billed), 10))
	if out.FunctionError != "" {
		set(HeaderFunctionError, out.FunctionError)
	}
	if out.Kind != sample.NoError {
		set(HeaderErrorKind, out.Kind.String())
	}
	if len(out.Log) > 0 {
		set(HeaderLogResult, base64.StdEncoding.EncodeToString(out.Log))
	}
}

// bodyTimeout is how long a caller may take to send a body.
const bodyTimeout = time.Minute

// readBody reads a body of at most limit bytes, in one piece where its length
// is told.
func readBody(w http.ResponseWriter, r *http.Request, limit units.Bytes) ([]byte, error) {
	if r.ContentLength > int64(limit) {
		return nil, engine.TooBig(limit)
	}
	// The server's own ReadTimeout would go on while the function runs, and
	// end its request then. A ResponseWriter without deadlines is a test's.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	if r.ContentLength >= 0 {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, unreadable(err)
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if int64(len(body)) > int64(limit) {
		return nil, engine.TooBig(limit)
	}
	return body, nil
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &engine.Error{Code: engine.TooLarge, Message: "The request body is too large"}
	}
	return &engine.Error{Code: engine.Invalid, Message: "The request body could not be read", Err: err}
}

func queryValue(query, key string) (string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", &engine.Error{Code: engine.Invalid, Message: "The query could not be parsed", Err: err}
	}
	return values.Get(key), nil
}

func invalid(message string) error {
	return &engine.Error{Code: engine.Invalid, Message: message}
}
