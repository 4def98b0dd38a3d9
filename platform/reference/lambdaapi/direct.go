package lambdaapi

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

// Direct serves plain invocations the short way: the same HTTP/1.1 on the wire
// as from a [Handler], without what net/http does for strangers. One goroutine
// reads a request, invokes and writes the answer in one piece; net/http has
// another one watch the connection meanwhile, whose start doubled the round trip
// on two cores (145 us against 73 us, measured with an empty handler).
//
// A plain invocation is a POST to an invocations path whose header comes in one
// piece and tells the body's length. A connection on which anything else is
// asked is handed on with what has been read of it, and if there is nobody to
// hand it to, the request is refused. Requests are not checked for signatures:
// it is for listeners whose callers are known.
type Direct struct {
	DirectOptions

	mu       sync.Mutex
	listener net.Listener
	conns    map[*directConn]struct{}
	closed   bool
	serving  sync.WaitGroup
}

// DirectOptions are how a Direct is made.
type DirectOptions struct {
	Handler *Handler // required; whose operations these are
	// Other gets the connections on which something else than a plain invocation
	// is asked. With it the callers are anybody's programs: payloads have to be
	// JSON, as Lambda has it, and hosts what Host lets pass. Without it they are
	// coldcurve's own client: payloads are not looked at, and the end of what a
	// failed function has printed goes back in HeaderLastWords. The default is nobody.
	Other func(net.Conn)
	// Host says whether a request may be meant for a host; one that may not is
	// Other's. The default lets all pass.
	Host func(host string) bool
	// First and Idle are how long a connection may be silent before its first
	// request and before others. The default is for ever.
	First, Idle time.Duration
}

// NewDirect makes a Direct.
func NewDirect(o DirectOptions) *Direct {
	if o.Host == nil {
		o.Host = func(string) bool { return true }
	}
	return &Direct{DirectOptions: o, conns: make(map[*directConn]struct{})}
}

// Serve answers on l until Close, after which it returns nil.
func (d *Direct) Serve(l net.Listener) error {
	d.mu.Lock()
	d.listener = l
	d.mu.Unlock()
	for {
		nc, err := l.Accept()
		if err != nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.closed || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		c := &directConn{Conn: nc, direct: d, in: bufio.NewReaderSize(nc, headRoom)}
		if d.add(c) {
			go d.serve(c)
		}
	}
}

// headRoom is what a plain invocation's header fits into. The AWS SDKs send
// about 1 KiB.
const headRoom = 4 << 10

// serve serves a connection to its end, or to where it is handed on.
func (d *Direct) serve(c *directConn) {
	if handed := c.serve(); !handed {
		_ = c.Close()
		d.drop(c)
		return
	}
	d.drop(c)
	_ = c.SetReadDeadline(time.Time{})
	d.Other(&handedConn{Conn: c.Conn, in: c.in})
}

// handedConn is a connection of which something has been read.
type handedConn struct {
	net.Conn
	in *bufio.Reader
}

func (c *handedConn) Read(p []byte) (int, error) {
	if c.in.Buffered() > 0 {
		return c.in.Read(p)
	}
	return c.Conn.Read(p)
}

// lastAnswers is how long Close lets callers take for answers that are ready.
const lastAnswers = 3 * time.Second

// Close closes the listener and the connections that are between requests, and
// waits until the others have written their answers. It is called after the
// Runtime's own Close, which ends what is being served.
func (d *Direct) Close() error {
	d.mu.Lock()
	d.closed = true
	var err error
	if d.listener != nil {
		err = d.listener.Close()
	}
	for c := range d.conns {
		c.shut()
	}
	d.mu.Unlock()
	d.serving.Wait()
	return err
}

func (d *Direct) add(c *directConn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		_ = c.Close()
		return false
	}
	d.conns[c] = struct{}{}
	d.serving.Add(1)
	return true
}

func (d *Direct) drop(c *directConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
	d.serving.Done()
}

// directConn is one connection, with one request at a time.
type directConn struct {
	net.Conn
	direct *Direct
	in     *bufio.Reader
	out    []byte    // the answer's head, built anew in place
	last   bool      // nothing can follow the answer
	host   string    // the last that was let pass
	silent time.Time // until when it may be; the zero time if there is no deadline set

	mu        sync.Mutex
	answering bool // a request is there whose answer is not written
	closing   bool // there will be no other
}

