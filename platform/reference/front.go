package reference

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// front is what callers meet: the API's listener, and the one of this package's
// client for its invocations.
//
// Over loopback TCP, where the callers are this user's own programs, plain
// invocations go the short way of lambdaapi.Direct, and whatever else is asked
// is handed to net/http, with its connection. With keys or TLS, and on the
// child's unix socket, all of it is net/http's.
type front struct {
	http    *http.Server
	api     net.Listener
	inherit net.Listener // the client's; nil for none
	own     *lambdaapi.Direct
	public  *lambdaapi.Direct // nil where net/http has it all
	handed  *handed
	failed  chan error
}

func newFront(o ServeOptions, api *lambdaapi.Handler, own *urls, talk *log.Logger) *front {
	limits := o.limits()
	f := &front{
		api: o.API, inherit: o.Direct,
		own:    lambdaapi.NewDirect(lambdaapi.DirectOptions{Handler: api}),
		failed: make(chan error, 3),
	}
	var handler http.Handler = api
	if o.Keys == "" {
		handler = guarded(api)
	}
	if _, tcp := o.API.Addr().(*net.TCPAddr); tcp && o.Keys == "" && o.TLSCert == "" {
		f.handed = &handed{Listener: o.API, conns: make(chan net.Conn), closed: make(chan struct{})}
		f.public = lambdaapi.NewDirect(lambdaapi.DirectOptions{
			Handler: api, Other: f.handed.give, Host: ofThisMachine,
			First: limits.Header, Idle: limits.Idle,
		})
		handler = brief(handler)
	}
	f.http = &http.Server{
		Handler: own.besides(handler), ErrorLog: talk,
		ReadHeaderTimeout: limits.Header, IdleTimeout: limits.Idle, MaxHeaderBytes: int(limits.HeaderSize),
	}
	return f
}

// start begins to serve; what fails is told on failed.
func (f *front) start() {
	run := func(serve func(net.Listener) error, l net.Listener) {
		go func() {
			if err := serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
				f.failed <- err
			}
		}()
	}
	if f.public == nil {
		run(f.http.Serve, f.api)
	} else {
		run(f.public.Serve, f.api)
		run(f.http.Serve, f.handed)
	}
	if f.inherit != nil {
		run(f.own.Serve, f.inherit)
	}
}

// refuse stops new connections.
func (f *front) refuse() { _ = f.api.Close() }

// close lets the answers end that are ready, for a second.
func (f *front) close() error {
	err := f.own.Close()
	if f.public != nil {
		err = errors.Join(err, notClosedTwice(f.public.Close()))
	}
	flushed, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if f.http.Shutdown(flushed) != nil {
		_ = f.http.Close()
	}
	return err
}

func notClosedTwice(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// brief ends a connection that is used for anything but invocations: the next
// invocation on it would go the long way, and its caller would measure that.
func brief(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/invocations") {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// handed is the listener of connections that another has accepted.
type handed struct {
	net.Listener // for its address
	conns        chan net.Conn
	closing      sync.Once
	closed       chan struct{}
}

func (h *handed) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close()
	}
}

// Accept gives the next one.
func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close refuses what is given from now on.
func (h *handed) Close() error {
	h.closing.Do(func() { close(h.closed) })
	return nil
}
