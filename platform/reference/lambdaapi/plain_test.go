package lambdaapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
)

// public serves an API on loopback as the runtime does: plain invocations the
// short way, everything else by net/http, which notes what it gets.
func public(t testing.TB, w *world, long http.Handler) net.Addr {
	t.Helper()
	return publicOf(t, newAPI(t, w), long)
}

func publicOf(t testing.TB, api *lambdaapi.Handler, long http.Handler) net.Addr {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	handed := &handedOn{Listener: listener, conns: make(chan net.Conn), end: make(chan struct{})}
	d := lambdaapi.NewDirect(lambdaapi.DirectOptions{
		Handler: api, Other: handed.give, First: time.Minute, Idle: time.Minute,
		Host: func(host string) bool { return host == "localhost" },
	})
	server := &http.Server{Handler: long}
	served := make(chan error, 2)
	go func() { served <- d.Serve(listener) }()
	go func() { served <- server.Serve(handed) }()
	t.Cleanup(func() {
		close(handed.end)
		server.Close()
		d.Close()
		<-served
		<-served
	})
	return listener.Addr()
}

type handedOn struct {
	net.Listener
	conns chan net.Conn
	end   chan struct{}
}

func (h *handedOn) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.end:
		c.Close()
	}
}

func (h *handedOn) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.end:
		return nil, net.ErrClosed
	}
}

// TestWhatIsNotPlainIsHandedOn: net/http gets all of it, from its first byte,
// and what comes behind it on the connection.
func TestWhatIsNotPlainIsHandedOn(t *testing.T) {
	w := newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute})
	api := newAPI(t, w)
	create(t, api, "hello")
	var mu sync.Mutex
	var long []string
	addr := public(t, w, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		long = append(long, r.Method+" "+r.URL.RequestURI())
		mu.Unlock()
		api.ServeHTTP(rw, r)
	}))
	const path = functions + "/hello/invocations"
	const plain = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
	for _, tt := range []struct {
		name, request string
		handed        bool
		status        int
	}{
		{"plain", plain, false, 200},
		{"lower case", strings.ReplaceAll(strings.ReplaceAll(plain, "Host", "host"), "Content-Length:", "content-length:"), false, 200},
		{"qualifier", strings.Replace(plain, "invocations", "invocations?Qualifier=%24LATEST", 1), false, 200},
		{"unknown qualifier", strings.Replace(plain, "invocations", "invocations?Qualifier=7", 1), false, 404},
		{"dry run", strings.Replace(plain, "\r\n\r\n", "\r\nX-Amz-Invocation-Type: DryRun\r\n\r\n", 1), false, 204},
		{"event", strings.Replace(plain, "\r\n\r\n", "\r\nX-Amz-Invocation-Type: Event\r\n\r\n", 1), false, 202},
		{"no JSON", strings.Replace(plain, "{}", "{x", 1), false, 400},
		{"other operation", "GET " + functions + "/hello HTTP/1.1\r\nHost: localhost\r\n\r\n", true, 200},
		{"other host", strings.Replace(plain, "localhost", "evil.example", 1), true, 200},
		{"no host", strings.Replace(plain, "Host: localhost\r\n", "", 1), true, 400},
		{"two hosts", strings.Replace(plain, "Host", "Host: localhost\r\nHost", 1), true, 400},
		{"a page's", strings.Replace(plain, "Host", "Origin: https://evil.example\r\nHost", 1), true, 200},
		{"chunks", "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", true, 200},
		{"chunks and a length", strings.Replace(plain, "Host", "Transfer-Encoding: chunked\r\nHost", 1) + "\r\n", true, 400},
		{"two lengths", strings.Replace(plain, "Host", "Content-Length: 3\r\nHost", 1), true, 400},
		{"expectation", strings.Replace(plain, "Host", "Expect: a miracle\r\nHost", 1), true, 417},
		{"last", strings.Replace(plain, "Host", "Connection: close\r\nHost", 1), true, 200},
		{"large", fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", path, 7<<20), true, 413},
		{"long header", strings.Replace(plain, "Host", "X-Long: "+strings.Repeat("x", 9000)+"\r\nHost", 1), true, 200},
		{"HTTP/1.0", strings.Replace(plain, "HTTP/1.1", "HTTP/1.0", 1), true, 200},
		{"folded", strings.Replace(plain, "Host", "X-Fold: a\r\n b\r\nHost", 1), true, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			before := len(long)
			mu.Unlock()
			c, err := net.Dial(addr.Network(), addr.String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte(tt.request)); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			body := readAll(t, r.Body)
			mu.Lock()
			defer mu.Unlock()
			// net/http refuses some of it before its handler has a say.
			if r.StatusCode != tt.status || !tt.handed && len(long) != before {
				t.Errorf("%s %s, handed on %v; want %d, %v", r.Status, body, long[before:], tt.status, tt.handed)
			}
			if ours := r.Header.Get("X-Amzn-Requestid") != ""; tt.handed && ours && len(long) == before {
				t.Errorf("%s %s was not handed on", r.Status, body)
			}
		})
	}
}

