// Package exchange owns one HTTP request of an adapter: sent once, its reply
// read to the end, and when what of it came.
//
// In: a transport and a request. Out: a [Reply], or a [*platform.Error] that
// says whether the caller went, time ran out or the network failed. It follows
// no redirect and repeats nothing; what a status means is its caller's to say.
package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/secret"
)

// Exchange is how a request is sent.
type Exchange struct {
	Op        string // "invoke hello"
	Transport http.RoundTripper
	Limit     time.Duration // for the whole of it, the reply's body included
	Keep      bool          // the whole of the reply's body, and not the beginning of an error's alone
	Secrets   *secret.Known // struck out of errors, which repeat what a broken reply says
}

// Reply is an answer, or as much of one as there was.
type Reply struct {
	Status    int // 0 where there was no answer
	Header    http.Header
	Body      []byte // where it was not to be kept, what an error's begins with
	Sent      time.Time
	FirstByte time.Time // zero where none came
	Arrived   time.Time // status and headers
}

// Do sends a request, whose context is replaced.
func (e *Exchange) Do(ctx context.Context, request *http.Request) (Reply, error) {
	timed, cancel := context.WithTimeout(ctx, e.Limit)
	defer cancel()
	var first atomic.Int64 // ns after sent; the transport may still write it after its request was given up
	sent := time.Now()
	traced := httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { first.Store(int64(time.Since(sent))) },
	})
	reply := Reply{Sent: sent}
	// The transport itself, for http.Client would follow redirects.
	response, err := e.Transport.RoundTrip(request.WithContext(traced))
	if err == nil {
		reply.Status, reply.Header, reply.Arrived = response.StatusCode, response.Header, time.Now()
		err = reply.read(response.Body, e.Keep)
	}
	if at := first.Load(); at != 0 {
		reply.FirstByte = sent.Add(time.Duration(at))
	}
	if err != nil {
		return reply, &platform.Error{Kind: kindOf(ctx, timed), Op: e.Op, Err: e.Secrets.Error(err)}
	}
	return reply, nil
}

// mostSkimmed is how much of an error's body is looked at, in bytes.
const mostSkimmed = 4 << 10

// read reads a body to its end.
func (r *Reply) read(body io.ReadCloser, keep bool) (err error) {
	defer body.Close()
	switch {
	case keep:
		r.Body, err = io.ReadAll(body)
	case r.Status >= http.StatusBadRequest:
		r.Body, err = io.ReadAll(io.LimitReader(body, mostSkimmed))
	}
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	if err != nil {
		return fmt.Errorf("read the reply: %w", err)
	}
	return nil
}

// kindOf tells apart the caller's end, the request's time limit and the network's faults.
func kindOf(caller, timed context.Context) sample.ErrorKind {
	switch {
	case errors.Is(caller.Err(), context.Canceled):
		return sample.Cancelled
	case timed.Err() != nil:
		return sample.Timeout
	}
	return sample.Network
}

// Body is a request's body in a form that cannot be sent twice. The transport
// repeats a request when a reused connection turns out to be dead, even one
// that may have arrived, unless it has a body without a GetBody. A body that
// turns out to be empty is not sent with the methods that the transport repeats.
func Body(method string, payload []byte) io.ReadCloser {
	repeated := method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
	if len(payload) == 0 && !repeated {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(payload))
}

// Transport is connections that are kept for as many requests as are in flight
// at a time, and ask for no compression.
func Transport() *http.Transport {
	return &http.Transport{
		DisableCompression:  true,
		ForceAttemptHTTP2:   true,    // a DialContext of one's own turns it off
		MaxIdleConnsPerHost: 1 << 16, // as many as can be in flight: the default of 2 would dial all the time
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	}
}

// IsLoopback says whether a URL is of this machine.
func IsLoopback(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}
