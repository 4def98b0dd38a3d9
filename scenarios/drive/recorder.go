package drive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

const (
	// chunkLen samples are handed to the writer at once: about 45 KB, a
	// fortieth of a second at 10,000/s.
	chunkLen = 256
	// writeEvery is how long a sample waits for its chunk to fill, and the
	// distance of live figures.
	writeEvery = 250 * time.Millisecond
	// flushEvery is the distance of flushes, in writeEvery.
	flushEvery = 4
)

// errSink is the cause that ends a run whose samples cannot be kept.
var errSink = errors.New("samples cannot be recorded")

// recorder takes samples from many requests at once and hands them to the sink
// from one goroutine. A request never waits for the sink: while that is slow,
// chunks pile up, and are used again once they are written.
type recorder struct {
	sink  Sink
	gauge *gauge
	tick  func() // called each writeEvery and at the end
	stop  context.CancelCauseFunc

	mu      sync.Mutex
	filling []sample.Sample
	full    [][]sample.Sample // oldest first
	spare   [][]sample.Sample

	wake   chan struct{} // holds a token if a chunk became full
	ending chan struct{}
	ended  chan struct{}

	err  error  // of the sink; the writer's until ended
	lost uint64 // samples that came after err, that one included; the writer's until ended
}

func newRecorder(sink Sink, g *gauge, stop context.CancelCauseFunc) *recorder {
	return &recorder{
		sink:    sink,
		gauge:   g,
		tick:    func() {},
		stop:    stop,
		filling: make([]sample.Sample, 0, chunkLen),
		wake:    make(chan struct{}, 1),
		ending:  make(chan struct{}),
		ended:   make(chan struct{}),
	}
}

// add takes a copy of s. It does not allocate while the writer keeps up.
func (r *recorder) add(s *sample.Sample) {
	r.mu.Lock()
	r.filling = append(r.filling, *s)
	filled := len(r.filling) == chunkLen
	if filled {
		r.retire()
	}
	r.mu.Unlock()
	if filled {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// retire puts an empty chunk in the place of the one being filled. The caller
// holds mu.
func (r *recorder) retire() {
	r.full = append(r.full, r.filling)
	if n := len(r.spare); n > 0 {
		r.filling, r.spare = r.spare[n-1], r.spare[:n-1]
		return
	}
	r.filling = make([]sample.Sample, 0, chunkLen)
}

// run writes until close is called and everything is written.
func (r *recorder) run() {
	defer close(r.ended)
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	for n := 1; ; {
		select {
		case <-r.wake:
			r.write(false)
		case <-ticker.C:
			r.write(true)
			if n%flushEvery == 0 {
				r.flush()
			}
			n++
			r.tick()
		case <-r.ending:
			r.write(true)
			r.flush()
			r.tick()
			return
		}
	}
}

// close waits until every sample is written and returns the sink's error. No
// sample may be added any more.
func (r *recorder) close() error {
	close(r.ending)
	<-r.ended
	if r.err != nil {
		return fmt.Errorf("record samples (%d not recorded): %w", r.lost, r.err)
	}
	return nil
}

// write hands the full chunks to the sink, and what there is of the last one if
// all is set.
func (r *recorder) write(all bool) {
	for {
		r.mu.Lock()
		if len(r.full) == 0 && all && len(r.filling) > 0 {
			r.retire()
		}
		if len(r.full) == 0 {
			r.mu.Unlock()
			return
		}
		chunk := r.full[0]
		r.full[0] = nil
		r.full = r.full[1:]
		r.mu.Unlock()

		for i := range chunk {
			r.append(&chunk[i])
		}

		r.mu.Lock()
		clear(chunk) // lets go of the strings
		r.spare = append(r.spare, chunk[:0])
		r.mu.Unlock()
	}
}

func (r *recorder) append(s *sample.Sample) {
	r.gauge.count(s)
	if r.err == nil {
		r.fail(r.sink.Append(s))
	}
	if r.err != nil {
		r.lost++
	}
}

func (r *recorder) flush() {
	if r.err == nil {
		r.fail(r.sink.Flush(r.gauge.now()))
	}
}

// fail ends the run if err is not nil.
func (r *recorder) fail(err error) {
	if err != nil {
		r.err = err
		r.stop(errSink)
	}
}
