package runtimeapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// stem is a runtime that waits for its function.
type stem struct {
	booted   chan struct{}
	polled   bool
	parked   *conn  // the connection whose call waits for the assignment
	document []byte // the assignment that no call has fetched
}

// ExpectStem admits the one call by which a runtime asks for its function. It
// is called before the runtime's process runs. Booted is closed at that call.
func (s *Server) ExpectStem() (booted <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stem = &stem{booted: make(chan struct{})}
	return s.stem.booted
}

// Assign gives the stem its function, once: the environment ("NAME=value") in
// which the function's process would have been started, with the task root and
// the handler in it. A stem that has not asked yet gets it when it does.
func (s *Server) Assign(env []string) error {
	document, err := sandbox.Variables(env)
	if err != nil {
		return fmt.Errorf("assign a function: %w", err)
	}
	s.mu.Lock()
	if s.stem == nil || s.stem.document != nil {
		s.mu.Unlock()
		return errors.New("assign a function: nobody waits for one")
	}
	c := s.stem.parked
	if c == nil {
		s.stem.document = document
		s.mu.Unlock()
		return nil
	}
	s.stem = nil
	s.mu.Unlock()
	if err := c.writeDocument(document); err != nil {
		return fmt.Errorf("assign a function: %w", err)
	}
	return nil
}

// assignment takes a stem's call. It comes once, from a runtime of ours.
func (s *Server) assignment(c *conn, req *http.Request) error {
	if err := s.drain(c, req); err != nil {
		return err
	}
	s.mu.Lock()
	st := s.stem
	if st == nil || st.polled {
		s.mu.Unlock()
		return s.refuse(c, req, unknownPath(req))
	}
	st.polled = true
	close(st.booted)
	document := st.document
	if document != nil {
		s.stem = nil
	} else {
		st.parked = c
	}
	s.mu.Unlock()
	if document == nil {
		return nil
	}
	return c.writeDocument(document)
}
