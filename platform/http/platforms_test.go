package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/beacon"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// open opens a preset's platform at a server of this machine, with a secret
// from an environment of the test's own.
func open(t *testing.T, secret string, o httpplatform.Options) (platform.Deployment, *httpplatform.Platform) {
	t.Helper()
	preset, err := httpplatform.FindPreset(o.Preset)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir()) // nobody's gcloud is asked
	env := func(name string) string {
		if name == httpplatform.SecretVariable {
			return secret
		}
		return ""
	}
	if o.Secret, err = httpplatform.FindSecret(t.Context(), &preset, env); err != nil {
		t.Fatal(err)
	}
	return deploy(t, o)
}

// cloudRun answers as Cloud Run's front end does, for a service that wants an
// invoker's token.
func cloudRun(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "Google Frontend")
	switch r.Header.Get("Authorization") {
	case "":
		http.Error(w, "Your client does not have permission to get URL / from this server.", http.StatusForbidden)
	case "Bearer invoker":
		io.WriteString(w, "{}")
	case "Bearer busy":
		http.Error(w, "Rate exceeded.", http.StatusTooManyRequests)
	case "Bearer stranger":
		http.Error(w, "Forbidden", http.StatusForbidden)
	default:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token" error_description="The access token could not be verified"`)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	}
}

// azure answers as the Functions host does, for the function hello of level
// function.
func azure(w http.ResponseWriter, r *http.Request) {
	switch key := r.Header.Get("X-Functions-Key"); {
	case r.URL.Path != "/api/hello":
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Query().Has("code"):
		http.Error(w, "a key in a request line", http.StatusTeapot)
	case key == "busy":
		w.WriteHeader(http.StatusTooManyRequests)
	case key != "k3y==":
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// knative answers as an ingress with the service hello behind it does.
func knative(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Host != "hello.default.example.com":
		w.WriteHeader(http.StatusNotFound)
	case r.Header.Get("Want") == "full":
		http.Error(w, "pending request queue full", http.StatusServiceUnavailable)
	case r.Header.Get("Want") == "broken":
		http.Error(w, "upstream connect error", http.StatusServiceUnavailable)
	}
}

// openFaaS answers as the gateway does, with the functions hello, open to
// everybody, and closed, whose watchdog wants a token.
func openFaaS(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/function/hello" && r.Header.Get("Want") == "full":
		http.Error(w, "Concurrent request limit exceeded. Max concurrent requests: 1", http.StatusTooManyRequests)
	case r.URL.Path == "/function/hello":
	case r.URL.Path == "/function/closed" && r.Header.Get("Authorization") != "Bearer issued":
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path != "/function/closed":
		http.Error(w, "error finding function", http.StatusNotFound)
	}
}

// edge answers as Cloudflare's does, for a worker with the beacon: isolates are
// started where and when it pleases, each takes several requests at a time, and
// any may go. What fails is a page of the edge's own, without the worker's headers.
type edge struct {
	mu       sync.Mutex
	random   *rand.Rand
	isolates []*subject.Subject
}

func newEdge() *edge { return &edge{random: rand.New(rand.NewPCG(1, 2))} }

// isolate is that which takes the next request.
func (e *edge) isolate() *subject.Subject {
	e.mu.Lock()
	defer e.mu.Unlock()
	const most, oneIn = 4, 5
	if len(e.isolates) == 0 || e.random.IntN(oneIn) == 0 {
		e.isolates = append(e.isolates[max(0, len(e.isolates)+1-most):], &subject.Subject{})
	}
	return e.isolates[e.random.IntN(len(e.isolates))]
}

