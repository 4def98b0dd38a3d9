package lambdaapi_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// ways are one API behind net/http alone, and with the short way before it.
type ways struct{ long, short net.Addr }

func newWays(t testing.TB) ways {
	t.Helper()
	w := newRuntime(t, lifecycle.Policy{Concurrency: 10, KeepAlive: time.Minute})
	api := newAPI(t, w)
	create(t, api, "hello")
	// Each request comes twice, so none may change what the other finds.
	same := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/invocations") {
			http.NotFound(rw, r)
			return
		}
		api.ServeHTTP(rw, r)
	})
	server := httptest.NewServer(same)
	t.Cleanup(server.Close)
	return ways{long: server.Listener.Addr(), short: public(t, w, same)}
}

// said is one answer.
type said struct {
	Status int
	Body   string
}

const cutOff = "(cut off)"

// end is the request behind all others, by whose answer the test knows that
// there will be no more.
const end = "GET /end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

// converse sends bytes and gives the answers. Only a server that waits for more,
// as it seems after some patience, is told that there is none: net/http cancels
// what it serves at that.
func converse(t testing.TB, addr net.Addr, wire []byte, patience time.Duration) (answers []said) {
	t.Helper()
	c, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := make(chan struct{})
	defer func() { c.Close(); <-sent }()
	go func() {
		defer close(sent)
		_, _ = c.Write(append(bytes.Clone(wire), end...))
	}()
	in := bufio.NewReader(c)
	for {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, err := in.Peek(1)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			_ = c.(*net.TCPConn).CloseWrite()
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, err = in.Peek(1)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%q: the server neither answers nor closes", wire)
		}
		if err != nil {
			return answers
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%q: %v", wire, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return append(answers, said{r.StatusCode, cutOff})
		}
		answers = append(answers, said{r.StatusCode, string(body)})
	}
}

// hasty is patience that a busy machine may wear out.
const hasty = 100 * time.Millisecond

// disagreement is what the two ways answer differently to the same bytes, with
// much patience, too.
func (w ways) disagreement(t testing.TB, wire []byte) string {
	t.Helper()
	if w.differ(t, wire, hasty) == "" {
		return ""
	}
	return w.differ(t, wire, 50*hasty)
}

func (w ways) differ(t testing.TB, wire []byte, patience time.Duration) string {
	t.Helper()
	long, short := converse(t, w.long, wire, patience), converse(t, w.short, wire, patience)
	if n := len(short); len(long) == n+1 && long[n].Status == http.StatusBadRequest {
		long = long[:n] // a body that does not end: the short way has nobody to tell
	}
	return cmp.Diff(long, short, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b said) bool {
		// A server that refuses does not wait until its words have arrived.
		return a.Status == b.Status && (a.Body == b.Body || a.Body == cutOff || b.Body == cutOff)
	}))
}

const (
	invocations = functions + "/hello/invocations"
	plainOne    = "POST " + invocations + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n\"1\""
	plainTwo    = "POST " + invocations + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n\"2\""
)

