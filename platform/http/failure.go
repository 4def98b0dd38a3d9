package http

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
)

// failure is a reply that is not the function's answer.
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

// hintRedirect is what to do about a redirect: whoever asks is not where the
// function is, or not let in.
const hintRedirect = "a redirect is not followed: write the address that answers itself; where it leads to a page to sign in, send what shows who asks " +
	"(headers: of the scenario's platform http, or COLDCURVE_TOKEN with a preset), or let this function be called without; where it is the function's " +
	"answer, write expect_status: there"

// answers says whether a status is that of a function's answer.
func (o *Options) answers(status int) bool {
	if len(o.Expect) > 0 {
		return slices.Contains(o.Expect, status)
	}
	return status < http.StatusBadRequest && !redirects(status)
}

// redirects says whether a reply sends its reader elsewhere. Not modified does
// not.
func redirects(status int) bool {
	return status >= http.StatusMultipleChoices && status < http.StatusBadRequest && status != http.StatusNotModified
}

// elsewhere is where a redirect leads, without its query, which may hold what is
// for the signed in; "" where it does not tell.
func elsewhere(reply *exchange.Reply) string {
	to, err := url.Parse(reply.Header.Get("Location"))
	if err != nil || to.Host+to.Path == "" {
		return ""
	}
	to.User, to.RawQuery, to.Fragment = nil, "", ""
	return "to " + to.String()
}

// failure says what a reply of such a status means, by its first bytes too.
func (p *Platform) failure(reply *exchange.Reply) *failure {
	f := &failure{status: reply.Status, kind: kindOfStatus(reply.Status)}
	refusal, throttled := p.preset.throttles(f.status, reply.Body)
	switch {
	case redirects(f.status):
		f.why, f.hint = p.secrets.Words(elsewhere(reply)), hintRedirect
	case throttled:
		f.kind, f.why = sample.Throttled, "for want of capacity, as the server says: "+refusal.Says
	case f.status == http.StatusUnauthorized || f.status == http.StatusForbidden:
		f.why, f.hint = p.denied(reply.Header)
	case f.status == http.StatusNotFound:
		f.why = p.preset.NotFound
	case f.status < http.StatusBadRequest:
		f.why = "expect_status has others"
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
