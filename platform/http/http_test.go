package http_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
)

// deploy makes the platform and its one deployment, and closes it with the test.
func deploy(t *testing.T, options httpplatform.Options) (platform.Deployment, *httpplatform.Platform) {
	t.Helper()
	p, err := httpplatform.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	d, err := p.Deploy(t.Context(), platform.Function{Name: "target"})
	if err != nil {
		t.Fatal(err)
	}
	return d, p
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func facts(t *testing.T, p *httpplatform.Platform) map[string]string {
	t.Helper()
	description, err := p.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return description.Facts
}

func TestStatusKinds(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.Header.Get("Want"))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	})
	for status, want := range map[int]sample.ErrorKind{
		200: sample.NoError, 204: sample.NoError, 304: sample.NoError,
		301: sample.Refused, 302: sample.Refused, 307: sample.Refused,
		429: sample.Throttled,
		408: sample.Timeout, 504: sample.Timeout,
		413: sample.Payload,
		400: sample.Refused, 403: sample.Refused, 404: sample.Refused,
		500: sample.Platform, 502: sample.Platform, 503: sample.Platform,
	} {
		d, _ := deploy(t, httpplatform.Options{URL: server.URL, Headers: map[string]string{"Want": strconv.Itoa(status)}})
		got, err := d.Invoke(t.Context(), platform.Request{})
		if kind := platform.KindOf(err); kind != want || got.Status != status {
			t.Errorf("status %d: kind %v (%v), status %d, want kind %v", status, kind, err, got.Status, want)
		}
	}
}

// TestExpectedStatus wants what is expected to be an answer, and nothing else,
// whatever it would be otherwise.
func TestExpectedStatus(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.Header.Get("Want"))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			io.WriteString(w, "body")
		}
	})
	for status, want := range map[int]string{
		302: "", 404: "",
		200: "invoke target: status 200 OK: expect_status has others",
		204: "invoke target: status 204 No Content: expect_status has others",
		301: "invoke target: status 301 Moved Permanently: to /elsewhere",
		500: "invoke target: status 500 Internal Server Error",
	} {
		d, p := deploy(t, httpplatform.Options{URL: server.URL, Expect: []int{302, 404}, Headers: map[string]string{"Want": strconv.Itoa(status)}})
		got, err := d.Invoke(t.Context(), platform.Request{WantBody: true})
		if err == nil && (want != "" || string(got.Body) != "body") || err != nil && err.Error() != want {
			t.Errorf("status %d: %q, %v, want %q", status, got.Body, err, want)
		}
		if fact := facts(t, p)["expect_status"]; fact != "302 404" {
			t.Errorf("facts: expect_status %q, want 302 404", fact)
		}
	}
	if _, err := httpplatform.New(httpplatform.Options{URL: server.URL, Expect: []int{100, 600}}); err == nil || !strings.Contains(err.Error(), "expect status 100 is none of a reply") || !strings.Contains(err.Error(), "600") {
		t.Errorf("statuses of no reply: %v", err)
	}
}

