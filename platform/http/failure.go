package http

import (
	"fmt"
	"net/http"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
)

// failure is a reply whose status is from 400 on.
type failure struct {
	status int
	kind   sample.ErrorKind
	why    string // beyond the status; "" for nothing
	hint   string // what can be done about it; "" for nothing in particular
}

func (f *failure) Error() string {
	text := fmt.Sprintf("status %d %s", f.status, http.StatusText(f.status))
	if f.why != "" {
		text += ": " + f.why
	}
	return text
}

// failure says what a reply of such a status means, by its first bytes too.
func (p *Platform) failure(reply *exchange.Reply) *failure {
	f := &failure{status: reply.Status, kind: kindOfStatus(reply.Status)}
	switch {
	case p.preset.throttles(f.status, reply.Body):
		f.kind, f.why = sample.Throttled, "for want of capacity"
	case f.status == http.StatusUnauthorized || f.status == http.StatusForbidden:
		f.why, f.hint = p.denied(reply.Header)
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
