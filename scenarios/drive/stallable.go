package drive

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// stallable is an echo server on loopback that can be told to answer nobody,
// and the deployment that calls it. A request is one byte, and so is its
// answer, and one goroutine answers them all in their order: after a stall
// hundreds are answered at once, and what that takes by HTTP (some 10 ms) is
// not what the experiment is about.
type stallable struct {
	listener net.Listener
	asked    chan net.Conn      // requests to answer, as they came
	stalls   chan time.Duration // orders to be still
	still    chan interval      // when it was; one for each order
	closed   chan struct{}

	mu   sync.Mutex
	idle []net.Conn // the client's, for the next request
}

type interval struct{ from, to time.Time }

func listenStallable() (*stallable, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stallable{
		listener: l,
		asked:    make(chan net.Conn, defaultInFlight),
		stalls:   make(chan time.Duration, 1),
		still:    make(chan interval, 1),
		closed:   make(chan struct{}),
	}
	go s.accept()
	go s.answer()
	return s, nil
}

func (s *stallable) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		go s.listen(conn)
	}
}

// listen takes one connection's requests until the client closes it.
func (s *stallable) listen(conn net.Conn) {
	defer conn.Close()
	var b [1]byte
	for {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
		select {
		case s.asked <- conn:
		case <-s.closed:
			return
		}
	}
}

func (s *stallable) answer() {
	b := []byte{'!'}
	for {
		select {
		case conn := <-s.asked:
			conn.Write(b) // a client that has gone wants no answer
		case d := <-s.stalls:
			from := time.Now()
			time.Sleep(d)
			s.still <- interval{from, time.Now()}
		case <-s.closed:
			return
		}
	}
}

// Invoke sends one request over an idle connection, or a new one.
func (s *stallable) Invoke(ctx context.Context, _ platform.Request) (platform.Response, error) {
	conn, err := s.connection(ctx)
	if err == nil {
		err = exchange(ctx, conn)
	}
	if err != nil {
		return platform.Response{}, &platform.Error{Kind: sample.Network, Op: "invoke stalled server", Err: err}
	}
	s.keep(conn)
	return platform.Response{Status: 200}, nil
}

// exchange makes one request, and closes conn if that fails.
func exchange(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	b := [1]byte{'?'}
	_, err := conn.Write(b[:])
	if err == nil {
		_, err = conn.Read(b[:])
	}
	if err != nil {
		conn.Close()
	}
	return err
}

func (s *stallable) connection(ctx context.Context) (net.Conn, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		defer s.mu.Unlock()
		conn := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return conn, nil
	}
	s.mu.Unlock()
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.listener.Addr().String())
}

func (s *stallable) keep(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, conn)
}

// Remove stops the server and lets go of its connections. It is called once.
func (s *stallable) Remove(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.idle {
		conn.Close()
	}
	s.idle = nil
	close(s.closed)
	return s.listener.Close()
}