// charges keeps what was charged.
type charges struct {
	mu   sync.Mutex
	keys []usage.Key
}

func (c *charges) Charge(k usage.Key, _ usage.Usage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = append(c.keys, k)
}

// TestConsumerAndStage: the headers say who is charged, on all three ways; else
// the alias is the stage.
func TestConsumerAndStage(t *testing.T) {
	meter := &charges{}
	w := newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute}, meter)
	api := newAPI(t, w)
	create(t, api, "hello")
	do(api, "POST", functions+"/hello/versions", "")
	do(api, "POST", functions+"/hello/aliases", `{"Name":"live","FunctionVersion":"1"}`)
	settle(t, api, "hello:1")
	header := []string{"X-Coldcurve-Consumer", "shop", "X-Coldcurve-Stage", "test", "X-Coldcurve-Trigger", "schedule 5"}
	do(api, "POST", functions+"/hello:live/invocations", "{}", header...)
	do(api, "POST", functions+"/hello/invocations?Qualifier=live", "{}")
	addr := public(t, w, http.NotFoundHandler())
	shortly, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer shortly.Close()
	for _, c := range []net.Conn{shortly, direct(t, w)} {
		fmt.Fprintf(c, "POST %s/hello:live/invocations HTTP/1.1\r\nHost: localhost\r\nX-Coldcurve-Consumer: shop\r\nX-Coldcurve-Stage: test\r\nX-Coldcurve-Trigger: schedule\r\nContent-Length: 2\r\n\r\n{}", functions)
		if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != http.StatusOK {
			t.Fatal(r, err)
		}
	}
	named := usage.Key{Function: "hello", Version: "1", Consumer: "shop", Stage: "test"}
	want := []usage.Key{named, {Function: "hello", Version: "1", Stage: "live"}, named, named}
	meter.mu.Lock()
	defer meter.mu.Unlock()
	if diff := cmp.Diff(want, meter.keys); diff != "" {
		t.Errorf("charged (-want +got):\n%s", diff)
	}
}

// FuzzPlain: whatever comes over a connection, what comes back are answers, and
// an error among them is a document that an SDK can read.
func FuzzPlain(f *testing.F) {
	const path = functions + "/hello/invocations"
	f.Add([]byte("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("POST " + path + "?Qualifier=x HTTP/1.1\r\nHost: localhost\r\nX-Amz-Log-Type: Tail\r\nX-Amz-Client-Context: e30=\r\nContent-Length: 0\r\n\r\nGET /"))
	f.Add([]byte("PUT /2015-03-31/functions/hello/aliases/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"))
	w := newRuntime(f, lifecycle.Policy{Concurrency: 10, KeepAlive: time.Minute})
	api := newAPI(f, w)
	create(f, api, "hello")
	addr := public(f, w, api)
	f.Fuzz(func(t *testing.T, wire []byte) {
		if bytes.Contains(wire, []byte(`"wait"`)) {
			t.Skip("would wait for ever")
		}
		c, err := net.Dial(addr.Network(), addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() {
			_, _ = c.Write(wire)
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		in := bufio.NewReader(c)
		for {
			if _, err := in.Peek(1); err != nil {
				return // no more answers
			}
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%q: %v", wire, err)
			}
			if bytes.HasPrefix(wire, []byte("HEAD ")) {
				return // its answer has no body, which a reader of answers cannot know
			}
			body := new(bytes.Buffer)
			if _, err := body.ReadFrom(r.Body); err != nil {
				return // the connection ended with the request that was half sent
			}
			if r.Header.Get("X-Amzn-Errortype") == "" {
				continue // not an error, or net/http's own
			}
			var doc struct{ Type, Message string }
			if err := json.Unmarshal(body.Bytes(), &doc); err != nil || doc.Message == "" || r.StatusCode < 400 {
				t.Errorf("%q: %s %q", wire, r.Status, body)
			}
		}
	})
}

// BenchmarkCheckPayload is what the public wire does more than the direct one.
func BenchmarkCheckPayload(b *testing.B) {
	for _, size := range []int{16, 1 << 10, 100 << 10} {
		payload := []byte(`{"name":"` + strings.Repeat("x", max(1, size-11)) + `"}`)
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if !json.Valid(payload) {
					b.Fatal("not JSON")
				}
			}
		})
	}
}
