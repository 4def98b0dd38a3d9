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
// answer: after a stall hundreds are answered at once, and what that takes by
// HTTP (some 10 ms) is not what the experiment is about.
type stallable struct {
	listener net.Listener

	gate     sync.Mutex // held while an answer is written, one after the other as they came, and while the server is still
	from, to time.Time  // when it was; guarded by gate

	mu   sync.Mutex
	idle []net.Conn // the client's, for the next request
}

func listenStallable() (*stallable, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stallable{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go s.echo(conn)
		}
	}()
	return s, nil
}

// echo answers one connection until the client closes it.
func (s *stallable) echo(conn net.Conn) {
	defer conn.Close()
	var b [1]byte
	for {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
		s.gate.Lock()
		_, err := conn.Write(b[:])
		s.gate.Unlock()
		if err != nil {
			return
		}
	}
}

// stall keeps the server still for d.
func (s *stallable) stall(d time.Duration) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.from = time.Now()
	time.Sleep(d)
	s.to = time.Now()
}

// still is when the server was still.
func (s *stallable) still() (from, to time.Time) {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.from, s.to
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

// Remove stops the server and lets go of its connections.
func (s *stallable) Remove(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.idle {
		conn.Close()
	}
	s.idle = nil
	return s.listener.Close()
}
