package container

import (
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// log takes what a container writes to stdout and stderr, as the engine passes
// it on, and keeps only the end.
type log struct {
	stream client.HijackedResponse
	ended  chan struct{} // closed when the engine has passed on all

	mu   sync.Mutex
	tail sandbox.Tail
}

func newLog(stream client.HijackedResponse, keep int) *log {
	l := &log{stream: stream, ended: make(chan struct{}), tail: sandbox.NewTail(keep)}
	go func() {
		defer close(l.ended)
		_, _ = stdcopy.StdCopy(l, l, stream.Reader) // ends with the container's output or with close
	}()
	return l
}

// Write adds to the log.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail.Append(p)
	return len(p), nil
}

func (l *log) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail.Take()
}

// complete waits until all is there that an ended container has written, for
// as long as limit.
func (l *log) complete(limit time.Duration) {
	select {
	case <-l.ended:
	case <-time.After(limit):
	}
}

func (l *log) close() {
	l.stream.Close()
	<-l.ended
}
