package reference

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	handler := guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	tests := []struct {
		host   string
		header http.Header
		want   int
	}{
		{"127.0.0.1:9001", nil, http.StatusOK},
		{"127.0.0.1", nil, http.StatusOK},
		{"[::1]:9001", nil, http.StatusOK},
		{"localhost:9001", nil, http.StatusOK},
		{"evil.example:9001", nil, http.StatusForbidden},
		{"127.0.0.1.evil.example", nil, http.StatusForbidden},
		{"192.168.1.7:9001", nil, http.StatusForbidden},
		{"", nil, http.StatusForbidden},
		{"127.0.0.1:9001", http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		{"127.0.0.1:9001", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions", nil)
		r.Host = tt.host
		for name, values := range tt.header {
			r.Header[name] = values
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("Host %q, %v: status %d, want %d", tt.host, tt.header, w.Code, tt.want)
		}
	}
}

func TestServeRefusesOtherAddresses(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:9001", ":9001", "[::]:9001", "192.168.1.7:80", "example.com:80"} {
		if err := loopbackOnly(addr); err == nil || !strings.Contains(err.Error(), "no authentication") {
			t.Errorf("%s: %v, want a refusal", addr, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "127.9.9.9:1", "[::1]:9001", "localhost:9001"} {
		if err := loopbackOnly(addr); err != nil {
			t.Error(err)
		}
	}
	if err := Serve(context.Background(), ServeOptions{Addr: "0.0.0.0:0"}); err == nil {
		t.Error("Serve listened on all addresses")
	}
}
