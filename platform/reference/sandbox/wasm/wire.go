package wasm

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// The fields of heads. See the package's documentation.
const (
	lengthField    = "Content-Length"
	requestField   = "Lambda-Runtime-Aws-Request-Id"
	deadlineField  = "Lambda-Runtime-Deadline-Ms"
	functionField  = "Lambda-Runtime-Invoked-Function-Arn"
	traceField     = "Lambda-Runtime-Trace-Id"
	errorTypeField = "Lambda-Runtime-Function-Error-Type"
	bootedField    = "X-Coldcurve-Booted"
)

// mostHead bounds an answer's head.
const mostHead = 4 << 10

// requestHead is what a module reads before a payload.
func requestHead(inv *sandbox.Invocation, arn string) []byte {
	h := make([]byte, 0, 512)
	h = field(h, lengthField, strconv.Itoa(len(inv.Payload)))
	h = field(h, requestField, inv.RequestID)
	h = field(h, deadlineField, strconv.FormatInt(inv.Deadline.UnixMilli(), 10))
	h = field(h, functionField, arn)
	if inv.TraceID != "" {
		h = field(h, traceField, inv.TraceID)
	}
	return append(h, '\n')
}

// field appends a line. A value comes from callers: what would end the line
// early becomes a space.
func field(h []byte, name, value string) []byte {
	h = append(append(h, name...), ": "...)
	for i := range len(value) {
		if value[i] < ' ' {
			h = append(h, ' ')
		} else {
			h = append(h, value[i])
		}
	}
	return append(h, '\n')
}

// answer is what a module wrote: an answer to a request, a failure of init, or
// the instant at which it booted.
type answer struct {
	body      []byte
	errorType string // "" for a success
	booted    int64
	tooLarge  bool // body is empty: it exceeded the limit and was skipped
}

// answers reads a module's stdout, which comes in pieces of any size.
type answers struct {
	most int64 // bytes of a body

	head    []byte // of the answer that comes, while its end has not been seen
	body    []byte
	missing int64 // bytes of the body, once the head is read
	inBody  bool
	current answer
}

// begun says whether part of an answer has been written.
func (a *answers) begun() bool { return a.inBody || len(a.head) > 0 }

// write takes bytes, up to the end of an answer. It gives what it has not
// taken, and the answer if there is one.
func (a *answers) write(p []byte) (rest []byte, complete bool, err error) {
	if !a.inBody {
		if p, err = a.writeHead(p); err != nil || !a.inBody {
			return nil, false, err
		}
	}
	n := min(int64(len(p)), a.missing)
	if !a.current.tooLarge {
		a.body = append(a.body, p[:n]...)
	}
	if a.missing -= n; a.missing > 0 {
		return nil, false, nil
	}
	return p[n:], true, nil
}

// take gives the answer that write has told of.
func (a *answers) take() answer {
	got := a.current
	got.body = a.body
	*a = answers{most: a.most, head: a.head[:0]}
	return got
}

// writeHead takes bytes up to the empty line.
func (a *answers) writeHead(p []byte) (rest []byte, err error) {
	from := max(0, len(a.head)-2)
	room := max(0, mostHead-len(a.head))
	had := len(a.head)
	a.head = append(a.head, p[:min(len(p), room)]...)
	end, after := endOfHead(a.head[from:])
	if end < 0 {
		if len(p) >= room {
			return nil, fmt.Errorf("the head of an answer exceeds %d bytes", mostHead)
		}
		return nil, plausible(a.head)
	}
	if err := a.parse(string(a.head[:from+end])); err != nil {
		return nil, err
	}
	a.inBody = true
	return p[from+after-had:], nil
}

// endOfHead finds the line end before an empty line, and what follows it.
func endOfHead(p []byte) (end, after int) {
	short, long := bytes.Index(p, []byte("\n\n")), bytes.Index(p, []byte("\n\r\n"))
	if long >= 0 && (short < 0 || long < short) {
		return long, long + 3
	}
	return short, short + 2
}

// plausible refuses early what is no head, most likely a print to stdout.
func plausible(head []byte) error {
	line, _, whole := bytes.Cut(head, []byte("\n"))
	if whole && !bytes.Contains(line, []byte(":")) {
		return notAField(string(line))
	}
	return nil
}

func notAField(line string) error {
	return fmt.Errorf("stdout is for answers (logs go to stderr): %.80q is not a field of an answer's head", line)
}

func (a *answers) parse(head string) error {
	a.missing = -1
	for line := range strings.SplitSeq(head, "\n") {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		if !ok {
			return notAField(line)
		}
		if err := a.set(name, strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	if a.missing < 0 {
		return errors.New("the head of an answer has no " + lengthField)
	}
	if a.missing > a.most {
		a.current.tooLarge = true
	} else {
		a.body = make([]byte, 0, a.missing)
	}
	return nil
}

func (a *answers) set(name, value string) (err error) {
	switch {
	case strings.EqualFold(name, lengthField):
		a.missing, err = strconv.ParseInt(value, 10, 64)
		if err != nil || a.missing < 0 {
			return fmt.Errorf("%s %.40q is not a number of bytes", lengthField, value)
		}
	case strings.EqualFold(name, errorTypeField):
		a.current.errorType = value
	case strings.EqualFold(name, bootedField):
		a.current.booted, err = strconv.ParseInt(value, 10, 64)
		if err != nil || a.current.booted < 0 {
			return fmt.Errorf("%s %.40q is not a time in nanoseconds", bootedField, value)
		}
	}
	return nil
}
