package runtimeapi_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/google/go-cmp/cmp"
)

const (
	arn   = "arn:aws:lambda:us-east-1:000000000000:function:shop"
	id    = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
	limit = 1 << 10
)

func serve(t testing.TB) (*runtimeapi.Server, clock.Monotonic) {
	t.Helper()
	l, err := runtimeapi.Listen()
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New()
	s := runtimeapi.Serve(l, clk, limit)
	s.Begin(arn, clk.Now())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, clk
}

func invocation(payload string) *sandbox.Invocation {
	return &sandbox.Invocation{RequestID: id, Payload: []byte(payload), TraceID: "Root=1-2-3", Deadline: time.UnixMilli(1542409706888)}
}

// wire is a client without any opinion on HTTP.
type wire struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func dial(t testing.TB, s *runtimeapi.Server) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &wire{t, conn, bufio.NewReader(conn)}
}

func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w.conn, text); err != nil {
		w.t.Fatalf("send: %v", err)
	}
}

// receive gives a response's status and body.
func (w *wire) receive() (*http.Response, string) {
	w.t.Helper()
	resp, err := http.ReadResponse(w.in, nil)
	if err != nil {
		w.t.Fatalf("receive: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("receive: %v", err)
	}
	return resp, string(body)
}

func (w *wire) call(text string) (*http.Response, string) {
	w.t.Helper()
	w.send(text)
	return w.receive()
}

func (w *wire) ended() bool {
	_, err := w.in.ReadByte()
	return errors.Is(err, io.EOF) || err != nil && strings.Contains(err.Error(), "reset")
}

const poll = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"

func post(path, body string) string {
	return fmt.Sprintf("POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

func TestInvocationAndItsHeaders(t *testing.T) {
	s, clk := serve(t)
	w := dial(t, s)
	w.send(poll)
	<-s.Ready()
	before := clk.Now()
	inv := invocation("ping")
	inv.Qualifier, inv.ClientContext = "prod", []byte("{\n\"custom\": {}\r\n}")
	s.Hand(inv)
	resp, body := w.receive()
	if body != "ping" || resp.StatusCode != 200 {
		t.Errorf("got %s %q", resp.Status, body)
	}
	want := map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       id,
		"Lambda-Runtime-Deadline-Ms":          "1542409706888",
		"Lambda-Runtime-Invoked-Function-Arn": arn + ":prod",
		"Lambda-Runtime-Trace-Id":             "Root=1-2-3",
		"Lambda-Runtime-Client-Context":       "{ \"custom\": {}  }",
		"Content-Type":                        "application/json",
	}
	for name, value := range want {
		if got := resp.Header.Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	resp, body = w.call(post("invocation/"+id+"/response", "pong"))
	if resp.StatusCode != 202 || body != "{\"status\":\"OK\"}\n" {
		t.Errorf("receipt: got %s %q", resp.Status, body)
	}
	r := <-s.Replies()
	if r.Kind != runtimeapi.Response || string(r.Body) != "pong" || !(before <= r.Handed && r.Handed < r.Ended && r.Ended <= clk.Now()) {
		t.Errorf("got reply %+v", r)
	}
}

func TestTraceIsNeverMissing(t *testing.T) {
	s, _ := serve(t)
	w := dial(t, s)
	w.send(poll)
	<-s.Ready()
	inv := invocation("")
	inv.TraceID = ""
	s.Hand(inv)
	resp, _ := w.receive()
	if !strings.HasPrefix(resp.Header.Get("Lambda-Runtime-Trace-Id"), "Root=") {
		t.Errorf("got trace %q", resp.Header.Get("Lambda-Runtime-Trace-Id"))
	}
}

// TestConnections answers clients that keep their connection, open one for
// each call, or want it closed.
func TestConnections(t *testing.T) {
	for _, kind := range []string{"kept", "each", "close", "http/1.0"} {
		t.Run(kind, func(t *testing.T) {
			s, _ := serve(t)
			var w *wire
			call := func(text string) (*http.Response, string) {
				if w == nil || kind != "kept" {
					w = dial(t, s)
				}
				switch kind {
				case "close":
					text = strings.Replace(text, "Host: x\r\n", "Host: x\r\nConnection: close\r\n", 1)
				case "http/1.0":
					text = strings.Replace(text, "HTTP/1.1", "HTTP/1.0", 1)
				}
				resp, body := w.call(text)
				if (kind == "close" || kind == "http/1.0") && !w.ended() {
					t.Error("the connection stays open")
				}
				return resp, body
			}
			for i := range 5 {
				want := fmt.Sprint("payload ", i)
				go s.Hand(invocation(want))
				if _, got := call(poll); got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
				if resp, _ := call(post("invocation/"+id+"/response", want)); resp.StatusCode != 202 {
					t.Fatalf("receipt: got %s", resp.Status)
				}
				if r := <-s.Replies(); string(r.Body) != want {
					t.Fatalf("got reply %q, want %q", r.Body, want)
				}
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, request string
		status        int
		errType       string
	}{
		{"no such path", "GET /2018-06-01/runtime/secrets HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NotFound"},
		{"no such version", "GET /2099-01-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n", 404, "NotFound"},
		{"no such verb", post("invocation/"+id+"/applause", "!"), 404, "NotFound"},
		{"method of next", strings.Replace(poll, "GET", "POST", 1), 405, "MethodNotAllowed"},
		{"method of response", "GET /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\n\r\n", 405, "MethodNotAllowed"},
		{"poll with work in hand", poll, 403, "InvalidStateTransition"},
		{"wrong id", post("invocation/0000/response", "x"), 400, "InvalidRequestID"},
		{"no id", post("invocation//response", "x"), 400, "InvalidRequestID"},
		{"wrong id of an error", post("invocation/0000/error", "{}"), 400, "InvalidRequestID"},
		{"init error after init", post("init/error", "{}"), 403, "InvalidStateTransition"},
		{"strange mode", strings.Replace(post("invocation/"+id+"/response", "x"), "Host: x", "Host: x\r\nLambda-Runtime-Function-Response-Mode: dribbling", 1), 400, "InvalidFunctionResponseMode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := serve(t)
			w := dial(t, s)
			w.send(poll)
			<-s.Ready()
			s.Hand(invocation("work"))
			w.receive()
			resp, body := w.call(tt.request)
			if resp.StatusCode != tt.status || !strings.Contains(body, `"errorType":"`+tt.errType+`"`) {
				t.Errorf("got %s %s, want %d %s", resp.Status, body, tt.status, tt.errType)
			}
			// The refusal has changed nothing.
			if resp, _ := w.call(post("invocation/"+id+"/response", "done")); resp.StatusCode != 202 {
				t.Errorf("the true answer got %s", resp.Status)
			}
			if resp, body := w.call(post("invocation/"+id+"/response", "done")); resp.StatusCode != 403 {
				t.Errorf("a second answer got %s %s", resp.Status, body)
			}
			if r := <-s.Replies(); string(r.Body) != "done" {
				t.Errorf("got reply %q", r.Body)
			}
		})
	}
}

func TestResponseLimit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		send   string
		status int
		want   runtimeapi.Reply
	}{
		{"at the limit", post("invocation/"+id+"/response", strings.Repeat("x", limit)), 202, runtimeapi.Reply{Body: []byte(strings.Repeat("x", limit))}},
		{"above", post("invocation/"+id+"/response", strings.Repeat("x", limit+1)), 413, runtimeapi.Reply{Kind: runtimeapi.TooLarge}},
		{"chunked, above", "POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("100\r\n"+strings.Repeat("y", 256)+"\r\n", 5) + "0\r\n\r\n", 413, runtimeapi.Reply{Kind: runtimeapi.TooLarge}},
		{"error", post("invocation/"+id+"/error", `{"errorType":"E"}`), 202, runtimeapi.Reply{Kind: runtimeapi.Error, Body: []byte(`{"errorType":"E"}`)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := serve(t)
			w := dial(t, s)
			w.send(poll)
			<-s.Ready()
			s.Hand(invocation("work"))
			w.receive()
			if resp, body := w.call(tt.send); resp.StatusCode != tt.status {
				t.Errorf("got %s %s, want %d", resp.Status, body, tt.status)
			}
			got := <-s.Replies()
			got.Handed, got.Ended = 0, 0
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
			// The connection lives on.
			w.send(poll)
			s.Hand(invocation("more"))
			if _, body := w.receive(); body != "more" {
				t.Errorf("got %q, want more", body)
			}
		})
	}
}

// TestStreamedResponse: chunks are taken as they come, and their end is the
// handler's. What fails after the first of them is told by trailers.
func TestStreamedResponse(t *testing.T) {
	account := `{"errorType":"TypeError","errorMessage":"half way","stackTrace":[]}`
	for _, tt := range []struct {
		name, chunks, trailers string
		status                 int
		want                   runtimeapi.Reply
	}{
		{"whole", "3\r\nabc\r\n2\r\nde\r\n", "", 202, runtimeapi.Reply{Body: []byte("abcde")}},
		{"empty", "", "", 202, runtimeapi.Reply{Body: []byte{}}},
		{"in single bytes, at the limit", strings.Repeat("1\r\nx\r\n", limit), "", 202, runtimeapi.Reply{Body: []byte(strings.Repeat("x", limit))}},
		{"above", strings.Repeat("1\r\nx\r\n", limit+1), "", 413, runtimeapi.Reply{Kind: runtimeapi.TooLarge}},
		{"failed half way", "3\r\nabc\r\n", "Lambda-Runtime-Function-Error-Type: TypeError\r\nLambda-Runtime-Function-Error-Body: " +
			base64.StdEncoding.EncodeToString([]byte(account)) + "\r\n", 202, runtimeapi.Reply{Kind: runtimeapi.Error, Body: []byte(account)}},
		{"failed without words", "3\r\nabc\r\n", "Lambda-Runtime-Function-Error-Type: Shop.Closed\r\nLambda-Runtime-Function-Error-Body: {}\r\n", 202,
			runtimeapi.Reply{Kind: runtimeapi.Error, Body: []byte(`{"errorMessage":"","errorType":"Shop.Closed"}`)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, clk := serve(t)
			w := dial(t, s)
			w.send(poll)
			<-s.Ready()
			s.Hand(invocation("work"))
			w.receive()
			w.send("POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" +
				"Lambda-Runtime-Function-Response-Mode: streaming\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n" +
				"Trailer: Lambda-Runtime-Function-Error-Body\r\n\r\n" + tt.chunks)
			select {
			case r := <-s.Replies():
				if r.Kind != runtimeapi.TooLarge {
					t.Fatalf("got %+v before the end", r)
				}
			case <-time.After(20 * time.Millisecond):
			}
			end := clk.Now()
			resp, body := w.call("0\r\n" + tt.trailers + "\r\n")
			if resp.StatusCode != tt.status {
				t.Errorf("got %s %s, want %d", resp.Status, body, tt.status)
			}
			if tt.want.Kind == runtimeapi.TooLarge {
				return
			}
			got := <-s.Replies()
			if got.Ended < end {
				t.Errorf("ended %d ns before its last byte", end-got.Ended)
			}
			got.Handed, got.Ended = 0, 0
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeldBackBodyIsInvited(t *testing.T) {
	s, _ := serve(t)
	w := dial(t, s)
	w.send(poll)
	<-s.Ready()
	s.Hand(invocation("work"))
	w.receive()
	w.send("POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	line, err := w.in.ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("got %q, %v, want 100 Continue", line, err)
	}
	if _, err := w.in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if resp, _ := w.call("late"); resp.StatusCode != 202 {
		t.Errorf("got %s", resp.Status)
	}
	if r := <-s.Replies(); string(r.Body) != "late" {
		t.Errorf("got %q", r.Body)
	}
}

func TestInitError(t *testing.T) {
	for _, tt := range []struct {
		name, header, body string
		want               runtimeapi.InitError
	}{
		{"in the body", "", `{"errorType":"Runtime.ImportModuleError","errorMessage":"no module"}`, runtimeapi.InitError{Type: "Runtime.ImportModuleError", Message: "no module"}},
		{"in the header", "Lambda-Runtime-Function-Error-Type: Runtime.NoSuchHandler\r\n", "", runtimeapi.InitError{Type: "Runtime.NoSuchHandler"}},
		{"nowhere", "", "not JSON", runtimeapi.InitError{Type: "Runtime.Unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := serve(t)
			w := dial(t, s)
			resp, _ := w.call(strings.Replace(post("init/error", tt.body), "Host: x\r\n", "Host: x\r\n"+tt.header, 1))
			if resp.StatusCode != 202 {
				t.Errorf("got %s", resp.Status)
			}
			if got := <-s.InitFailed(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestBootedIsBelievedWhereItCanBe(t *testing.T) {
	for _, tt := range []struct {
		name  string
		value func(begun, now int64) string
		known bool
	}{
		{"between", func(_, now int64) string { return fmt.Sprint(now) }, true},
		{"before the start", func(begun, _ int64) string { return fmt.Sprint(begun - 1) }, false},
		{"in the future", func(_, now int64) string { return fmt.Sprint(now + int64(time.Hour)) }, false},
		{"not a number", func(int64, int64) string { return "soon" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, clk := serve(t)
			begun := clk.Now()
			s.Begin(arn, begun)
			w := dial(t, s)
			w.send(strings.Replace(poll, "Host: x\r\n", "Host: x\r\nX-Coldcurve-Booted: "+tt.value(begun, clk.Now())+"\r\n", 1))
			<-s.Ready()
			polled, booted := s.Polled()
			if (booted != 0) != tt.known || polled <= begun {
				t.Errorf("got polled %d, booted %d, begun %d", polled, booted, begun)
			}
		})
	}
}

// TestDeadPoll hands work to an instance whose poll's connection has ended:
// the next poll gets it.
// TestRetiredListenerServesAnother: who was connected is not, and who connects
// from then on is the next Server's.
func TestRetiredListenerServesAnother(t *testing.T) {
	l, err := runtimeapi.Listen()
	if err != nil {
		t.Fatal(err)
	}
	first := runtimeapi.Serve(l, clock.New(), limit)
	w := dial(t, first)
	w.send(poll)
	<-first.Ready()
	kept, err := first.Retire()
	if err != nil || kept == nil {
		t.Fatalf("got %v, %v, want the listener", kept, err)
	}
	if !w.ended() {
		t.Error("the connection has outlived its server")
	}
	next := runtimeapi.Serve(kept, clock.New(), limit)
	defer next.Close()
	if next.Addr() != first.Addr() {
		t.Errorf("it listens on %s, and did on %s", next.Addr(), first.Addr())
	}
	dial(t, next).send(poll)
	<-next.Ready()
}

// TestListenerThatSomebodyWaitsAtIsNotKept: the next Server would take whoever
// that is for its own instance.
func TestListenerThatSomebodyWaitsAtIsNotKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells whether somebody waits")
	}
	l, err := runtimeapi.Listen()
	if err != nil {
		t.Fatal(err)
	}
	full := &deaf{Listener: l, closed: make(chan struct{})}
	s := runtimeapi.Serve(full, clock.New(), limit)
	dial(t, s).send(poll)
	full.waitedAt(t)
	kept, err := s.Retire()
	if kept != nil || err != nil {
		t.Errorf("got %v, %v, want no listener", kept, err)
	}
	if _, err := net.Dial("tcp", s.Addr()); err == nil {
		t.Error("the address can be reached")
	}
}

// deaf is a listener that accepts nobody.
type deaf struct {
	net.Listener
	closed chan struct{}
}

func (d *deaf) Accept() (net.Conn, error) {
	<-d.closed
	return nil, net.ErrClosed
}

func (d *deaf) Close() error {
	close(d.closed)
	return d.Listener.Close()
}

func (d *deaf) SyscallConn() (syscall.RawConn, error) { return d.Listener.(syscall.Conn).SyscallConn() }

func (d *deaf) SetDeadline(time.Time) error { return errors.New("it was to be closed") }

// waitedAt returns when a connection waits.
func (d *deaf) waitedAt(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !runtimeapi.Backlog(d); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connection does not come")
		}
	}
}

func TestDeadPoll(t *testing.T) {
	s, _ := serve(t)
	w := dial(t, s)
	w.send(poll)
	<-s.Ready()
	w.conn.Close()
	s.Drain(time.Minute)
	s.Hand(invocation("patience"))
	if got := s.Handed(id); got != 0 {
		t.Errorf("handed at %d to nobody", got)
	}
	if _, body := dial(t, s).call(poll); body != "patience" {
		t.Errorf("got %q", body)
	}
}

// TestSecondPollIsRefused: work goes to whoever waited first, whatever polls
// after it.
func TestSecondPollIsRefused(t *testing.T) {
	s, _ := serve(t)
	older := dial(t, s)
	older.send(poll)
	<-s.Ready()
	newer := dial(t, s)
	if resp, body := newer.call(poll); resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "InvalidStateTransition") {
		t.Errorf("the second poll got %s %s", resp.Status, body)
	}
	s.Hand(invocation("work"))
	if _, body := older.receive(); body != "work" {
		t.Errorf("got %q", body)
	}
	if resp, _ := older.call(post("invocation/"+id+"/response", "done")); resp.StatusCode != http.StatusAccepted {
		t.Errorf("the answer got %s", resp.Status)
	}
	// The refused connection is good for the next turn.
	s.Hand(invocation("more"))
	if _, body := newer.call(poll); body != "more" {
		t.Errorf("got %q, want more", body)
	}
}

// TestPollAfterAReconnection is a client that closes a waiting poll and polls
// anew at once, faster than the server's goroutines may notice.
func TestPollAfterAReconnection(t *testing.T) {
	for _, end := range []string{"close", "reset"} {
		t.Run(end, func(t *testing.T) {
			s, _ := serve(t)
			for range 200 {
				w := dial(t, s)
				w.send(poll)
				<-s.Ready()
				awaitParked(t, w)
				if end == "reset" {
					if err := w.conn.(*net.TCPConn).SetLinger(0); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.conn.Close(); err != nil {
					t.Fatal(err)
				}
			}
			waitParked(t, s, 0) // work for the last of them would not be for who comes now
			w := dial(t, s)
			w.send(poll)
			waitParked(t, s, 1)
			s.Hand(invocation("work"))
			if _, body := w.receive(); body != "work" {
				t.Errorf("got %q", body)
			}
		})
	}
}

// awaitParked gives a poll time to be refused, and fails if it is.
func awaitParked(t *testing.T, w *wire) {
	t.Helper()
	if err := w.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if b, err := w.in.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a poll was answered with %q, %v", b, err)
	}
	if err := w.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
}

func TestRequestBehindAPollEndsTheConnection(t *testing.T) {
	s, _ := serve(t)
	w := dial(t, s)
	w.send(poll + poll)
	<-s.Ready()
	if !w.ended() {
		t.Error("the connection lives on")
	}
}

func TestNonsense(t *testing.T) {
	for _, text := range []string{
		"\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00", "GET / HTTP/9.9\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n",
	} {
		s, _ := serve(t)
		w := dial(t, s)
		_, _ = io.WriteString(w.conn, text) // it may be cut off while we send
		_ = w.conn.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, w.in); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%.20q: %v", text, err)
		}
		if _, body := dial(t, s).call("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.Contains(body, "NotFound") {
			t.Errorf("after %.20q: got %q", text, body)
		}
	}
}

func TestStemGetsItsFunction(t *testing.T) {
	const ask = "GET /2018-06-01/runtime/coldcurve/assignment HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprintf("assigned before it asks=%t", early), func(t *testing.T) {
			s, _ := serve(t)
			booted := s.ExpectStem()
			give := func() {
				if err := s.Assign([]string{"_HANDLER=index.handler", "SUM=1=1"}); err != nil {
					t.Fatal(err)
				}
			}
			w := dial(t, s)
			if early {
				give()
				w.send(ask)
				<-booted
			} else {
				w.send(ask)
				<-booted
				give()
			}
			resp, body := w.receive()
			if want := `{"SUM":"1=1","_HANDLER":"index.handler"}`; resp.StatusCode != 200 || body != want {
				t.Errorf("got %d %s, want %s", resp.StatusCode, body, want)
			}
			if err := s.Assign(nil); err == nil {
				t.Error("a second function was assigned")
			}
			if resp, _ := w.call(ask); resp.StatusCode != 404 {
				t.Errorf("asking again got %d, want 404", resp.StatusCode)
			}
			w.send("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
			<-s.Ready()
		})
	}
}

func TestOnlyAStemGetsAFunction(t *testing.T) {
	s, _ := serve(t)
	if resp, _ := dial(t, s).call("GET /2018-06-01/runtime/coldcurve/assignment HTTP/1.1\r\nHost: x\r\n\r\n"); resp.StatusCode != 404 {
		t.Errorf("got %d, want 404", resp.StatusCode)
	}
	if err := s.Assign(nil); err == nil {
		t.Error("a function was assigned to nobody")
	}
}

// TestSeveralAtOnce has an instance with three slots hold three invocations,
// and answer them in another order.
func TestSeveralAtOnce(t *testing.T) {
	s, _ := serve(t)
	s.Share(3)
	ids := []string{"first", "second", "third"}
	hand := func(id string) <-chan runtimeapi.Reply {
		return s.Hand(&sandbox.Invocation{RequestID: id, Payload: []byte(id), Deadline: time.UnixMilli(1)})
	}
	var polls []*wire
	for range 2 {
		w := dial(t, s)
		w.send(poll)
		polls = append(polls, w)
		waitParked(t, s, len(polls)) // or the second might be first
	}
	var replies []<-chan runtimeapi.Reply
	for _, id := range ids {
		replies = append(replies, hand(id))
	}
	if s.Handed("first") == 0 || s.Handed("second") == 0 || s.Handed("third") != 0 {
		t.Error("two polls have not got two invocations")
	}
	third := dial(t, s)
	third.send(poll)
	for i, w := range append(polls, third) {
		if _, body := w.receive(); body != ids[i] {
			t.Errorf("poll %d got %q", i, body)
		}
	}
	over := dial(t, s)
	if resp, _ := over.call(poll); resp.StatusCode != 403 {
		t.Errorf("a poll beyond the slots: %s", resp.Status)
	}
	for _, i := range []int{1, 2, 0} {
		if resp, body := polls[0].call(post("invocation/"+ids[i]+"/response", "done "+ids[i])); resp.StatusCode != 202 {
			t.Errorf("answer to %s: %s %s", ids[i], resp.Status, body)
		}
		if r := <-replies[i]; string(r.Body) != "done "+ids[i] || r.Handed == 0 {
			t.Errorf("reply to %s: %+v", ids[i], r)
		}
	}
	if resp, _ := polls[0].call(post("invocation/first/response", "again")); resp.StatusCode != 403 {
		t.Errorf("a second answer: %s", resp.Status)
	}
}

// waitParked returns when so many polls wait: a poll beyond the slots is refused then.
func waitParked(t *testing.T, s *runtimeapi.Server, n int) {
	t.Helper()
	for range 5000 {
		if s.Waiting() == n {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("%d polls do not wait", n)
}
