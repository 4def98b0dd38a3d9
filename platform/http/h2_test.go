package http

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
)

// TestHTTP2 offers both protocols; it needs the transport, to trust the test's certificate.
func TestHTTP2(t *testing.T) {
	protocols := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		protocols <- r.Proto + " " + r.Method + " " + string(body)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	p, err := New(Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	p.transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	d, err := p.Deploy(t.Context(), platform.Function{Name: "target"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ payload, want string }{{"", "HTTP/2.0 GET "}, {"{}", "HTTP/2.0 POST {}"}} {
		request := platform.Request{}
		if c.payload != "" {
			request.Payload = []byte(c.payload)
		}
		got, err := d.Invoke(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if seen := <-protocols; seen != c.want || got.FirstByte.IsZero() {
			t.Errorf("the server saw %q, first byte %v, want %q and a time", seen, got.FirstByte, c.want)
		}
	}
	if got := p.dials.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}
