// Package runtimeapi owns the AWS Lambda Runtime API behind one instance: what
// a function's runtime polls for work and posts its answers to.
//
// In: a listener that only the instance should reach, and one [sandbox.Invocation]
// after the other. Out: the instant of the first poll, and for each invocation
// one [Reply]; or the function's own account of a failed init. It starts and
// watches no process and enforces no deadline, which is the sandbox's work,
// and it serves one instance once: a new process gets a new Server. Who may
// connect is the listener's business.
//
// The calls are GET .../invocation/next, POST .../invocation/{id}/response,
// POST .../invocation/{id}/error and POST .../init/error below /2018-06-01/runtime.
// Streamed responses and extensions are refused, not emulated. There is one call
// that Lambda does not have: a runtime that is booted before it has a function
// asks for one with GET .../coldcurve/assignment, on the connection that it
// keeps for its work.
package runtimeapi

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// Reply is how an instance ended one invocation.
type Reply struct {
	Kind ReplyKind
	Body []byte // owned by the receiver; nil for TooLarge
	// Handed is the instant, on CLOCK_MONOTONIC, just before the invocation
	// was written to the instance.
	Handed int64
	// FirstByte is the instant, on CLOCK_MONOTONIC, at which the first byte of
	// the instance's reply was there.
	FirstByte int64
}

// ReplyKind is the way in which an invocation ended.
type ReplyKind uint8

const (
	Response ReplyKind = iota // the handler returned
	Error                     // the handler failed; the body is its account
	TooLarge                  // the response exceeds the limit and was refused
)

// InitError is a function's own account of why its init failed.
type InitError struct {
	Type, Message string
}

// Server is the Runtime API of one instance. Its methods are safe for
// concurrent use, but Hand is called only when the invocation before is over.
type Server struct {
	clock    clock.Monotonic
	arn      string
	limit    int64
	listener net.Listener

	ready      chan struct{}
	initFailed chan InitError
	replies    chan Reply

	mu       sync.Mutex
	stem     *stem // nil: no stem, or not any more
	closed   bool
	begun    int64
	polled   int64
	booted   int64
	parked   *conn               // the connection whose poll waits for work
	pending  *sandbox.Invocation // work that no poll has fetched
	current  string              // id of the invocation that the instance holds
	answered string              // id of the one before
	handed   int64
	conns    map[*conn]struct{}
	loops    sync.WaitGroup
}

// Listen opens a loopback address for one instance. It wakes the accepting
// side only when a connection's first bytes are there, which spares a cold
// start one round of the scheduler.
func Listen() (net.Listener, error) {
	config := net.ListenConfig{
		KeepAlive: -1, // probes on loopback cost four system calls and tell nothing
		Control: func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(deferAccept)
		},
	}
	return config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
}

// Serve answers on a listener, which it owns from now on, until Close.
// maxResponse is the most bytes of a response, > 0.
func Serve(listener net.Listener, clock clock.Monotonic, maxResponse units.Bytes) *Server {
	s := &Server{
		clock:      clock,
		limit:      int64(maxResponse),
		listener:   listener,
		ready:      make(chan struct{}),
		initFailed: make(chan InitError, 1),
		replies:    make(chan Reply, 1),
		conns:      make(map[*conn]struct{}),
	}
	s.loops.Add(1)
	go s.accept()
	return s
}

// Begin ties the server to an instance: the ARN that its invocations carry,
// and the instant of its start, before which nothing can have booted. It is
// called before the instance's process runs, or before its stem is assigned.
func (s *Server) Begin(arn string, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arn, s.begun = arn, at
}

// Addr is host:port, as AWS_LAMBDA_RUNTIME_API wants it.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Ready is closed at the instance's first poll: its init is done.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// InitFailed yields the instance's account of a failed init, at most once.
func (s *Server) InitFailed() <-chan InitError { return s.initFailed }

// Polled is the instant of the first poll and Booted that of the runtime's
// own first instruction, if its client said so and it can be; 0 is not known.
func (s *Server) Polled() (polled, booted int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.polled, s.booted
}

// Replies yields one Reply for each Hand, unless the instance is gone first.
func (s *Server) Replies() <-chan Reply { return s.replies }

// Hand gives the instance an invocation: to its waiting poll at once, or else
// to its next.
func (s *Server) Hand(inv *sandbox.Invocation) {
	s.mu.Lock()
	c := s.parked
	if c == nil {
		s.pending = inv
		s.mu.Unlock()
		return
	}
	s.take(inv)
	s.mu.Unlock()
	s.send(c, inv)
}

// take marks an invocation as the instance's own. The caller holds mu.
func (s *Server) take(inv *sandbox.Invocation) {
	s.parked, s.pending = nil, nil
	s.current = inv.RequestID
	s.handed = s.clock.Now()
}

// send writes an invocation to a poll. A poll that cannot be written to is
// dead, and the invocation waits for the next one.
func (s *Server) send(c *conn, inv *sandbox.Invocation) {
	if c.writeInvocation(inv, s.arn) == nil {
		return
	}
	s.mu.Lock()
	if s.current == inv.RequestID {
		s.current, s.handed, s.pending = "", 0, inv
	}
	s.mu.Unlock()
	c.close()
}

// Handed is the instant at which the invocation that is not yet answered was
// written to the instance, 0 if it was not.
func (s *Server) Handed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handed
}

// Drain waits until every connection has ended, which after the end of the
// instance's process means that everything it sent has been read; or for as
// long as limit, if another process still holds one.
func (s *Server) Drain(limit time.Duration) {
	// One look is not enough: a connection can be on its way from the
	// listener's queue to the list of those that are served.
	for seen, start := 0, time.Now(); seen < 2 && time.Since(start) < limit; {
		if s.served() == 0 && !backlog(s.listener) {
			seen++
		} else {
			seen = 0
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func (s *Server) served() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close ends the listener and every connection and waits until they are gone.
// It is idempotent.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.close()
	}
	s.mu.Unlock()
	err := s.listener.Close()
	s.loops.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// accept takes one connection and serves it in its own goroutine, having left
// the listener to the next: a cold start's first poll is answered without a
// switch between the two.
func (s *Server) accept() {
	defer s.loops.Done()
	nc, err := s.listener.Accept()
	if err != nil {
		return // closed; nothing else ends a loopback listener
	}
	c := newConn(nc)
	if !s.admit(c) {
		c.close()
		return
	}
	go s.accept()
	s.serve(c)
	s.mu.Lock()
	delete(s.conns, c)
	if s.parked == c {
		s.parked = nil
	}
	if s.stem != nil && s.stem.parked == c {
		s.stem.parked = nil
	}
	s.mu.Unlock()
	c.close()
}

func (s *Server) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	s.loops.Add(1) // for the accept that follows
	return true
}
