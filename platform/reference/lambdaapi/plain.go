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
// reader. A stranger's that does not come in one piece is not plain.
func (c *directConn) head() ([]byte, error) {
	for {
		if _, err := c.in.Peek(c.in.Buffered() + 1); errors.Is(err, bufio.ErrBufferFull) {
			return nil, notPlain("more than %d bytes before the body", headRoom)
		} else if err != nil {
			return nil, err
		}
		got, err := c.in.Peek(c.in.Buffered())
		if err != nil {
			return nil, err
		}
		if i := bytes.Index(got, headEnd); i >= 0 {
			return got[:i+len(headEnd)], nil
		}
		if c.direct.Other != nil {
			return nil, notPlain("its header comes in parts")
		}
	}
}

// parse reads a header and gives the body's length.
func (c *directConn) parse(head []byte, inv *invocation) (length int64, err error) {
	line, rest, _ := bytes.Cut(head, headEnd[:2])
	method, target, _ := bytes.Cut(line, []byte(" "))
	target, proto, _ := bytes.Cut(target, []byte(" "))
	if string(method) != http.MethodPost || string(proto) != "HTTP/1.1" {
		return 0, notPlain("%.80q", line)
	}
	if err := inv.target(string(target)); err != nil {
		return 0, err
	}
	length = -1
	hosts := 0
	for {
		line, rest, _ = bytes.Cut(rest, headEnd[:2])
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch known := plainHeader(name); {
		case !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") || known == "Connection" && !bytes.EqualFold(value, []byte("keep-alive")):
			return 0, notPlain("%.80q", line)
		case known == "Host":
			if hosts++; string(value) != c.host {
				if c.host = ""; !c.direct.Host(string(value)) {
					return 0, notPlain("%.80q", line)
				}
				c.host = string(value)
			}
		case known == "Content-Length":
			if length >= 0 {
				return 0, notPlain("two lengths")
			}
			if length, err = parseLength(value); err != nil {
				return 0, err
			}
		case wantsMore(known):
			return 0, notPlain("%.80q", line)
		case known != "":
			inv.heed(known, string(value))
		}
	}
	if length < 0 || hosts > 1 || hosts == 0 && c.direct.Other != nil {
		return 0, notPlain("no length, or not one host")
	}
	return length, nil
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

// plainHeader gives the canonical name of a header that is looked at, "" of one
// that is not.
func plainHeader(name []byte) string {
	for _, known := range [...]string{
		"Host", "Content-Length", "Connection",
		HeaderInvocationType, HeaderLogType, HeaderTraceID, HeaderClientContext,
		HeaderConsumer, HeaderStage, HeaderTrigger,
		"Transfer-Encoding", "Expect", "Upgrade", "Origin", "Sec-Fetch-Site",
	} {
		if len(known) == len(name) && strings.EqualFold(known, string(name)) {
			return known
		}
	}
	return ""
}

// wantsMore says whether a header asks for more than a plain invocation, or is
// one that web pages' requests carry.
func wantsMore(known string) bool {
	switch known {
	case "Transfer-Encoding", "Expect", "Upgrade", "Origin", "Sec-Fetch-Site":
		return true
	}
	return false
}
