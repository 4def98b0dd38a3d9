package drive

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// echo is the least [StallServer]. A request is one byte, and so is its answer,
// and one goroutine answers them all in their order: after a stall hundreds are
// answered at once, and what that takes (some 20 ms by HTTP, some 8 ms so, on two
// cores) is not what callers were stalled for.
type echo struct {
	listener net.Listener
	asked    chan net.Conn      // requests to answer, as they came
	stalls   chan time.Duration // orders to be still
	stilled  chan interval      // when it was; one for each order
	closed   chan struct{}

	mu   sync.Mutex
	idle []net.Conn // the client's, for the next request
}

func listenEcho() (*echo, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &echo{
		listener: l,
		asked:    make(chan net.Conn, defaultInFlight),
		stalls:   make(chan time.Duration, 1),
		stilled:  make(chan interval, 1),
		closed:   make(chan struct{}),
	}
	go e.accept()
	go e.answer()
	return e, nil
}

func (e *echo) accept() {
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			return // closed
		}
		go e.listen(conn)
	}
}

// listen takes one connection's requests until the client closes it.
func (e *echo) listen(conn net.Conn) {
	defer conn.Close()
	var b [1]byte
	for {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
		select {
		case e.asked <- conn:
		case <-e.closed:
			return
		}
	}
}

func (e *echo) answer() {
	b := []byte{'!'}
	for {
		select {
		case conn := <-e.asked:
			conn.Write(b) // a client that has gone wants no answer
		case d := <-e.stalls:
			from := time.Now()
			time.Sleep(d)
			e.stilled <- interval{from, time.Now()}
		case <-e.closed:
			return
		}
	}
}

// Still keeps it from answering.
func (e *echo) Still(d time.Duration) (from, to time.Time) {
	e.stalls <- d
	select {
	case was := <-e.stilled:
		return was.from, was.to
	case <-e.closed:
		return time.Time{}, time.Time{}
	}
}

// Invoke sends one request over an idle connection, or a new one.
func (e *echo) Invoke(ctx context.Context, _ platform.Request) (platform.Response, error) {
	conn, err := e.connection(ctx)
	if err == nil {
		err = exchange(ctx, conn)
	}
	if err != nil {
		return platform.Response{}, &platform.Error{Kind: sample.Network, Op: "invoke stalled server", Err: err}
	}
	e.keep(conn)
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

func (e *echo) connection(ctx context.Context) (net.Conn, error) {
	e.mu.Lock()
	if n := len(e.idle); n > 0 {
		defer e.mu.Unlock()
		conn := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return conn, nil
	}
	e.mu.Unlock()
	var d net.Dialer
	return d.DialContext(ctx, "tcp", e.listener.Addr().String())
}

func (e *echo) keep(conn net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = append(e.idle, conn)
}

// Remove stops the server and lets go of its connections. It is called once.
func (e *echo) Remove(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, conn := range e.idle {
		conn.Close()
	}
	e.idle = nil
	close(e.closed)
	return e.listener.Close()
}
