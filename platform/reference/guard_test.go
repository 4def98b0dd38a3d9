package reference

import (
	"net/http"
	"net/http/httptest"
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
		{"127.0.0.1:80/", nil, http.StatusForbidden},
		{"127.0.0.1:", nil, http.StatusForbidden},
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
