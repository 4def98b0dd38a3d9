package http_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
	"github.com/coldcurve/coldcurve/platform/platformtest"
	"github.com/coldcurve/coldcurve/platform/platformtest/subject"
)

// TestConformance holds it to what every platform has to do, against a server
// whose replies carry a beacon.
func TestConformance(t *testing.T) {
	platformtest.Run(t, platformtest.Kit{
		Function: platform.Function{},
		Open: func(t testing.TB) platform.Platform {
			server := httptest.NewServer(withBeacon(&subject.Subject{}))
			t.Cleanup(server.Close)
			p, err := httpplatform.New(httpplatform.Options{URL: server.URL, Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
	})
}

// withBeacon serves a function as the snippets' documentation says.
func withBeacon(s *subject.Subject) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller has gone
		}
		answer, own, err := s.Serve(r.Context(), event)
		for name, value := range own.Headers() {
			w.Header().Set(name, value)
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(answer)
	})
}
