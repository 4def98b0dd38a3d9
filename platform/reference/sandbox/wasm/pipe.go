package wasm

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
)

// endedByUs is the exit code of a module that was ended in a host call; nobody
// is told of it.
const endedByUs = sys.ExitCodeContextCanceled

// request is what a module reads for one invocation.
type request struct{ head, payload []byte }

// reply is what it wrote for it.
type reply struct {
	answer
	firstByte int64
}

// pipe is a module's stdin and stdout. The module reads and writes on its own
// goroutine, one call at a time; a call that ends the module panics as WASI's
// proc_exit does, which is how wazero unwinds code.
type pipe struct {
	clock    clock.Monotonic
	over     context.Context // ends with the module
	ending   chan struct{}   // closed: no more requests will come
	ready    chan struct{}   // closed at the first read
	requests chan request    // holds one
	replies  chan reply      // holds one
	failed   chan answer     // holds init's failure

	handed   atomic.Int64 // when the present request was read first
	readyAt  atomic.Int64
	bootedAt atomic.Int64
	fault    atomic.Pointer[error] // what the module did that ended it

	// Of the module's goroutine.
	answers   answers
	unread    request
	owing     bool // a request was read and not answered
	waited    bool // ready is closed
	firstByte int64
}

func newPipe(over context.Context, c clock.Monotonic, most int64) *pipe {
	return &pipe{
		clock: c, over: over, answers: answers{most: most},
		ending: make(chan struct{}), ready: make(chan struct{}),
		requests: make(chan request, 1), replies: make(chan reply, 1), failed: make(chan answer, 1),
	}
}

// Read is the module's reading of stdin.
func (p *pipe) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.unread.head)+len(p.unread.payload) == 0 {
		if err := p.await(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.unread.head)
	p.unread.head = p.unread.head[n:]
	m := copy(b[n:], p.unread.payload)
	p.unread.payload = p.unread.payload[m:]
	return n + m, nil
}

// await blocks until there is a request, and returns an error at the end of stdin.
func (p *pipe) await() error {
	if p.owing {
		p.end(errors.New("the module asked for the next request before it had answered the last"))
	}
	if !p.waited {
		p.waited = true
		p.readyAt.Store(p.clock.Now())
		close(p.ready)
	}
	select {
	case p.unread = <-p.requests:
	default:
		select {
		case p.unread = <-p.requests:
		case <-p.ending:
			return io.EOF
		case <-p.over.Done():
			p.end(nil)
		}
	}
	p.handed.Store(p.clock.Now())
	p.owing = true
	return nil
}

// Write is the module's writing to stdout.
func (p *pipe) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		if !p.answers.begun() {
			p.firstByte = p.clock.Now()
		}
		var complete bool
		var err error
		if rest, complete, err = p.answers.write(rest); err != nil {
			p.end(err)
		}
		if complete {
			p.deliver(p.answers.take())
		}
	}
	return len(b), nil
}

func (p *pipe) deliver(a answer) {
	switch {
	case p.owing:
		p.owing = false
		p.replies <- reply{answer: a, firstByte: p.firstByte} // there is room: one is owed at a time
	case p.waited:
		p.end(errors.New("the module wrote an answer to no request"))
	case a.errorType != "":
		p.failed <- a
		p.end(nil)
	case a.booted > 0 && len(a.body) == 0:
		p.bootedAt.Store(a.booted)
	default:
		p.end(errors.New("the module wrote an answer before it had read a request"))
	}
}

// end ends the module from within one of its calls; fault is its own, if any.
func (p *pipe) end(fault error) {
	if fault != nil {
		p.fault.Store(&fault)
	}
	panic(sys.NewExitError(endedByUs))
}

// endIfOver ends the module from within one of its calls, if its time has come.
func (p *pipe) endIfOver() {
	if p.over.Err() != nil {
		p.end(nil)
	}
}

// hand gives the module a request. What an earlier one has left is dropped.
func (p *pipe) hand(inv *sandbox.Invocation, arn string) {
	select {
	case <-p.replies:
	default:
	}
	p.handed.Store(0)
	p.requests <- request{head: requestHead(inv, arn), payload: inv.Payload}
}

// sleep is the module's sleeping.
func (p *pipe) sleep(ns int64) {
	timer := time.NewTimer(time.Duration(ns))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.over.Done():
		p.end(nil)
	}
}

// log keeps the end of what a module writes to stderr.
type log struct {
	mu   sync.Mutex
	tail sandbox.Tail
}

// Write is the module's writing to stderr.
func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail.Append(b)
	return len(b), nil
}

// take gives the end of what was written since the last take.
func (l *log) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.Take()
}
