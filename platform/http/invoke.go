package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// deployment is one function's name for the server.
type deployment struct {
	platform *Platform
	function string
}

// Remove does nothing: nothing was deployed.
func (d *deployment) Remove(context.Context) error { return nil }

// Invoke sends one request and reads its reply to the end. Redirects are
// answers.
func (d *deployment) Invoke(ctx context.Context, in platform.Request) (platform.Response, error) {
	timed, cancel := context.WithTimeout(ctx, d.platform.options.Timeout)
	defer cancel()
	var first atomic.Int64 // since base; the transport may still write it after its request was given up
	traced := httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { first.Store(int64(time.Since(d.platform.base))) },
	})
	request := d.platform.request(traced, in)
	sent := time.Now()
	// The transport itself, for http.Client would follow redirects.
	reply, err := d.platform.transport.RoundTrip(request)
	out := platform.Response{}
	if err == nil {
		out, err = d.platform.receive(reply, sent, in.WantBody)
	}
	if at := first.Load(); at != 0 {
		out.FirstByte = d.platform.base.Add(time.Duration(at))
	}
	if err != nil {
		return out, &platform.Error{Kind: kindOf(ctx, timed, err), Op: "invoke " + d.function, Err: err}
	}
	return out, nil
}

// request makes the HTTP request of one invocation.
func (p *Platform) request(ctx context.Context, in platform.Request) *http.Request {
	method, headers := p.options.Method, p.headers
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
	request := &http.Request{
		Method: method, URL: p.target, Host: p.host, Header: headers,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: body(method, in.Payload), ContentLength: int64(len(in.Payload)),
	}
	return request.WithContext(ctx)
}

// body is a request's body in a form that cannot be sent twice. The transport
// repeats a request when a reused connection turns out to be dead, even one
// that may have arrived, unless it has a body without a GetBody. A body that
// turns out to be empty is not sent with the methods that the transport repeats.
func body(method string, payload []byte) io.ReadCloser {
	repeated := method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
	if len(payload) == 0 && !repeated {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(payload))
}

// receive reads a reply to its end.
func (p *Platform) receive(reply *http.Response, sent time.Time, keep bool) (platform.Response, error) {
	out := platform.Response{Status: reply.StatusCode, Evidence: p.beacons.Judge(reply.Header, sent, time.Now())}
	var err error
	if keep {
		out.Body, err = io.ReadAll(reply.Body)
	} else {
		_, err = io.Copy(io.Discard, reply.Body)
	}
	reply.Body.Close()
	if err != nil {
		return out, fmt.Errorf("read the reply: %w", err)
	}
	if reply.StatusCode >= http.StatusBadRequest {
		return out, statusError(reply.StatusCode)
	}
	return out, nil
}

// statusError is a reply's status from 400 on.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("status %d %s", int(e), http.StatusText(int(e)))
}

func (e statusError) kind() sample.ErrorKind {
	switch {
	case e == http.StatusTooManyRequests:
		return sample.Throttled
	case e == http.StatusRequestTimeout || e == http.StatusGatewayTimeout:
		return sample.Timeout
	case e == http.StatusRequestEntityTooLarge:
		return sample.Payload
	case e >= http.StatusInternalServerError:
		return sample.Platform
	}
	return sample.Refused
}

// kindOf tells apart the caller's end, the request's time limit and the network's faults.
func kindOf(caller, timed context.Context, err error) sample.ErrorKind {
	if status, ok := errors.AsType[statusError](err); ok {
		return status.kind()
	}
	switch {
	case errors.Is(caller.Err(), context.Canceled):
		return sample.Cancelled
	case timed.Err() != nil:
		return sample.Timeout
	}
	return sample.Network
}
