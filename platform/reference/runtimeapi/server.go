// Package runtimeapi owns the AWS Lambda Runtime API behind one instance: what
// a function's runtime polls for work and posts its answers to.
//
// In: a listener that only the instance should reach, and one [sandbox.Invocation]
// after the other, or several at once for an instance that polls for so many
// (as Lambda Managed Instances have it). Out: the instant of the first poll, and for each invocation
// one [Reply]; or the function's own account of a failed init. It starts and
// watches no process and enforces no deadline, which is the sandbox's work,
// and it serves one instance once: a new process gets a new Server. Who may
// connect is the listener's business.
//
// The calls are GET .../invocation/next, POST .../invocation/{id}/response,
// POST .../invocation/{id}/error and POST .../init/error below /2018-06-01/runtime.
// A streamed response is taken, and handed on when it is complete, which is how
// Lambda's Invoke answers; extensions are refused. There is one call
// that Lambda does not have: a runtime that is booted before it has a function
// asks for one with GET .../coldcurve/assignment, on the connection that it
// keeps for its work.
package runtimeapi

import (
	"context"
	"errors"
	"net"
	"slices"
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
	// Ended is the instant, on CLOCK_MONOTONIC, at which the handler was done:
	// the first byte of the instance's reply was there, or the last of one that
	// was streamed.
	Ended int64
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
// concurrent use, but Hand is called only while the instance has fewer
// invocations than it may hold at once.
type Server struct {
	clock    clock.Monotonic
	arn      string
	limit    int64
	listener net.Listener

	ready      chan struct{}
	initFailed chan InitError
	replies    chan Reply // of every invocation, where one is held at once
	slots      int        // most polls that wait and invocations that are held, together

	mu       sync.Mutex
	stem     *stem // nil: no stem, or not any more
	closed   bool
	begun    int64
	polled   int64
	booted   int64
	parked   []*conn   // the connections whose polls wait for work, the oldest first
	pending  []work    // that no poll has fetched
	held     []holding // the invocations that the instance holds
	answered string    // id of the one that it held last
	conns    map[*conn]struct{}
	loops    sync.WaitGroup
}

// work is an invocation and who waits for its reply.
type work struct {
	inv     *sandbox.Invocation
	replies chan Reply
}

// holding is work that the instance has.
type holding struct {
	work
	at int64
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
	config.SetMultipathTCP(false) // there is one path; Go's default costs each start a socket of both kinds
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
		slots:      1,
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

// Share lets the instance hold so many invocations at once, at least 1. It is
// called before the instance's first poll; without it that is 1.
func (s *Server) Share(slots int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots = slots
}

// Waiting is how many polls wait for work: what a runtime client fetches one
// after the other is one at most.
func (s *Server) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.parked)
}

// Hand gives the instance an invocation: to its poll that has waited longest at
// once, or else to its next. What it gives yields one Reply, unless the
// instance is gone first.
func (s *Server) Hand(inv *sandbox.Invocation) <-chan Reply {
	w := work{inv, s.replies}
	s.mu.Lock()
	if s.slots > 1 {
		w.replies = make(chan Reply, 1)
	}
	if len(s.parked) == 0 {
		s.pending = append(s.pending, w)
		s.mu.Unlock()
		return w.replies
	}
	c := s.parked[0]
	s.unpark(c)
	s.take(w)
	s.mu.Unlock()
	s.send(c, inv)
	return w.replies
}

// take marks an invocation as the instance's own. The caller holds mu.
func (s *Server) take(w work) { s.held = append(s.held, holding{w, s.clock.Now()}) }

// unpark forgets a waiting poll. The caller holds mu.
func (s *Server) unpark(c *conn) {
	if i := slices.Index(s.parked, c); i >= 0 {
		s.parked = slices.Delete(s.parked, i, i+1)
	}
}

// holds gives the place among what the instance holds, -1 if it is not there.
// The caller holds mu.
func (s *Server) holds(id string) int {
	return slices.IndexFunc(s.held, func(h holding) bool { return h.inv.RequestID == id })
}

// send writes an invocation to a poll. A poll that cannot be written to is
// dead, and the invocation goes to another.
func (s *Server) send(c *conn, inv *sandbox.Invocation) {
	for c.writeInvocation(inv, s.arn) != nil {
		dead := c
		s.mu.Lock()
		if i := s.holds(inv.RequestID); i < 0 {
			c = nil
		} else if len(s.parked) > 0 {
			c = s.parked[0]
			s.unpark(c)
			s.held[i].at = s.clock.Now()
		} else {
			c = nil
			s.pending = append(s.pending, s.held[i].work)
			s.held = slices.Delete(s.held, i, i+1)
		}
		s.mu.Unlock()
		dead.close()
		if c == nil {
			return
		}
	}
}

// Handed is the instant at which an invocation that is not yet answered was
// written to the instance, 0 if it was not.
func (s *Server) Handed(id string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.holds(id); i >= 0 {
		return s.held[i].at
	}
	return 0
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
	s.part()
	err := s.listener.Close()
	s.loops.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Retire is Close, but for the listener, which it gives back for another Server.
// If that cannot be, the listener is closed and there is none. It is called when
// whoever could connect has gone.
func (s *Server) Retire() (net.Listener, error) {
	l, ok := s.listener.(interface{ SetDeadline(time.Time) error })
	if !ok || backlog(s.listener) {
		return nil, s.Close()
	}
	s.part()
	err := l.SetDeadline(time.Unix(1, 0)) // ends what waits in Accept
	if err == nil {
		s.loops.Wait()
		err = l.SetDeadline(time.Time{})
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s.listener, nil
}

// part ends every connection, those to come as well.
func (s *Server) part() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		c.close()
	}
}

// accept takes one connection and serves it in its own goroutine, having left
// the listener to the next: a cold start's first poll is answered without a
// switch between the two.
func (s *Server) accept() {
	defer s.loops.Done()
	nc, err := s.listener.Accept()
	if err != nil {
		return // closed, or taken back; nothing else ends a loopback listener
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
	s.unpark(c)
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