func TestRequest(t *testing.T) {
	type seen struct{ method, url, host, contentType, length, agent, key, authorization, body string }
	var last seen
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		last = seen{r.Method, r.URL.String(), r.Host, r.Header.Get("Content-Type"), r.Header.Get("Content-Length"),
			r.Header.Get("User-Agent"), r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"), string(body)}
		if r.TransferEncoding != nil || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("%s: transfer encoding %q, accept encoding %q, want none", r.Method, r.TransferEncoding, r.Header.Get("Accept-Encoding"))
		}
	})
	host := strings.TrimPrefix(server.URL, "http://")
	for _, c := range []struct {
		name    string
		options httpplatform.Options
		request platform.Request
		want    seen
	}{
		{
			name:    "bare",
			options: httpplatform.Options{URL: server.URL + "/a?b=c"},
			want:    seen{method: "GET", url: "/a?b=c", host: host, agent: "coldcurve"},
		},
		{
			name:    "payload",
			options: httpplatform.Options{URL: server.URL + "/"},
			request: platform.Request{Payload: []byte(`{"n":1}`)},
			want:    seen{method: "POST", url: "/", host: host, agent: "coldcurve", contentType: "application/json", length: "7", body: `{"n":1}`},
		},
		{
			name:    "payload of a type",
			options: httpplatform.Options{URL: server.URL + "/", Method: "PUT"},
			request: platform.Request{Payload: []byte("x"), ContentType: "text/plain"},
			want:    seen{method: "PUT", url: "/", host: host, agent: "coldcurve", contentType: "text/plain", length: "1", body: "x"},
		},
		{
			name:    "method without a payload",
			options: httpplatform.Options{URL: server.URL + "/", Method: "POST"},
			want:    seen{method: "POST", url: "/", host: host, agent: "coldcurve", length: "0"},
		},
		{
			name: "headers of the user",
			options: httpplatform.Options{URL: strings.Replace(server.URL, "http://", "http://me:secret@", 1) + "/", Headers: map[string]string{
				"Host": "shop.example", "user-agent": "mine", "content-type": "text/csv", "idempotency-key": "7",
			}},
			request: platform.Request{Payload: []byte("a,b")},
			want: seen{method: "POST", url: "/", host: "shop.example", agent: "mine", contentType: "text/csv", length: "3", key: "7",
				authorization: "Basic bWU6c2VjcmV0", body: "a,b"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := deploy(t, c.options)
			if _, err := d.Invoke(t.Context(), c.request); err != nil {
				t.Fatal(err)
			}
			if last != c.want {
				t.Errorf("the server saw\n%+v\nwant\n%+v", last, c.want)
			}
		})
	}
}

// TestFirstByte has a server wait with the rest until its first byte is there.
func TestFirstByte(t *testing.T) {
	arrived := make(chan struct{})
	var rest time.Time
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-arrived
		rest = time.Now()
		io.WriteString(w, "late")
	})
	d, _ := deploy(t, httpplatform.Options{URL: server.URL})
	before := time.Now()
	got, err := d.Invoke(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotFirstResponseByte: func() { close(arrived) }, // called after the platform's own
	}), platform.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if got.FirstByte.Before(before) || got.FirstByte.After(rest) {
		t.Errorf("first byte %v after the call, and the rest was sent %v after it", got.FirstByte.Sub(before), rest.Sub(before))
	}
}

// TestTimeoutAndCancellation asks a server that accepts and never answers, and
// one that stops in the middle of its answer.
func TestTimeoutAndCancellation(t *testing.T) {
	for name, half := range map[string]bool{"no answer": false, "half an answer": true} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{}, 1)
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if half {
					w.WriteHeader(http.StatusOK)
					w.(http.Flusher).Flush()
				}
				select {
				case arrived <- struct{}{}:
				default:
				}
				<-r.Context().Done()
			})
			for limit, begun := 50*time.Millisecond, false; !begun; limit *= 2 { // half an answer may need more time
				d, _ := deploy(t, httpplatform.Options{URL: server.URL, Timeout: limit})
				got, err := d.Invoke(t.Context(), platform.Request{})
				if begun = !half || !got.FirstByte.IsZero(); platform.KindOf(err) != sample.Timeout || !half && !got.FirstByte.IsZero() || !begun && limit > 10*time.Second {
					t.Fatalf("got %v, first byte %v, want a timeout after %v", err, got.FirstByte, limit)
				}
			}

			d, _ := deploy(t, httpplatform.Options{URL: server.URL})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-arrived
				cancel()
			}()
			if _, err := d.Invoke(ctx, platform.Request{}); platform.KindOf(err) != sample.Cancelled {
				t.Errorf("got %v, want it cancelled", err)
			}
		})
	}
}

// speak answers each connection with a function of its own: a server below HTTP.
func speak(t *testing.T, talk func(conn net.Conn, in *bufio.Reader)) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer conn.Close()
				talk(conn, bufio.NewReader(conn))
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wait.Wait()
	})
	return "http://" + listener.Addr().String()
}

