package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// failure is a reply whose status is from 400 on.
type failure struct {
	status int
	kind   sample.ErrorKind
	why    string // beyond the status; "" for nothing
}

func (f *failure) Error() string {
	text := fmt.Sprintf("status %d %s", f.status, http.StatusText(f.status))
	if f.why != "" {
		text += ": " + f.why
	}
	return text
}

// failure says what a reply of such a status means, by its first bytes too.
func (p *Platform) failure(reply *http.Response, body []byte) *failure {
	f := &failure{status: reply.StatusCode, kind: kindOfStatus(reply.StatusCode)}
	switch {
	case p.preset.throttles(f.status, body):
		f.kind, f.why = sample.Throttled, "for want of capacity"
	case f.status == http.StatusUnauthorized || f.status == http.StatusForbidden:
		f.why = p.denied(reply.Header)
	case f.status == http.StatusNotFound:
		f.why = p.preset.NotFound
	}
	return f
}

func kindOfStatus(status int) sample.ErrorKind {
	switch {
	case status == http.StatusTooManyRequests:
		return sample.Throttled
	case status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout:
		return sample.Timeout
	case status == http.StatusRequestEntityTooLarge:
		return sample.Payload
	case status >= http.StatusInternalServerError:
		return sample.Platform
	}
	return sample.Refused
}

// skimmed is how much of a failure's body is looked at.
const skimmed = 1 << 10

// skim reads a body to its end and keeps its beginning.
func skim(body io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(body, skimmed))
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	return head, err
}

// kindOf tells apart the caller's end, the request's time limit and the network's faults.
func kindOf(caller, timed context.Context, err error) sample.ErrorKind {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.kind
	}
	switch {
	case errors.Is(caller.Err(), context.Canceled):
		return sample.Cancelled
	case timed.Err() != nil:
		return sample.Timeout
	}
	return sample.Network
}
