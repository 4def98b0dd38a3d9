package lambdaapi

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// emptyPayload is what a function of Lambda gets when nothing is sent.
const emptyPayload = "{}"

// invocation is a request for Invoke off either wire.
type invocation struct {
	name      string // the function, as the path has it
	qualifier string
	kind      string // X-Amz-Invocation-Type
	trace     string
	consumer  string
	stage     string
	trigger   string
	context   string // X-Amz-Client-Context: JSON in base64
	tail      bool
	payload   []byte
}

// headers are those of an invocation that are heeded, by their names.
func (inv *invocation) heed(name, value string) {
	switch name {
	case HeaderInvocationType:
		inv.kind = value
	case HeaderLogType:
		inv.tail = value == "Tail"
	case HeaderTraceID:
		inv.trace = value
	case HeaderClientContext:
		inv.context = value
	case HeaderConsumer:
		inv.consumer = value
	case HeaderStage:
		inv.stage = value
	case HeaderTrigger:
		inv.trigger = value
	}
}

// invoke is the Invoke operation.
func (h *Handler) invoke(r *request) (any, error) {
	inv := invocation{name: r.name, payload: r.body}
	for name, values := range r.Header {
		inv.heed(name, values[0])
	}
	if r.URL.RawQuery != "" {
		inv.qualifier = r.qualifier()
	}
	if inv.consumer == "" {
		inv.consumer = r.owner
	}
	if err := checkPayload(inv.payload); err != nil {
		return nil, err
	}
	status, out, err := h.run(r.Context(), &inv)
	eachEvidence(&out, r.w.Header().Set)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		r.w.Header().Set(HeaderRequestID, cmp.Or(out.RequestID, engine.NewRequestID()))
		r.w.WriteHeader(status)
		return answered, nil
	}
	writeBody(r.w, status, out.Body)
	return answered, nil
}

// checkPayload refuses what is not JSON, as Lambda does.
func checkPayload(payload []byte) error {
	if len(payload) == 0 || json.Valid(payload) {
		return nil
	}
	var v any
	return invalidRequest("Could not parse request body into json", json.Unmarshal(payload, &v))
}

// run does as an invocation asks. The status is that of an answer without an
// error; the outcome's body belongs to a 200.
func (h *Handler) run(ctx context.Context, inv *invocation) (status int, out engine.Outcome, err error) {
	e := engine.Invocation{
		TraceID: inv.trace, Payload: inv.payload, Tail: inv.tail,
		Consumer: inv.consumer, Stage: inv.stage,
	}
	if len(e.Payload) == 0 {
		e.Payload = []byte(emptyPayload)
	}
	if inv.context != "" {
		if e.ClientContext, err = clientContext(inv.context); err != nil {
			return 0, out, err
		}
	}
	if e.Trigger, e.Triggered, err = trigger(inv.trigger); err != nil {
		return 0, out, err
	}
	switch inv.kind {
	case "", "RequestResponse":
		if e.Trigger != "" && e.Triggered == 0 && h.Triggers != nil {
			out, err = h.Triggers.Fire(ctx, inv.name, inv.qualifier, e)
			return http.StatusOK, out, err
		}
		out, err = h.Catalog.Invoke(ctx, inv.name, inv.qualifier, e)
		return http.StatusOK, out, err
	case "DryRun":
		_, err = h.Catalog.Resolve(inv.name, inv.qualifier)
		return http.StatusNoContent, out, err
	case "Event":
		out.RequestID, err = h.accept(inv, e)
		return http.StatusAccepted, out, err
	}
	return 0, out, invalid("Invocation type " + strconv.Quote(inv.kind) + " is not known; write RequestResponse, Event or DryRun")
}

// accept hands an event to whoever takes events.
func (h *Handler) accept(inv *invocation, e engine.Invocation) (requestID string, err error) {
	if h.Events == nil {
		return "", invalid("Invocation type Event is not supported here; write RequestResponse or DryRun")
	}
	if limit := h.Limits.Event; len(e.Payload) > int(limit) {
		return "", tooLarge(int64(limit), "InvokeFunction")
	}
	if _, err := h.Catalog.Resolve(inv.name, inv.qualifier); err != nil {
		return "", err
	}
	return h.Events.Accept(inv.name, inv.qualifier, e)
}

// mostClientContext is in bytes, of the base64 form.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
const mostClientContext = 3583

func clientContext(text string) ([]byte, error) {
	if len(text) > mostClientContext {
		return nil, invalidRequest("Client context must be "+strconv.Itoa(mostClientContext)+" bytes or less", nil)
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err == nil && !json.Valid(decoded) {
		err = errors.New("it is not JSON")
	}
	if err != nil {
		return nil, invalidRequest("Could not read the client context", err)
	}
	return decoded, nil
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

// trigger reads HeaderTrigger.
func trigger(text string) (name string, at int64, err error) {
	if text == "" {
		return "", 0, nil
	}
	name, when, timed := strings.Cut(text, " ")
	if !slices.Contains(sample.Triggers(), name) {
		return "", 0, invalid(HeaderTrigger + " is not one of " + strings.Join(sample.Triggers(), ", "))
	}
	if timed {
		if at, err = strconv.ParseInt(when, 10, 64); err != nil || at <= 0 {
			return "", 0, invalid(HeaderTrigger + ": " + strconv.Quote(when) + " is not an instant in nanoseconds")
		}
	}
	return name, at, nil
}
