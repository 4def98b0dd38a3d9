package http

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/platform"
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

// Invoke sends one request and reads its reply to the end. Redirects are
// answers.
func (d *deployment) Invoke(ctx context.Context, in platform.Request) (platform.Response, error) {
	timed, cancel := context.WithTimeout(ctx, d.platform.options.Timeout)
	defer cancel()
	var first atomic.Int64 // since base; the transport may still write it after its request was given up
	traced := httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { first.Store(int64(time.Since(d.platform.base))) },
	})
	request := d.request(traced, in)
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
func (d *deployment) request(ctx context.Context, in platform.Request) *http.Request {
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
	request := &http.Request{
		Method: method, URL: d.target, Host: d.host, Header: headers,
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
	out := platform.Response{Status: reply.StatusCode, Evidence: p.judge(reply.Header, sent, time.Now())}
	failed := reply.StatusCode >= http.StatusBadRequest
	var read []byte
	var err error
	switch {
	case keep:
		read, err = io.ReadAll(reply.Body)
		out.Body = read
	case failed:
		read, err = skim(reply.Body)
	default:
		_, err = io.Copy(io.Discard, reply.Body)
	}
	reply.Body.Close()
	if err != nil {
		return out, fmt.Errorf("read the reply: %w", err)
	}
	if failed {
		return out, p.failure(reply, read)
	}
	return out, nil
}
