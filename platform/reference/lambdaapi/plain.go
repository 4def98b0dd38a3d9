package lambdaapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// errNotPlain is that a request is not a plain invocation. Nothing of it has
// been taken out of the reader then.
var errNotPlain = &catalog.Error{
	Exception: invalidContent, Status: http.StatusBadRequest,
	Message: "The request is not a plain invocation",
}

func notPlain(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errNotPlain, fmt.Sprintf(format, args...))
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*catalog.Error](err)
	return ok
}

// read reads one request.
func (c *directConn) read() (inv invocation, err error) {
	head, err := c.head()
	if err != nil {
		return inv, err
	}
	length, err := c.parse(head, &inv)
	if err != nil {
		return inv, err
	}
	if limit := int64(c.direct.Handler.Runtime.Limits().Payload); length > limit {
		if c.direct.Other != nil {
			return inv, notPlain("%d bytes", length)
		}
		return inv, tooLarge(limit, "InvokeFunction")
	}
	if _, err := c.in.Discard(len(head)); err != nil || length == 0 {
		return inv, err
	}
	inv.payload = make([]byte, length)
	if int64(c.in.Buffered()) < length {
		c.expectBody()
	}
	_, err = io.ReadFull(c.in, inv.payload)
	return inv, err
}

// expectBody gives the rest of a body its time.
func (c *directConn) expectBody() {
	if limit := c.direct.Handler.Limits.BodyTime; c.direct.Other != nil {
		c.silent = time.Now().Add(limit)
		_ = c.SetReadDeadline(c.silent)
	}
}

var headEnd = []byte("\r\n\r\n")

// head gives a request's header up to its empty line, which stays in the
// reader. A stranger's that does not come in one piece is not plain. What came
// behind the request before is looked at first: a caller that has sent two at
// once sends no more until it has the answers.
func (c *directConn) head() ([]byte, error) {
	for {
		got, err := c.in.Peek(c.in.Buffered())
		if err != nil {
			return nil, err
		}
		if i := bytes.Index(got, headEnd); i >= 0 {
			return got[:i+len(headEnd)], nil
		}
		if len(got) > 0 && c.direct.Other != nil {
			return nil, notPlain("its header comes in parts")
		}
		if _, err := c.in.Peek(len(got) + 1); errors.Is(err, bufio.ErrBufferFull) {
			return nil, notPlain("more than %d bytes before the body", headRoom)
		} else if err != nil {
			return nil, err
		}
	}
}

// parse reads a header and gives the body's length.
func (c *directConn) parse(head []byte, inv *invocation) (length int64, err error) {
	line, rest, _ := bytes.Cut(head, headEnd[:2])
	method, target, _ := bytes.Cut(line, []byte(" "))
	target, proto, _ := bytes.Cut(target, []byte(" "))
	if string(method) != http.MethodPost || string(proto) != "HTTP/1.1" || !isText(target) || bytes.IndexByte(target, '\t') >= 0 {
		return 0, notPlain("%.80q", line)
	}
	if err := inv.target(string(target)); err != nil {
		return 0, err
	}
	length = -1
	var seen [len(plainHeaders)]bool
	for {
		line, rest, _ = bytes.Cut(rest, headEnd[:2])
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !isToken(name) || !isText(value) {
			return 0, notPlain("%.80q", line)
		}
		at := plainHeader(name)
		if at < 0 {
			continue
		}
		if seen[at] { // net/http has its own opinion of which one counts
			return 0, notPlain("twice %s", name)
		}
		seen[at] = true
		if length, err = c.heed(inv, plainHeaders[at], bytes.Trim(value, " \t"), length); err != nil {
			return 0, err
		}
	}
	if length < 0 || !seen[hostHeader] && c.direct.Other != nil {
		return 0, notPlain("no length or no host")
	}
	return length, nil
}

// heed takes what a header says that is looked at, and gives the body's length
// as far as it is known.
func (c *directConn) heed(inv *invocation, name string, value []byte, length int64) (int64, error) {
	switch name {
	case "Host":
		if string(value) != c.host {
			if c.host = ""; !c.direct.Host(string(value)) {
				return 0, notPlain("Host %.80q", value)
			}
			c.host = string(value)
		}
	case "Content-Length":
		return parseLength(value)
	case "Connection":
		if !bytes.EqualFold(value, []byte("keep-alive")) {
			return 0, notPlain("Connection %.80q", value)
		}
	case "Transfer-Encoding", "Expect", "Upgrade", "Origin", "Sec-Fetch-Site":
		// More than a plain invocation, or a web page's.
		return 0, notPlain("%s %.80q", name, value)
	default:
		inv.heed(name, string(value))
	}
	return length, nil
}

// isToken says whether a header's name is one (RFC 9110, section 5.6.2). What
// is none, net/http refuses: a space before the colon is how a header is
// smuggled past whoever reads it otherwise.
func isToken(name []byte) bool {
	for _, b := range name {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_':
		case bytes.IndexByte([]byte("!#$%&'*+.^`|~"), b) < 0:
			return false
		}
	}
	return len(name) > 0
}

// isText says whether a header's value is free of control characters. A line
// feed alone ends a line for net/http, and would begin a header of its own on
// the way to the function, which is told the trace.
func isText(value []byte) bool {
	for _, b := range value {
		if b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

func parseLength(digits []byte) (int64, error) {
	for _, b := range digits {
		if b < '0' || b > '9' {
			return 0, notPlain("length %.20q", digits)
		}
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, notPlain("length %.20q", digits)
	}
	return n, nil
}

// target reads a request's target, such as
// /2015-03-31/functions/hello/invocations?Qualifier=live.
func (inv *invocation) target(target string) (err error) {
	path, query, _ := strings.Cut(target, "?")
	name, ok := strings.CutPrefix(path, "/2015-03-31/functions/")
	if ok {
		name, ok = strings.CutSuffix(name, "/invocations")
	}
	if !ok || strings.Contains(name, "/") {
		return notPlain("%.80q", target)
	}
	if inv.name, err = url.PathUnescape(name); err != nil {
		return notPlain("%.80q", target)
	}
	if query == "" {
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return notPlain("%.80q", target)
	}
	inv.qualifier = values.Get("Qualifier")
	return nil
}

// plainHeaders are the canonical names of those that are looked at.
var plainHeaders = [...]string{
	hostHeader: "Host", "Content-Length", "Connection",
	HeaderInvocationType, HeaderLogType, HeaderTraceID, HeaderClientContext,
	HeaderConsumer, HeaderStage, HeaderTrigger,
	"Transfer-Encoding", "Expect", "Upgrade", "Origin", "Sec-Fetch-Site",
}

const hostHeader = 0

// plainHeader gives a header's place among them, -1 of one that is not looked at.
func plainHeader(name []byte) int {
	for i, known := range plainHeaders {
		if len(known) == len(name) && strings.EqualFold(known, string(name)) {
			return i
		}
	}
	return -1
}
