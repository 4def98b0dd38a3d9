package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/http/exchange"
)

// deployment is one function's name for the server, and where it is asked.
type deployment struct {
	platform *Platform
	function string
	target   *url.URL
	host     string // of the Host header; "" is the target's
}

// Remove does nothing: nothing was deployed.
func (d *deployment) Remove(context.Context) error { return nil }

// Invoke sends one request and reads its reply to the end. A redirect is a
// failure, unless it is what the function answers: what it leads to would be
// another request.
func (d *deployment) Invoke(ctx context.Context, in platform.Request) (platform.Response, error) {
	p := d.platform
	one := exchange.Exchange{Op: "invoke " + d.function, Transport: p.transport, Limit: p.options.Timeout, Keep: in.WantBody, Secrets: &p.secrets}
	reply, err := one.Do(ctx, d.request(in))
	out := platform.Response{Status: reply.Status, FirstByte: reply.FirstByte}
	if in.WantBody {
		out.Body = reply.Body
	}
	if reply.Status != 0 {
		out.Evidence = p.judge(reply.Header, reply.Sent, reply.Arrived)
	}
	if failed, ok := errors.AsType[*platform.Error](err); ok && failed.Kind == sample.Timeout && ctx.Err() == nil {
		failed.Err, failed.Hint = d.silence(&reply), hintSilent
	}
	if err == nil && !p.options.answers(reply.Status) {
		f := p.failure(&reply)
		err = &platform.Error{Kind: f.kind, Op: one.Op, Err: f, Hint: f.hint}
	}
	return out, err
}

// hintSilent is what to do about a server that does not answer in time.
const hintSilent = "something listens there that does not answer, or a function takes longer: the limit is timeout: of the scenario's platform http"

// silence says what was waited for in vain.
func (d *deployment) silence(reply *exchange.Reply) error {
	where, limit := d.target.Scheme+"://"+d.target.Host, units.FormatDuration(d.platform.options.Timeout)
	if reply.Status != 0 {
		return fmt.Errorf("the answer from %s began and did not end within %s", where, limit)
	}
	return fmt.Errorf("no answer from %s within %s", where, limit)
}

// request makes the HTTP request of one invocation.
func (d *deployment) request(in platform.Request) *http.Request {
	method, headers := d.platform.options.Method, d.platform.headers
	if method == "" {
		method = http.MethodGet
		if in.Payload != nil {
			method = http.MethodPost
		}
	}
	if in.Payload != nil && headers.Get("Content-Type") == "" {
		headers = headers.Clone()
		headers.Set("Content-Type", "application/json")
		if in.ContentType != "" {
			headers.Set("Content-Type", in.ContentType)
		}
	}
	return &http.Request{
		Method: method, URL: d.target, Host: d.host, Header: headers,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: exchange.Body(method, in.Payload), ContentLength: int64(len(in.Payload)),
	}
}
