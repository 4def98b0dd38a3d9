package cli

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// stalled is an HTTP server on loopback that can be told to be still, behind
// the same adapter that a user's server is behind.
type stalled struct {
	platform.Deployment
	adapter *httpplatform.Platform
	server  *http.Server
	answers sync.RWMutex // held for reading by an answer, for writing by the stall
}

func serveStalled() (drive.StallServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stalled{}
	s.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.answers.RLock() // waits for the end of a stall
		defer s.answers.RUnlock()
		w.WriteHeader(http.StatusOK)
	})}
	go s.server.Serve(listener)
	s.adapter, err = httpplatform.New(httpplatform.Options{URL: "http://" + listener.Addr().String() + "/"})
	if err == nil {
		s.Deployment, err = s.adapter.Deploy(context.Background(), platform.Function{Name: "stalled"})
	}
	if err != nil {
		return nil, errors.Join(err, s.server.Close())
	}
	return s, nil
}

// Still keeps it from answering.
func (s *stalled) Still(d time.Duration) (from, to time.Time) {
	s.answers.Lock()
	defer s.answers.Unlock()
	from = time.Now()
	time.Sleep(d)
	return from, time.Now()
}

// Remove ends the server.
func (s *stalled) Remove(ctx context.Context) error {
	return errors.Join(s.Deployment.Remove(ctx), s.adapter.Close(ctx), s.server.Close())
}