// suspicious are requests that two readers can read differently.
func suspicious() map[string]string {
	header := func(lines string) string { return strings.Replace(plainOne, "Host:", lines+"Host:", 1) }
	chunked := "POST " + invocations + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\"1\"\r\n0\r\n\r\n"
	return map[string]string{
		"plain":                       plainOne,
		"pipelined":                   plainOne + plainTwo + plainOne,
		"handed over mid-way":         plainOne + chunked + plainTwo,
		"operation in between":        plainOne + "GET /2015-03-31/functions HTTP/1.1\r\nHost: localhost\r\n\r\n" + plainTwo,
		"length and chunks":           header("Transfer-Encoding: chunked\r\n") + plainTwo,
		"chunks and a length":         strings.Replace(chunked, "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n", 1) + plainTwo,
		"unknown encoding":            header("Transfer-Encoding: xchunked\r\n"),
		"spelled encoding":            header("transfer-ENCODING: chunked\r\n"),
		"encoding behind a tab":       header("Transfer-Encoding:\tchunked\r\n"),
		"encoding, space before":      header("Transfer-Encoding : chunked\r\n") + plainTwo,
		"two lengths":                 header("Content-Length: 0\r\n") + plainTwo,
		"two lengths that agree":      header("Content-Length: 3\r\n") + plainTwo,
		"length with a sign":          strings.Replace(plainOne, "Length: 3", "Length: +3", 1),
		"length with a space":         strings.Replace(plainOne, "Length: 3", "Length: 3 ", 1),
		"length in hexadecimal":       strings.Replace(plainOne, "Length: 3", "Length: 0x3", 1),
		"length with wide spaces":     strings.Replace(plainOne, "Length: 3", "Length: \u00a03\u00a0", 1),
		"length with a form feed":     strings.Replace(plainOne, "Length: 3", "Length: \f3", 1),
		"list of lengths":             strings.Replace(plainOne, "Length: 3", "Length: 3, 3", 1),
		"length that overflows":       strings.Replace(plainOne, "Length: 3", "Length: 18446744073709551619", 1),
		"no length":                   strings.Replace(plainOne, "Content-Length: 3\r\n", "", 1) + plainTwo,
		"length in a folded line":     header("X-Fold: a\r\n Content-Length: 0\r\n") + plainTwo,
		"folded length":               strings.Replace(plainOne, "Length: 3", "Length:\r\n 3", 1),
		"bare LF hides a length":      header("X-Odd: a\nContent-Length: 0\r\n") + plainTwo,
		"bare LF hides an encoding":   header("X-Odd: a\nTransfer-Encoding: chunked\r\n") + plainTwo,
		"bare LF in the trace":        header("X-Amzn-Trace-Id: a\nX-Other: b\r\n"),
		"bare CR in the trace":        header("X-Amzn-Trace-Id: a\rX-Other: b\r\n"),
		"bare LF in the request line": strings.Replace(plainOne, "hello", "he\nllo", 1),
		"bare LFs throughout":         strings.ReplaceAll(plainOne, "\r\n", "\n") + plainTwo,
		"header ends with bare LFs":   strings.Replace(plainOne, "\r\n\r\n", "\n\n", 1) + plainTwo,
		"NUL in a value":              header("X-Odd: a\x00b\r\n"),
		"control in a value":          header("X-Odd: a\x01b\r\n"),
		"DEL in a value":              header("X-Odd: a\x7fb\r\n"),
		"name that is no token":       header("X(Odd): a\r\n"),
		"name with a NUL":             header("X\x00Odd: a\r\n"),
		"name in UTF-8":               header("X-Öd: a\r\n"),
		"no name":                     header(": a\r\n"),
		"no colon":                    header("nonsense\r\n"),
		"header before its first":     strings.Replace(plainOne, "HTTP/1.1\r\n", "HTTP/1.1\r\n Content-Length: 0\r\n", 1) + plainTwo,
		"two hosts":                   header("Host: localhost\r\n"),
		"two qualities of log":        header("X-Amz-Log-Type: None\r\nX-Amz-Log-Type: Tail\r\n"),
		"two types":                   header("X-Amz-Invocation-Type: DryRun\r\nX-Amz-Invocation-Type: Event\r\n"),
		"two connections":             header("Connection: keep-alive\r\nConnection: close\r\n") + plainTwo,
		"last, and one behind":        header("Connection: close\r\n") + plainTwo,
		"list of connections":         header("Connection: keep-alive, close\r\n") + plainTwo,
		"upgrade":                     header("Connection: upgrade\r\nUpgrade: h2c\r\n"),
		"HTTP/2's preface":            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"HTTP/1.0":                    strings.Replace(plainOne, "HTTP/1.1", "HTTP/1.0", 1) + plainTwo,
		"HTTP/1.2":                    strings.Replace(plainOne, "HTTP/1.1", "HTTP/1.2", 1),
		"two spaces":                  strings.Replace(plainOne, "POST ", "POST  ", 1),
		"tab for a space":             strings.Replace(plainOne, "POST ", "POST\t", 1),
		"tab in the target":           strings.Replace(plainOne, "hello", "hel\tlo", 1),
		"lower-case method":           strings.Replace(plainOne, "POST", "post", 1),
		"absolute target":             strings.Replace(plainOne, "POST /", "POST http://localhost/", 1),
		"escaped target":              strings.Replace(plainOne, "hello", "hell%6f", 1),
		"escaped slash":               strings.Replace(plainOne, "hello", "x%2fhello", 1),
		"badly escaped":               strings.Replace(plainOne, "hello", "hello%2", 1),
		"dots":                        strings.Replace(plainOne, "/hello/", "/x/../hello/", 1),
		"query with a semicolon":      strings.Replace(plainOne, "invocations", "invocations?a;b", 1),
		"fragment":                    strings.Replace(plainOne, "invocations", "invocations#x", 1),
		"empty lines first":           "\r\n\r\n" + plainOne,
		"line of a header alone":      strings.Replace(plainOne, "\r\n\r\n", "\r\n\r\n\r\n\r\n", 1),
		"huge header":                 header("X-Long: "+strings.Repeat("x", 3<<20)+"\r\n") + plainTwo,
		"many headers":                header(strings.Repeat("X-Many: x\r\n", 2000)) + plainTwo,
		"body that does not end":      strings.Replace(plainOne, "Length: 3", "Length: 30000", 1),
	}
}