func TestNetworkKinds(t *testing.T) {
	reply := func(text string) string {
		return speak(t, func(conn net.Conn, in *bufio.Reader) {
			if _, err := http.ReadRequest(in); err == nil {
				io.WriteString(conn, text)
			}
		})
	}
	for name, url := range map[string]string{
		"refused":    "http://127.0.0.1:1", // the kernel gives it to nobody who asks for any port
		"hung up":    reply(""),
		"no HTTP":    reply("hello\r\n\r\n"),
		"cut body":   reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
		"cut header": reply("HTTP/1.1 200 OK\r\nContent-"),
	} {
		d, _ := deploy(t, httpplatform.Options{URL: url})
		_, err := d.Invoke(t.Context(), platform.Request{})
		if _, typed := errors.AsType[*platform.Error](err); platform.KindOf(err) != sample.Network || !typed {
			t.Errorf("%s: got %v (kind %v), want a network error", name, err, platform.KindOf(err))
		}
	}
}

// TestSentOnce lets a server take a request on a connection that it has used
// before and hang up. The transport would send it again.
func TestSentOnce(t *testing.T) {
	for _, c := range []struct {
		method  string
		headers map[string]string
		payload []byte
	}{
		{method: "GET"},
		{method: "HEAD"},
		{method: "OPTIONS"},
		{method: "DELETE"},
		{method: "POST"},
		{method: "POST", headers: map[string]string{"Idempotency-Key": "1"}},
		{method: "PUT", payload: []byte("{}"), headers: map[string]string{"X-Idempotency-Key": "1"}},
		{method: "GET", payload: []byte("{}")},
	} {
		t.Run(c.method, func(t *testing.T) {
			var requests atomic.Int32
			url := speak(t, func(conn net.Conn, in *bufio.Reader) {
				for first := true; ; first = false {
					request, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					io.Copy(io.Discard, request.Body)
					requests.Add(1)
					if !first {
						return
					}
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			d, p := deploy(t, httpplatform.Options{URL: url, Method: c.method, Headers: c.headers})
			if _, err := d.Invoke(t.Context(), platform.Request{Payload: c.payload}); err != nil {
				t.Fatal(err)
			}
			_, err := d.Invoke(t.Context(), platform.Request{Payload: c.payload})
			if got := requests.Load(); got != 2 || platform.KindOf(err) != sample.Network {
				t.Errorf("2 invocations reached the server %d times; the second: %v, want a network error", got, err)
			}
			if got := facts(t, p)["connections"]; got != "1" {
				t.Errorf("%s connections, want 1", got)
			}
		})
	}
}

func TestConnections(t *testing.T) {
	const requests = 20
	for name, want := range map[string]string{"keep-alive": "1", "close": strconv.Itoa(requests)} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", name)
				io.WriteString(w, strings.Repeat("x", 100_000))
			})
			d, p := deploy(t, httpplatform.Options{URL: server.URL})
			for range requests {
				if _, err := d.Invoke(t.Context(), platform.Request{}); err != nil {
					t.Fatal(err)
				}
			}
			if got := facts(t, p)["connections"]; got != want {
				t.Errorf("%s connections for %d requests, want %s", got, requests, want)
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	headers := make(chan http.Header, 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for name, values := range <-headers {
			w.Header()[name] = values
		}
		if w.Header().Get("Fail") != "" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	d, p := deploy(t, httpplatform.Options{URL: server.URL})
	for i, c := range []struct {
		header http.Header
		want   platform.Evidence
	}{
		{http.Header{}, platform.Evidence{}},
		{http.Header{beacon.Instance: {"a"}, beacon.Ordinal: {"1"}}, platform.Evidence{Start: sample.Cold, Grade: sample.Beacon, Instance: "a"}},
		{http.Header{beacon.Instance: {"a"}, beacon.Ordinal: {"2"}}, platform.Evidence{Start: sample.Warm, Grade: sample.Beacon, Instance: "a"}},
		{http.Header{beacon.Instance: {"a"}, beacon.Ordinal: {"3"}, "Fail": {"1"}}, platform.Evidence{Start: sample.Warm, Grade: sample.Beacon, Instance: "a"}},
		{http.Header{beacon.Instance: {"a"}, beacon.Ordinal: {"1"}}, platform.Evidence{Instance: "a"}},
		{http.Header{beacon.Instance: {"b"}, beacon.Ordinal: {"?"}}, platform.Evidence{}},
		{http.Header{beacon.Instance: {"c"}, beacon.Ordinal: {"1"}, beacon.Age: {"3600000"}}, platform.Evidence{Start: sample.Provisioned, Grade: sample.Beacon, Instance: "c"}},
	} {
		headers <- c.header
		got, _ := d.Invoke(t.Context(), platform.Request{}) // a failure has its evidence too
		if got.Evidence != c.want {
			t.Errorf("reply %d: evidence %+v, want %+v", i, got.Evidence, c.want)
		}
	}
	if got := facts(t, p); got["beacon_contradictions"] != "1" || got["beacon_malformed"] != "1" {
		t.Errorf("facts %v, want one contradiction and one malformed beacon", got)
	}
}

func TestConcurrency(t *testing.T) {
	before := runtime.NumGoroutine()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		time.Sleep(time.Millisecond)
	}))
	p, err := httpplatform.New(httpplatform.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Deploy(t.Context(), platform.Function{Name: "target"})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			for range 10 {
				if _, err := d.Invoke(t.Context(), platform.Request{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := requests.Load(); got != 500 {
		t.Errorf("the server got %d requests, want 500", got)
	}
	if err := errors.Join(d.Remove(t.Context()), d.Remove(t.Context()), p.Close(t.Context()), p.Close(t.Context())); err != nil {
		t.Error(err)
	}
	server.Close()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestOptionFaults(t *testing.T) {
	for name, c := range map[string]struct {
		options httpplatform.Options
		want    []string
	}{
		"no url":       {httpplatform.Options{}, []string{`url "" is not absolute: write http://host/path`}},
		"no scheme":    {httpplatform.Options{URL: "example.com/x"}, []string{"is not absolute"}},
		"other scheme": {httpplatform.Options{URL: "ftp://example.com/x"}, []string{"is not absolute"}},
		"no host":      {httpplatform.Options{URL: "http:///x"}, []string{"is not absolute"}},
		"unreadable":   {httpplatform.Options{URL: "http://a b/"}, []string{"url cannot be read"}},
		"all at once": {
			httpplatform.Options{URL: "/", Method: "GET /", Headers: map[string]string{"a b": "", "C": "x\ny"}, Timeout: -1},
			[]string{"is not absolute", `method "GET /"`, `header "a b"`, "header C has a line break", "timeout -1ns is negative"},
		},
		"trace": {httpplatform.Options{URL: "http://x/", Method: "TRACE"}, []string{"method TRACE is for proxies"}},
	} {
		_, err := httpplatform.New(c.options)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
		}
	}
}

// TestSecrets looks for passwords and keys in what is printed and kept.
func TestSecrets(t *testing.T) {
	const secret = "hunter2"
	_, err := httpplatform.New(httpplatform.Options{URL: "ftp://me:" + secret + "@host/"})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v, want an error without the password", err)
	}
	_, err = httpplatform.New(httpplatform.Options{URL: "http://me:" + secret + "@host:port/"})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v, want an error without the password", err)
	}
	d, p := deploy(t, httpplatform.Options{URL: "http://me:" + secret + "@127.0.0.1:1/path?key=" + secret, Headers: map[string]string{"X-Api-Key": secret}})
	if _, err := d.Invoke(t.Context(), platform.Request{}); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v, want an error without secrets", err)
	}
	got := facts(t, p)
	for name, value := range got {
		if strings.Contains(value, secret) {
			t.Errorf("fact %s holds the secret: %s", name, value)
		}
	}
	if got["url"] != "http://127.0.0.1:1/path" || got["headers"] != "X-Api-Key" {
		t.Errorf("facts %v, want the URL without secrets and the header's name", got)
	}
}

// TestSecretsAreStruckOut is of servers that repeat what they were sent, in the
// words of a refusal and in what is no HTTP.
func TestSecretsAreStruckOut(t *testing.T) {
	const password, key = "correct-horse", "hidden-k3y"
	told := func(r *http.Request) string { return r.Header.Get("Authorization") + " " + r.Header.Get("X-Api-Key") }
	for want, answer := range map[string]http.HandlerFunc{
		"says: Basic [secret] [secret]": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic error_description="`+told(r)+`"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"malformed": func(w http.ResponseWriter, r *http.Request) {
			connection, buffer, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer connection.Close()
			buffer.WriteString("HTTP/1.1 " + told(r) + "\r\n\r\n")
			buffer.Flush()
		},
	} {
		server := serve(t, answer)
		d, _ := deploy(t, httpplatform.Options{
			URL: strings.Replace(server.URL, "//", "//me:"+password+"@", 1), Preset: "knative", Headers: map[string]string{"X-Api-Key": key},
		})
		_, err := d.Invoke(t.Context(), platform.Request{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
			continue
		}
		sent := base64.StdEncoding.EncodeToString([]byte("me:" + password))
		if text := err.Error() + platform.HintOf(err); strings.Contains(text, sent) || strings.Contains(text, key) {
			t.Errorf("it tells a secret: %s", text)
		}
	}
}

// TestProxySecretsAreStruckOut is of proxies that repeat what they were sent, and
// of their addresses where those are malformed: net/http tells them whole.
func TestProxySecretsAreStruckOut(t *testing.T) {
	repeating := serve(t, func(w http.ResponseWriter, r *http.Request) {
		connection, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		buffer.WriteString("HTTP/1.1 407 Not with " + r.Header.Get("Proxy-Authorization") + "\r\n\r\n")
		buffer.Flush()
	})
	for _, tt := range []struct{ proxy, password, want string }{
		{strings.Replace(repeating.URL, "//", "//me:correct%20horse@", 1), "correct horse", "Not with Basic [secret]"},
		{"http://me:correct/horse@proxy.example:3128", "correct/horse", `invalid proxy address "http://[secret]@proxy.example:3128": parse "http://[secret]@proxy.example:3128": invalid port ":[secret]" after host`},
		{"http://me:correct%horse@proxy.example:3128", "correct%horse", `parse "http://[secret]@proxy.example:3128": invalid URL escape "%ho"`},
		{"http://me:correct\x7fhorse@proxy.example:3128", "horse", `parse "http://[secret]@proxy.example:3128": net/url: invalid control character in URL`},
	} {
		t.Setenv("HTTPS_PROXY", tt.proxy)
		d, p := deploy(t, httpplatform.Options{URL: "https://192.0.2.1/"})
		p.Through(func(*http.Request) (*url.URL, error) {
			address, err := url.Parse(tt.proxy)
			if err != nil {
				return nil, fmt.Errorf("invalid proxy address %q: %w", tt.proxy, err)
			}
			return address, nil
		})
		_, err := d.Invoke(t.Context(), platform.Request{})
		sent := base64.StdEncoding.EncodeToString([]byte("me:" + tt.password))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), tt.password) || strings.Contains(err.Error(), sent) {
			t.Errorf("%s: got %v, want %s", tt.proxy, err, tt.want)
		}
	}
}

// TestRedirects wants a page to sign in not to be taken for the function, and
// told of without what is in its query.
func TestRedirects(t *testing.T) {
	for to, want := range map[string]string{
		"https://login.example.com/authorize?state=hidden": "invoke target: status 302 Found: to https://login.example.com/authorize",
		"/.auth/login": "invoke target: status 302 Found: to /.auth/login",
		"":             "invoke target: status 302 Found",
	} {
		var asked atomic.Int64
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		})
		d, _ := deploy(t, httpplatform.Options{URL: server.URL})
		_, err := d.Invoke(t.Context(), platform.Request{})
		if platform.KindOf(err) != sample.Refused || err.Error() != want || !strings.Contains(platform.HintOf(err), "a page to sign in, send what shows who asks (headers: of the scenario's platform http,") {
			t.Errorf("got %v, hint %q, want %q", err, platform.HintOf(err), want)
		}
		if asked.Load() != 1 {
			t.Errorf("asked %d times, want once", asked.Load())
		}
	}
}