func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "cloudflare")
	w.Header().Set("CF-RAY", "8f1e0d7c6b5a4938-FRA")
	page := func(status int, code string) { http.Error(w, "error code: "+code, status) }
	switch code := r.Header.Get("Want"); {
	case r.URL.Path == "/none":
		w.WriteHeader(http.StatusNotFound)
		return
	case code == "1015" || code == "1027":
		page(http.StatusTooManyRequests, code)
		return
	case code == "1102":
		page(http.StatusServiceUnavailable, code)
		return
	}
	event, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	answer, own, err := e.isolate().Serve(r.Context(), event)
	if err != nil {
		page(http.StatusInternalServerError, "1101")
		return
	}
	for name, value := range own.Headers() {
		w.Header().Set(name, value)
	}
	w.Header().Del(beacon.Started) // the process's: an isolate does not know how long it has been there
	w.Header().Del(beacon.Age)
	_, _ = w.Write(answer)
}

// TestCloudflare holds the kit against a worker at an edge: whatever isolate
// answers, what is told of its start has to agree with what it knows of itself.
func TestCloudflare(t *testing.T) {
	platformtest.Run(t, platformtest.Kit{
		Function: platform.Function{},
		Open: func(t testing.TB) platform.Platform {
			server := httptest.NewServer(newEdge())
			t.Cleanup(server.Close)
			p, err := httpplatform.New(httpplatform.Options{URL: server.URL, Preset: "cloudflare", Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
	})
}

// TestPlatforms holds each preset against a server with its platform's wire format.
func TestPlatforms(t *testing.T) {
	for _, tt := range []struct {
		name    string
		serve   http.HandlerFunc
		preset  string
		url     string // after the server's
		host    string
		secret  string
		headers map[string]string
		calls   string // the function; "" for hello
		kind    sample.ErrorKind
		says    string // of the error, "" for none
	}{
		{name: "cloud run", serve: cloudRun, preset: "cloudrun", secret: "invoker"},
		{name: "cloud run, nobody signed in", serve: cloudRun, preset: "cloudrun", kind: sample.Refused,
			says: "status 403 Forbidden: no identity token was sent (COLDCURVE_TOKEN is not set, and gcloud is not on the PATH); `gcloud auth login`"},
		{name: "cloud run, not an invoker", serve: cloudRun, preset: "cloudrun", secret: "stranger", kind: sample.Refused,
			says: "status 403 Forbidden: the identity token of COLDCURVE_TOKEN does not open it; `gcloud auth login` signs in, and whoever asks needs the role"},
		{name: "cloud run, a token that is none", serve: cloudRun, preset: "cloudrun", secret: "forged", kind: sample.Refused,
			says: "status 401 Unauthorized: the identity token of COLDCURVE_TOKEN does not open it, as the server says: The access token could not be verified; "},
		{name: "cloud run, throttled", serve: cloudRun, preset: "cloudrun", secret: "busy", kind: sample.Throttled, says: "status 429"},

		{name: "azure", serve: azure, preset: "azure", secret: "k3y=="},
		{name: "azure, the portal's URL", serve: azure, preset: "azure", url: "/api/hello?code=k3y%3D%3D"},
		{name: "azure, no key", serve: azure, preset: "azure", kind: sample.Refused, says: "status 401 Unauthorized: no function key was sent (COLDCURVE_TOKEN is not set); `func azure"},
		{name: "azure, another key", serve: azure, preset: "azure", secret: "other", kind: sample.Refused, says: "status 401 Unauthorized: the function key of COLDCURVE_TOKEN does not open it; "},
		{name: "azure, throttled", serve: azure, preset: "azure", secret: "busy", kind: sample.Throttled, says: "status 429"},

		{name: "knative", serve: knative, preset: "knative", host: "hello.default.example.com"},
		{name: "knative, several services", serve: knative, preset: "knative", host: "{function}.default.example.com"},
		{name: "knative, no host", serve: knative, preset: "knative", kind: sample.Refused, says: "status 404 Not Found: the ingress goes by host: --host NAME.NAMESPACE.DOMAIN"},
		{name: "knative, a full queue", serve: knative, preset: "knative", host: "hello.default.example.com", headers: map[string]string{"Want": "full"},
			kind: sample.Throttled, says: "status 503 Service Unavailable: for want of capacity, as the server says: pending request queue full"},
		{name: "knative, broken", serve: knative, preset: "knative", host: "hello.default.example.com", headers: map[string]string{"Want": "broken"},
			kind: sample.Platform, says: "status 503 Service Unavailable"},

		{name: "cloudflare", serve: newEdge().ServeHTTP, preset: "cloudflare"},
		{name: "cloudflare, no worker", serve: newEdge().ServeHTTP, preset: "cloudflare", url: "/none", kind: sample.Refused, says: "status 404 Not Found: a worker is at https://NAME.SUBDOMAIN.workers.dev"},
		{name: "cloudflare, in a burst", serve: newEdge().ServeHTTP, preset: "cloudflare", headers: map[string]string{"Want": "1015"}, kind: sample.Throttled, says: "status 429"},
		{name: "cloudflare, the day's requests", serve: newEdge().ServeHTTP, preset: "cloudflare", headers: map[string]string{"Want": "1027"}, kind: sample.Throttled, says: "status 429"},
		{name: "cloudflare, too long on the processor", serve: newEdge().ServeHTTP, preset: "cloudflare", headers: map[string]string{"Want": "1102"}, kind: sample.Platform, says: "status 503"},

		{name: "openfaas", serve: openFaaS, preset: "openfaas"},
		{name: "openfaas, a path of one's own", serve: openFaaS, preset: "openfaas", url: "/function/hello"},
		{name: "openfaas, a token", serve: openFaaS, preset: "openfaas", calls: "closed", secret: "issued"},
		{name: "openfaas, no token", serve: openFaaS, preset: "openfaas", calls: "closed", kind: sample.Refused, says: "status 401 Unauthorized: no function token was sent"},
		{name: "openfaas, no function", serve: openFaaS, preset: "openfaas", calls: "gone", kind: sample.Refused, says: "status 404 Not Found: the gateway knows no such function"},
		{name: "openfaas, throttled", serve: openFaaS, preset: "openfaas", headers: map[string]string{"Want": "full"}, kind: sample.Throttled, says: "status 429"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, tt.serve)
			_, p := open(t, tt.secret, httpplatform.Options{URL: server.URL + tt.url, Host: tt.host, Preset: tt.preset, Headers: tt.headers})
			if tt.calls == "" {
				tt.calls = "hello"
			}
			d, err := p.Deploy(t.Context(), platform.Function{Name: tt.calls})
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Invoke(t.Context(), platform.Request{Payload: []byte("{}")})
			if said := fmt.Sprint(err, "; ", platform.HintOf(err)); platform.KindOf(err) != tt.kind || !strings.Contains(said, tt.says) {
				t.Errorf("got %s (%s), want kind %s, %q", said, platform.KindOf(err), tt.kind, tt.says)
			}
			description, _ := p.Describe(t.Context())
			for name, value := range description.Facts {
				if tt.secret != "" && strings.Contains(value, tt.secret) || strings.Contains(value, "k3y") {
					t.Errorf("fact %s tells the secret: %s", name, value)
				}
			}
			if len(description.Notes) == 0 || !strings.Contains(description.Notes[0], "not run live") {
				t.Errorf("notes %q, want that it was not run live", description.Notes)
			}
		})
	}
}

// TestExpiresMeanwhile is of a token that was good when the run began.
func TestExpiresMeanwhile(t *testing.T) {
	server := serve(t, cloudRun)
	const past = "eyJ9." + "eyJleHAiOjE3NjM4MDAwMDB9" + ".sig" // {"exp":1763800000}, November 2025
	secret := httpplatform.Secret{From: "gcloud", Expires: time.Unix(1763800000, 0)}
	p, err := httpplatform.New(httpplatform.Options{URL: server.URL, Preset: "cloudrun", Secret: httpplatform.Aged(secret, past)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	d, err := p.Deploy(t.Context(), platform.Function{Name: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Invoke(t.Context(), platform.Request{})
	const want = "status 401 Unauthorized: the identity token of gcloud expired at 2025-11-22 08:26:40 UTC"
	if platform.KindOf(err) != sample.Refused || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), past) {
		t.Errorf("got %v, want %q", err, want)
	}
	if hint := platform.HintOf(err); !strings.HasPrefix(hint, "`gcloud auth login` signs in") {
		t.Errorf("hint %q", hint)
	}
}

// TestHalfDead is of a front end that accepts, reads, and never answers.
func TestHalfDead(t *testing.T) {
	url := strings.TrimSuffix(speak(t, func(_ net.Conn, in *bufio.Reader) {
		if line, err := in.ReadString('\n'); err == nil && !strings.HasPrefix(line, "GET /function/target ") {
			t.Errorf("it was asked %q", line)
		}
		io.Copy(io.Discard, in) // until the caller has enough of it
	}), "/")
	d, _ := open(t, "", httpplatform.Options{URL: url, Preset: "openfaas", Timeout: 300 * time.Millisecond})
	_, err := d.Invoke(t.Context(), platform.Request{})
	platformtest.ExpectFailure(t, err, sample.Timeout, "invoke target: no answer from "+url+" within 300 ms", "the limit is timeout:")
}

// TestColdHeader is of KEDA's interceptor, in front of a function with a beacon
// and of one without, and of one that lies.
func TestColdHeader(t *testing.T) {
	const header = "X-KEDA-HTTP-Cold-Start"
	replies := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range <-replies {
			for _, value := range values {
				w.Header().Add(name, value)
			}
		}
	}))
	defer server.Close()
	d, p := deploy(t, httpplatform.Options{URL: server.URL})
	own := func(instance, ordinal string, said ...string) http.Header {
		h := http.Header{header: said}
		if instance != "" {
			h[beacon.Instance], h[beacon.Ordinal] = []string{instance}, []string{ordinal}
		}
		return h
	}
	aged := func(instance, age string) http.Header {
		h := own(instance, "1", "true")
		h[beacon.Age] = []string{age}
		return h
	}
	attested := func(start sample.Start, instance string) platform.Evidence {
		return platform.Evidence{Start: start, Grade: sample.Attested, Instance: instance}
	}
	for i, c := range []struct {
		header http.Header
		want   platform.Evidence
	}{
		{own("", "", "true"), attested(sample.Cold, "")},
		{own("", "", "false"), attested(sample.Warm, "")},
		{own("a", "1", "true"), attested(sample.Cold, "a")},
		{own("a", "2", "false"), attested(sample.Warm, "a")},
		{own("b", "1", "false"), attested(sample.Provisioned, "b")},
		{own("c", "2", "true"), attested(sample.Queued, "c")},
		{own("a", "3", "true"), platform.Evidence{Instance: "a"}}, // the lie
		{aged("d", "60000"), attested(sample.Queued, "d")},        // for a start that was under way
		{own("a", "4", "maybe"), platform.Evidence{Start: sample.Warm, Grade: sample.Beacon, Instance: "a"}},
		{own("a", "5", "true", "false"), platform.Evidence{Start: sample.Warm, Grade: sample.Beacon, Instance: "a"}},
	} {
		replies <- c.header
		got, err := d.Invoke(t.Context(), platform.Request{})
		if err != nil || got.Evidence != c.want {
			t.Errorf("reply %d: evidence %+v, %v, want %+v", i, got.Evidence, err, c.want)
		}
	}
	description, _ := p.Describe(t.Context())
	want := []string{
		"1 times the platform told a start of a process that had answered before: those start kinds are unknown",
		"2 replies have a header X-Keda-Http-Cold-Start that is neither true nor false: it is not believed",
	}
	if strings.Join(description.Notes, "\n") != strings.Join(want, "\n") {
		t.Errorf("notes %q, want %q", description.Notes, want)
	}
}