// TestNobodyReadsARequestDifferently: the short way and net/http answer the same
// to what is made for readers that differ, or the short way hands it on.
func TestNobodyReadsARequestDifferently(t *testing.T) {
	w := newWays(t)
	for name, wire := range suspicious() {
		t.Run(name, func(t *testing.T) {
			if diff := w.disagreement(t, []byte(wire)); diff != "" {
				t.Errorf("%.300q (-net/http +short way):\n%.3000s", wire, diff)
			}
		})
	}
	if got := converse(t, w.short, []byte(plainOne+plainTwo), 50*hasty); len(got) != 3 || got[0].Body != `"1"` || got[1].Body != `"2"` {
		t.Errorf("two requests and the end: %v", got)
	}
}

// FuzzSmuggling holds the short way against net/http.
func FuzzSmuggling(f *testing.F) {
	for _, wire := range suspicious() {
		if len(wire) < 4<<10 {
			f.Add([]byte(wire))
		}
	}
	w := newWays(f)
	f.Fuzz(func(t *testing.T, wire []byte) {
		if bytes.Contains(wire, []byte(`"wait"`)) || bytes.Contains(wire, []byte("HEAD")) {
			t.Skip("waits for ever; has answers whose end cannot be known")
		}
		if diff := w.disagreement(t, wire); diff != "" {
			t.Errorf("%q (-net/http +short way):\n%s", wire, diff)
		}
	})
}

// TestTraceIsOneLine: what a caller says of its trace goes to the function as
// part of a header, on every way.
func TestTraceIsOneLine(t *testing.T) {
	var mu sync.Mutex
	var traces []string
	w := newRuntimeWith(t, func(inv *sandbox.Invocation) {
		mu.Lock()
		defer mu.Unlock()
		traces = append(traces, inv.TraceID)
	})
	api := newAPI(t, w)
	create(t, api, "hello")
	short := public(t, w, api)
	for _, trace := range []string{"Root=1-2-3", "a\nLambda-Runtime-Deadline-Ms: 1", "a\rLambda-Runtime-Deadline-Ms: 1", "a\x00b"} {
		wire := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nX-Amzn-Trace-Id: %s\r\nContent-Length: 2\r\n\r\n{}", invocations, trace)
		converse(t, short, []byte(wire), 50*hasty)
		c := direct(t, w)
		if _, err := io.WriteString(c, wire); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, trace := range traces {
		if strings.ContainsAny(trace, "\r\n\x00") {
			t.Errorf("a function is told the trace %q", trace)
		}
	}
	if len(traces) < 2 {
		t.Errorf("only %q reached the function", traces)
	}
}

// TestSlowBodyIsCutOff on both ways: who announces a body and sends half of it
// is not waited for.
func TestSlowBodyIsCutOff(t *testing.T) {
	w := newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute})
	api := newAPI(t, w, func(o *lambdaapi.Options) {
		o.Limits = lambdaapi.LambdaLimits()
		o.Limits.BodyTime = 100 * time.Millisecond
	})
	create(t, api, "hello")
	server := httptest.NewServer(api)
	defer server.Close()
	for name, addr := range map[string]net.Addr{"net/http": server.Listener.Addr(), "short way": publicOf(t, api, api)} {
		for _, length := range []int{1000, 1 << 20} {
			c, err := net.Dial(addr.Network(), addr.String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n{", invocations, length)
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s, %d bytes: still open", name, length)
			}
		}
	}
}
