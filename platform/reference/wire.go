package reference

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
	"github.com/coldcurve/coldcurve/platform/reference/peer"
)

// wire is the invocations' way to the runtime: persistent connections, each
// with one request at a time, written and read by the goroutine that wants the
// answer. http.Transport hands every request through two goroutines of its
// own, whose wake-ups showed as a tenth of a warm start; it may also send a
// request twice.
//
// It understands what lambdaapi.Direct answers, which always tells its length, and no
// more of HTTP.
type wire struct {
	addr string // of a unix socket

	mu     sync.Mutex
	idle   []*conn // last used last, and taken first
	closed bool
}

// conn is one connection.
type conn struct {
	net.Conn
	in       *bufio.Reader
	out      []byte // the request, built anew in place
	instance string // the last that served, most often the next too
}

// reply is an answer off the wire.
type reply struct {
	status    int
	body      []byte
	firstByte time.Time

	errorType     string // lambdaapi.HeaderErrorType
	functionError bool   // lambdaapi.HeaderFunctionError is there
	last          bool   // nothing can follow it on its connection
	kind          sample.ErrorKind
	start         sample.Start // Unknown if nothing of it is told
	instance      string
	truth         engine.Truth
	billed        time.Duration
	lastWords     []byte // of a function that failed
}

var errMalformed = errors.New("malformed answer")

func newWire(addr string) *wire { return &wire{addr: addr} }

// dialOwn connects to a unix socket that this process's user listens on. When
// the child has died, its name is anybody's to take.
func dialOwn(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	c, err := dialer.DialContext(ctx, "unix", addr)
	if err != nil {
		return nil, err
	}
	if err := peer.Check(c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// head is the request up to the content's type and length, which do not change
// between a deployment's requests.
func head(path string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n"
}

// breaks says that a header's value would end its line.
func breaks(values ...string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "\r\n\x00") })
}

// send makes one request and reads its answer. When ctx ends before that, the
// connection is given up, by which the runtime learns that nobody waits.
func (w *wire) send(ctx context.Context, head, contentType string, request *platform.Request) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, err
	}
	if breaks(contentType, request.Consumer, request.Stage, request.Trigger) {
		return reply{}, errors.New("a content type, consumer, stage or trigger with a line break")
	}
	c, err := w.take(ctx)
	if err != nil {
		return reply{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	r, err := c.exchange(head, contentType, request)
	if stop() && err == nil && !r.last {
		w.put(c)
	} else {
		_ = c.Close()
	}
	return r, err
}

func (w *wire) take(ctx context.Context) (*conn, error) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		c := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		return c, nil
	}
	w.mu.Unlock()
	nc, err := dialOwn(ctx, w.addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: nc, in: bufio.NewReaderSize(nc, 4<<10)}, nil
}

func (w *wire) put(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		_ = c.Close()
		return
	}
	w.idle = append(w.idle, c)
}

func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, c := range w.idle {
		_ = c.Close()
	}
	w.idle = nil
}

// smallPayload is what is copied behind the head, so that most requests are
// one write and one packet.
const smallPayload = 16 << 10

// exchange writes the request and reads the answer.
func (c *conn) exchange(head, contentType string, request *platform.Request) (reply, error) {
	payload := request.Payload
	c.out = append(c.out[:0], head...)
	c.header("Content-Type", contentType)
	c.header(lambdaapi.HeaderConsumer, request.Consumer)
	c.header(lambdaapi.HeaderStage, request.Stage)
	c.header(lambdaapi.HeaderTrigger, request.Trigger)
	c.out = append(c.out, "Content-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(payload)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	var err error
	if len(payload) <= smallPayload {
		c.out = append(c.out, payload...)
		_, err = c.Write(c.out)
	} else {
		parts := net.Buffers{c.out, payload}
		_, err = parts.WriteTo(c.Conn)
	}
	// A request that was refused half-way has an answer all the same, which is
	// why the write's failure counts only without one.
	r, readErr := c.read()
	r.last = r.last || err != nil
	if readErr != nil && err != nil {
		return r, err
	}
	if err != nil && r.status/100 == 2 {
		return r, err
	}
	return r, readErr
}

// read reads one answer.
func (c *conn) read() (r reply, err error) {
	if _, err := c.in.Peek(1); err != nil {
		return r, err
	}
	r.firstByte = time.Now()
	line, err := c.line()
	if err != nil {
		return r, err
	}
	proto, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	if r.status, err = strconv.Atoi(string(code)); err != nil || string(proto) != "HTTP/1.1" {
		return r, fmt.Errorf("%w: status line %.80q", errMalformed, line)
	}
	length := -1
	for {
		if line, err = c.line(); err != nil {
			return r, err
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(": "))
		if !ok {
			return r, fmt.Errorf("%w: header line %.80q", errMalformed, line)
		}
		if string(name) == "Content-Length" {
			length, err = strconv.Atoi(string(value))
		} else {
			err = c.take(&r, name, value)
		}
		if err != nil {
			return r, fmt.Errorf("%w: header %s: %w", errMalformed, name, err)
		}
	}
	if length < 0 {
		return r, fmt.Errorf("%w: no length", errMalformed)
	}
	r.body = make([]byte, length)
	_, err = io.ReadFull(c.in, r.body)
	return r, err
}

// line gives the next line, without its end, valid until the next read.
func (c *conn) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

// header adds a header to the request, if there is anything in it.
func (c *conn) header(name, value string) {
	if value != "" {
		c.out = append(append(append(append(c.out, name...), ": "...), value...), "\r\n"...)
	}
}

// take takes what one of the answer's headers tells.
func (c *conn) take(r *reply, name, value []byte) (err error) {
	switch string(name) {
	case "Connection":
		r.last = string(value) == "close"
	case lambdaapi.HeaderErrorType:
		r.errorType = string(value)
	case lambdaapi.HeaderFunctionError:
		r.functionError = true
	case lambdaapi.HeaderErrorKind:
		r.kind, err = sample.ParseErrorKind(string(value))
	case lambdaapi.HeaderStart:
		r.start, err = sample.ParseStart(string(value))
	case lambdaapi.HeaderInstance:
		if c.instance != string(value) {
			c.instance = string(value)
		}
		r.instance = c.instance
	case lambdaapi.HeaderTruth:
		r.truth, err = engine.ParseTruth(string(value))
	case lambdaapi.HeaderBilled:
		var ns int64
		ns, err = strconv.ParseInt(string(value), 10, 64)
		r.billed = time.Duration(ns)
	case lambdaapi.HeaderLastWords:
		r.lastWords, err = base64.StdEncoding.DecodeString(string(value))
	}
	return err
}
