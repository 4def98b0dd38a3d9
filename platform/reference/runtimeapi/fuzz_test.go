package runtimeapi_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/runtimeapi"
)

// pipes is a listener of in-memory connections.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), ended: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.ended) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// FuzzRuntimeAPI sends anything to an instance's Runtime API while it holds
// one invocation. Whatever is sent, the answers are HTTP, an invocation has at
// most one reply, its body is within the limit, and Close ends everything.
func FuzzRuntimeAPI(f *testing.F) {
	f.Add([]byte(poll), []byte(post("invocation/"+id+"/response", "pong")))
	f.Add([]byte(poll), []byte(post("invocation/"+id+"/error", `{"errorType":"E"}`)+poll))
	f.Add([]byte(post("init/error", "{}")), []byte(poll+poll))
	f.Add([]byte(poll), []byte(post("invocation/"+id+"/response", "a")+post("invocation/"+id+"/response", "b")))
	f.Add([]byte(poll), []byte("POST /2018-06-01/runtime/invocation/"+id+"/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte(poll), []byte("POST /2018-06-01/runtime/invocation/"+id+"/response HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n"))
	f.Add([]byte(poll), []byte("POST /2018-06-01/runtime/invocation/"+id+"/response HTTP/1.1\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nLambda-Runtime-Function-Error-Type: E\r\nLambda-Runtime-Function-Error-Body: e30=\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.0\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\n\r\n"))
	clk := clock.New()
	f.Fuzz(func(t *testing.T, first, second []byte) {
		listener := newPipes()
		s := runtimeapi.Serve(listener, clk, limit)
		s.Begin(arn, clk.Now())
		s.Hand(invocation("work"))
		for _, request := range [][]byte{first, second} {
			exchange(t, listener, request)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		select {
		case r := <-s.Replies():
			if len(r.Body) > limit || r.Handed == 0 || r.Ended < r.Handed {
				t.Errorf("reply of %d bytes, handed %d, first byte %d", len(r.Body), r.Handed, r.Ended)
			}
		default:
		}
		select {
		case r := <-s.Replies():
			t.Errorf("a second reply %q", r.Body)
		default:
		}
	})
}

// exchange sends on a connection of its own, ends its own side as a client
// does whose patience is over, and reads the answers.
func exchange(t *testing.T, listener *pipes, request []byte) {
	client, server := net.Pipe()
	listener.conns <- server
	var answers strings.Builder
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&answers, client) })
	_ = client.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = client.Write(request)
	_ = client.SetReadDeadline(time.Now().Add(2 * time.Millisecond)) // a pipe has no half-close
	reading.Wait()
	_ = client.Close()
	in := bufio.NewReader(strings.NewReader(answers.String()))
	for in.Buffered() > 0 || peekable(in) {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			if strings.Contains(err.Error(), "unexpected EOF") {
				return // cut off by the client's own deadline
			}
			t.Fatalf("an answer that is not HTTP: %v in %q", err, answers.String())
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
}

func peekable(in *bufio.Reader) bool {
	_, err := in.Peek(1)
	return err == nil
}