// serve answers requests until the caller goes or writes what is not a plain
// invocation: handed says that somebody else is to read on, from there.
func (c *directConn) serve() (handed bool) {
	own := c.direct.Other == nil
	c.expect(c.direct.First)
	for {
		inv, err := c.read()
		if !c.turn(true) {
			return false
		}
		switch {
		case errors.Is(err, errNotPlain) && !own:
			return c.turn(false)
		case errors.Is(err, errNotPlain), isRefusal(err):
			_ = c.refuse(err)
			return false
		case err != nil:
			return false
		}
		if !own {
			err = checkPayload(inv.payload)
		}
		var status int
		var out engine.Outcome
		if err == nil {
			caller := &caller{Context: context.Background(), conn: c}
			status, out, err = c.direct.Handler.run(caller, &inv)
			if caller.end() != nil {
				return false
			}
		}
		if c.answer(status, &out, err) != nil || !c.turn(false) {
			return false
		}
		c.expect(c.direct.Idle)
	}
}

// expect lets the connection be silent for so long at least, and not for much
// longer: a deadline that is good for half of it is not set again.
func (c *directConn) expect(silence time.Duration) {
	if silence == 0 {
		return
	}
	if now := time.Now(); c.silent.Sub(now) < silence/2 {
		c.silent = now.Add(silence)
		_ = c.SetReadDeadline(c.silent)
	}
}

// turn notes that a request is there, or that it has its answer. It is false
// if the connection is to end with that.
func (c *directConn) turn(answering bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answering = answering
	return !c.closing
}

// shut ends the connection, or lets it end with the answer that it owes.
func (c *directConn) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	if c.answering {
		_ = c.SetWriteDeadline(time.Now().Add(lastAnswers))
	} else {
		_ = c.Close()
	}
}

// answer writes the outcome, or the refusal beside what evidence there is.
func (c *directConn) answer(status int, out *engine.Outcome, err error) error {
	c.out = append(c.out[:0], "HTTP/1.1 "...)
	body := out.Body
	if err == nil {
		c.appendStatus(status)
	} else {
		words := wordingOf(err)
		status, body = words.Status, words.document()
		c.appendStatus(status)
		c.appendHeader(HeaderErrorType, words.Exception)
		c.appendHeader(HeaderErrorKind, words.kind.String())
	}
	eachEvidence(out, c.appendHeader)
	if out.Start == sample.Unknown { // there was none
		c.appendHeader(HeaderRequestID, cmp.Or(out.RequestID, engine.NewRequestID()))
	}
	if len(out.LastWords) > 0 && c.direct.Other == nil {
		c.appendHeader(HeaderLastWords, base64.StdEncoding.EncodeToString(out.LastWords))
	}
	if c.last {
		c.appendHeader("Connection", "close")
	}
	if status != http.StatusNoContent {
		c.out = append(c.out, "Content-Type: application/json\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
		c.out = append(c.out, "\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
	if len(body) <= smallBody {
		_, err := c.Write(append(c.out, body...))
		return err
	}
	parts := net.Buffers{c.out, body}
	_, err = parts.WriteTo(c.Conn)
	return err
}

// smallBody is what is copied behind the head, so that most answers are one
// write.
const smallBody = 16 << 10

// refuse answers a request that has not been read to its end.
func (c *directConn) refuse(err error) error {
	c.last = true
	return c.answer(0, &engine.Outcome{}, err)
}

func (c *directConn) appendStatus(status int) {
	c.out = strconv.AppendInt(c.out, int64(status), 10)
	c.out = append(append(append(c.out, ' '), http.StatusText(status)...), "\r\n"...)
}

func (c *directConn) appendHeader(name, value string) {
	c.out = append(append(append(append(c.out, name...), ": "...), value...), "\r\n"...)
}

// caller is a request's context. It ends when its connection does, but the
// connection is watched only from the first call of Done on, which is made
// only for a request that has to wait.
type caller struct {
	context.Context
	conn    *directConn
	gone    chan struct{} // closed when the caller has gone
	watched chan struct{} // closed when the watch is over
	err     error         // why the caller is gone; set before gone is closed
}

// Done starts the watch. It is called by the request's own goroutine.
func (c *caller) Done() <-chan struct{} {
	if c.gone != nil {
		return c.gone
	}
	c.gone, c.watched = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(c.watched)
		_, err := c.conn.in.Peek(1)
		if err == nil {
			return
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return // end has told it to stop
		}
		c.err = context.Canceled
		close(c.gone)
	}()
	return c.gone
}

// Err is nil while the caller is there.
func (c *caller) Err() error {
	if c.gone == nil {
		return nil
	}
	select {
	case <-c.gone:
		return c.err
	default:
		return nil
	}
}

// end ends the watch, if there is one, and gives an error if the caller is gone.
func (c *caller) end() error {
	if c.gone == nil {
		return nil
	}
	_ = c.conn.SetReadDeadline(time.Unix(1, 0))
	<-c.watched
	if err := c.Err(); err != nil {
		return err
	}
	c.conn.silent = time.Time{}
	return c.conn.SetReadDeadline(time.Time{})
}
