package drive

import (
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
)

// blocked is a sink that takes nothing until it is released.
type blocked struct {
	memory
	release chan struct{}
}

func (b *blocked) Append(s *sample.Sample) error {
	<-b.release
	return b.memory.Append(s)
}

func TestSlowDiskDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20 * chunkLen
		sink := &blocked{release: make(chan struct{})}
		time.AfterFunc(time.Hour, func() { close(sink.release) })
		out := drive(t, t.Context(), planOf(every(time.Millisecond, n), takes(time.Millisecond)), sink)
		checkOnce(t, out, &sink.memory)
		for _, s := range sink.samples {
			if s.Lag() != 0 || s.Latency() != time.Millisecond {
				t.Fatalf("arrival %d: lag %v, latency %v, want 0 and 1ms", s.Seq, s.Lag(), s.Latency())
			}
		}
	})
}

func TestChunksAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		r := newRecorder(m, idleGauge(), nil, func(error) {})
		go r.run()
		for i := range uint64(50 * chunkLen) {
			r.add(&sample.Sample{Seq: i})
			if i%chunkLen == 0 {
				synctest.Wait()
			}
		}
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		if len(r.spare) > 2 {
			t.Errorf("%d chunks for a writer that kept up, want at most 2", len(r.spare))
		}
		for i, s := range m.samples {
			if s.Seq != uint64(i) {
				t.Fatalf("sample %d is in place %d: order is lost", s.Seq, i)
			}
		}
	})
}

func TestLostSamplesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		r := newRecorder(&full{room: 3}, idleGauge(), nil, func(err error) { cause = err })
		go r.run()
		for i := range uint64(10) {
			r.add(&sample.Sample{Seq: i})
		}
		err := r.close()
		if !errors.Is(err, syscall.ENOSPC) || !errors.Is(cause, errSink) {
			t.Errorf("error %v with cause %v, want %v and %v", err, cause, syscall.ENOSPC, errSink)
		}
		if r.lost != 7 {
			t.Errorf("%d lost, want 7", r.lost)
		}
	})
}

// idleGauge is the gauge of a run that sends nothing.
func idleGauge() *gauge {
	plan := planOf(every(time.Second, 0), invoke(instant))
	origin := time.Now()
	tr := newTransport(nil, &plan, origin, newGate(plan.InFlight))
	return newGauge(plan.Schedule, origin, &pacer{}, tr)
}

// The driver's own part of a request is the transport: vegeta's ends where it
// is called, the platform's begins at Invoke.
func TestNoAllocationPerSample(t *testing.T) {
	const n = 100_000
	r, hits := recording(t, n, t.TempDir())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	hits()
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	// Chunks, the run directory's frames and the histograms' are there; a
	// hundredth is room for them, not for an allocation a sample.
	if got := float64(after.Mallocs-before.Mallocs) / n; got > .01 {
		t.Errorf("%.3f allocations a sample, want 0", got)
	}
}

// recording makes a recorder that writes to a run directory in dir, and what
// sends n requests through the transport into it, from four goroutines.
func recording(tb testing.TB, n int, dir string) (*recorder, func()) {
	tb.Helper()
	w, err := rundir.Create(dir, rundir.Manifest{Scenario: "recording", Phases: []rundir.Phase{{Name: "p"}}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := w.Finish(func(*rundir.Manifest) {}); err != nil {
			tb.Error(err)
		}
	})
	plan := planOf(every(time.Microsecond, n), invoke(instant))
	tr := newTransport(tb.Context(), &plan, time.Now(), newGate(plan.InFlight))
	r := newRecorder(w, newGauge(plan.Schedule, tr.origin, &pacer{}, tr), nil, func(error) {})
	tr.recorder = r
	go r.run()

	requests := make([]*http.Request, n)
	numbers := decimals(n)
	for i := range requests {
		requests[i] = &http.Request{Header: http.Header{seqHeader: numbers[i : i+1]}}
	}
	return r, func() {
		var senders sync.WaitGroup
		for part := range slices.Chunk(requests, (n+3)/4) {
			senders.Go(func() {
				for _, hit := range part {
					tr.RoundTrip(hit)
				}
			})
		}
		senders.Wait()
	}
}

// decimals is the numbers below n, spelt out.
func decimals(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(i)
	}
	return out
}
