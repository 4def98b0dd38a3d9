package runtimeapi

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/coldcurve/coldcurve/fixtures/clients/lambdago/socket"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

const (
	// maxHeader bounds what a request may send before its body, so that a
	// function cannot fill our memory with a header.
	maxHeader = 1 << 20
	// socketRoom is what a loopback socket takes without its reader's help. A
	// larger write may block, so it gets a deadline; a smaller one does
	// without the timer.
	socketRoom = 64 << 10
	// noTrace is a well-formed trace that leads nowhere. Clients (Node.js's
	// among them) fail on a missing header.
	noTrace = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"
)

// conn is one connection of a function's runtime client. Its serving goroutine
// alone reads; a parked poll is written to by whoever calls Hand.
type conn struct {
	net     net.Conn
	in      *bufio.Reader
	allowed int64  // bytes that may still be read
	out     []byte // of the serving goroutine
	work    []byte // of whoever hands over an invocation
	last    bool   // the connection closes after the next answer
	chain   chain
	worked  chain // as of the poll that waits, for whoever hands over an invocation
}

// chain is what is agreed with a client that wants to send its next poll right
// behind an answer: it gets the receipt with its next work. That is one segment
// each way for an invocation, and the client is woken once.
type chain struct {
	asked   bool // by this poll
	granted bool // with the work that answered one before
	owed    bool // a receipt, before the next answer
}

func newConn(nc net.Conn) *conn {
	c := &conn{net: socket.Lean(nc)}
	c.in = bufio.NewReaderSize(bounded{c}, 4<<10)
	return c
}

// bounded reads from a connection as far as allowed.
type bounded struct{ c *conn }

func (b bounded) Read(p []byte) (int, error) {
	if b.c.allowed <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	p = p[:min(int64(len(p)), b.c.allowed)]
	n, err := b.c.net.Read(p)
	b.c.allowed -= int64(n)
	return n, err
}

func (c *conn) close() { _ = c.net.Close() }

// writeInvocation answers a poll, in one write where the payload is small. The
// instance's next request may be served before the write has returned, so
// nothing of c that the serving goroutine uses is touched after it.
func (c *conn) writeInvocation(inv *sandbox.Invocation, arn string) error {
	trace := inv.TraceID
	if trace == "" {
		trace = noTrace
	}
	last := c.last
	b := append(begin(c.work, c.worked.owed), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	b = append(b, inv.RequestID...)
	b = append(b, "\r\nLambda-Runtime-Deadline-Ms: "...)
	b = strconv.AppendInt(b, inv.Deadline.UnixMilli(), 10)
	b = append(b, "\r\nLambda-Runtime-Invoked-Function-Arn: "...)
	b = append(b, arn...)
	if inv.Qualifier != "" {
		b = append(append(b, ':'), inv.Qualifier...)
	}
	b = append(b, "\r\nLambda-Runtime-Trace-Id: "...)
	b = append(b, trace...)
	if len(inv.ClientContext) > 0 {
		b = append(b, "\r\nLambda-Runtime-Client-Context: "...)
		b = appendLine(b, inv.ClientContext)
	}
	if c.worked.asked {
		b = append(b, "\r\n"+chainHeader+": yes"...)
	}
	b = c.endHeader(b, len(inv.Payload))
	var err error
	if len(inv.Payload) <= socketRoom {
		b = append(b, inv.Payload...)
		c.work = b
		_, err = c.net.Write(b)
	} else {
		_ = c.net.SetWriteDeadline(inv.Deadline)
		_, err = (&net.Buffers{b, inv.Payload}).WriteTo(c.net)
		_ = c.net.SetWriteDeadline(time.Time{})
	}
	if last {
		c.close()
	}
	return err
}

// appendLine appends a JSON document as one line of a header. Its control
// characters can only be white space between tokens, or it is no JSON.
func appendLine(b, document []byte) []byte {
	for _, c := range document {
		if c < ' ' {
			c = ' '
		}
		b = append(b, c)
	}
	return b
}

// writeDocument answers a stem. Like writeInvocation it is called by whoever
// has what the call has waited for.
func (c *conn) writeDocument(document []byte) error {
	last := c.last
	b := append(c.work[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json"...)
	b = c.endHeader(b, len(document))
	c.work = append(b, document...)
	_, err := c.net.Write(c.work)
	if last {
		c.close()
	}
	return err
}

// write answers with a status line ("202 Accepted") and a JSON body.
func (c *conn) write(status, body string) error {
	b := append(begin(c.out, c.chain.owed), "HTTP/1.1 "...)
	c.chain.owed = false
	b = append(b, status...)
	b = append(b, "\r\nContent-Type: application/json"...)
	b = c.endHeader(b, len(body))
	b = append(b, body...)
	_, err := c.net.Write(b)
	c.out = b[:0]
	if c.last {
		c.close()
	}
	return err
}

// begin empties a buffer for an answer, but for the receipt that goes before.
func begin(b []byte, owed bool) []byte {
	if owed {
		return append(b[:0], receipt...)
	}
	return b[:0]
}

// wait notes what the answer to a poll has to begin with.
func (c *conn) wait() {
	c.worked = c.chain
	c.chain.granted = c.chain.granted || c.chain.asked
	c.chain.asked, c.chain.owed = false, false
}

// accept gives the receipt for an answer: at once, or with the next answer if
// the client waits for that already.
func (c *conn) accept() error {
	if c.chain.granted && !c.last && c.in.Buffered() > 0 {
		c.chain.owed = true
		return nil
	}
	return c.write("202 Accepted", accepted)
}

const (
	accepted = `{"status":"OK"}` + "\n"
	// receipt is as write has it.
	receipt = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n" + accepted
)

func (c *conn) endHeader(b []byte, length int) []byte {
	if c.last {
		b = append(b, "\r\nConnection: close"...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	return append(b, "\r\n\r\n"...)
}
