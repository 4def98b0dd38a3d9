package wasm

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// feed writes a stream in pieces of that size.
func feed(stream []byte, piece int, most int64) (got []string, err error) {
	a := &answers{most: most}
	for len(stream) > 0 {
		p := stream[:min(piece, len(stream))]
		stream = stream[len(p):]
		for len(p) > 0 {
			rest, complete, err := a.write(p)
			if err != nil {
				return got, err
			}
			if complete {
				one := a.take()
				got = append(got, fmt.Sprintf("%q %q %d %t", one.body, one.errorType, one.booted, one.tooLarge))
			}
			p = rest
		}
	}
	if a.begun() {
		got = append(got, "...")
	}
	return got, nil
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		stream string
		want   []string
	}{
		{"Content-Length: 2\n\nhi", []string{`"hi" "" 0 false`}},
		{"Content-Length: 0\n\nContent-Length: 1\n\nx", []string{`"" "" 0 false`, `"x" "" 0 false`}},
		{"content-length:2\r\nOther: thing\r\n\r\nhi", []string{`"hi" "" 0 false`}},
		{"Content-Length: 4\r\n\r\n\n\n\n\n", []string{`"\n\n\n\n" "" 0 false`}},
		{"X-Coldcurve-Booted: 17\nContent-Length: 0\n\n", []string{`"" "" 17 false`}},
		{"Lambda-Runtime-Function-Error-Type: Shop.NoStock\nContent-Length: 2\n\n{}", []string{`"{}" "Shop.NoStock" 0 false`}},
		{"Content-Length: 11\n\nhello worldContent-Length: 2\n\nhi", []string{`"" "" 0 true`, `"hi" "" 0 false`}},
		{"Content-Length: 3\n\nhi", []string{"..."}},
		{"Content-Le", []string{"..."}},
	} {
		for piece := 1; piece <= len(c.stream); piece++ {
			got, err := feed([]byte(c.stream), piece, 10)
			if err != nil {
				t.Fatalf("%q in pieces of %d: %v", c.stream, piece, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%q in pieces of %d (-want +got):\n%s", c.stream, piece, diff)
			}
		}
	}
}

func TestAnswersRefused(t *testing.T) {
	for stream, want := range map[string]string{
		"hello, world\n":            `stdout is for answers (logs go to stderr): "hello, world" is not a field of an answer's head`,
		"\n\n":                      `stdout is for answers (logs go to stderr): "" is not a field of an answer's head`,
		"A: b\n\n":                  "the head of an answer has no Content-Length",
		"Content-Length: -1\n\n":    `Content-Length "-1" is not a number of bytes`,
		"Content-Length: 1e3\n\n":   `Content-Length "1e3" is not a number of bytes`,
		"X-Coldcurve-Booted: x\n\n": `X-Coldcurve-Booted "x" is not a time in nanoseconds`,
		"A: " + strings.Repeat("b", mostHead) + "\n": "the head of an answer exceeds 4096 bytes",
	} {
		for _, piece := range []int{1, 7, len(stream)} {
			if _, err := feed([]byte(stream), piece, 10); err == nil || err.Error() != want {
				t.Errorf("%.40q in pieces of %d: got %v, want %s", stream, piece, err, want)
			}
		}
	}
}

func TestRequestHead(t *testing.T) {
	inv := &sandbox.Invocation{RequestID: "7", Payload: []byte("{}"), TraceID: "Root=1\nContent-Length: 9", Deadline: time.UnixMilli(1542409706888)}
	want := "Content-Length: 2\nLambda-Runtime-Aws-Request-Id: 7\nLambda-Runtime-Deadline-Ms: 1542409706888\n" +
		"Lambda-Runtime-Invoked-Function-Arn: arn\nLambda-Runtime-Trace-Id: Root=1 Content-Length: 9\n\n"
	if diff := cmp.Diff(want, string(requestHead(inv, "arn"))); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
}

// FuzzAnswers holds two ways of cutting a stream to the same answers, and
// what was understood to what comes of writing it again.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("Content-Length: 2\n\nhi"), 3)
	f.Add([]byte("content-length:2\r\nLambda-Runtime-Function-Error-Type: x\r\n\r\nhiContent-Length: 0\n\n"), 5)
	f.Add([]byte("hello\n"), 1)
	f.Add([]byte("Content-Length: 1\n\r\n\n\nContent-Length: 99999999999\n\n"), 2)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		if len(stream) == 0 || piece <= 0 {
			return
		}
		whole, wholeErr := feed(stream, len(stream), 100)
		pieces, piecesErr := feed(stream, piece, 100)
		if (wholeErr == nil) != (piecesErr == nil) {
			t.Fatalf("at once: %v, in pieces of %d: %v", wholeErr, piece, piecesErr)
		}
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Fatalf("in pieces of %d (-at once +in pieces):\n%s", piece, diff)
		}
	})
}

// FuzzRequestHead wants every head to be of the documented form: what it says is read back.
func FuzzRequestHead(f *testing.F) {
	f.Add("8476a536", []byte("{}"), "Root=1", "arn:aws:lambda")
	f.Add("\n\n", []byte("\n\n"), "\r\n", "")
	f.Fuzz(func(t *testing.T, id string, payload []byte, trace, arn string) {
		head := requestHead(&sandbox.Invocation{RequestID: id, Payload: payload, TraceID: trace}, arn)
		a := &answers{most: 1 << 30}
		if len(head) > mostHead {
			return
		}
		rest, complete, err := a.write(append(head, payload...))
		if err != nil || !complete || len(rest) > 0 || !bytes.Equal(a.take().body, payload) {
			t.Errorf("head %q is not read as one: %v", head, err)
		}
	})
}
