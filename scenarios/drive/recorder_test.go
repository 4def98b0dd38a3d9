package drive

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
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
		r := newRecorder(m, idleGauge(), func(error) {})
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
		r := newRecorder(&full{room: 3}, idleGauge(), func(err error) { cause = err })
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
	tr := newTransport(context.Background(), &plan, origin, newGate(plan.InFlight))
	return newGauge(plan.Schedule, origin, &pacer{}, tr)
}

// The driver's own part of a request is the transport: vegeta's ends where it
// is called, the platform's begins at Invoke.
func TestNoAllocationPerSample(t *testing.T) {
	const n = 100_000
	l := newRecording(t, n, t.TempDir())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l.send()
	l.close()
	runtime.ReadMemStats(&after)
	l.finish()
	// An allocation for each would make it 1. Chunks, frames of the run
	// directory and turns of the writer allocate once for many; how many
	// depends on how busy the machine is.
	if got := float64(after.Mallocs-before.Mallocs) / n; got > .5 {
		t.Errorf("%.3f allocations a sample, want 0", got)
	}
}

const (
	recordedSamples = 1_000_000
	mostRecordingMB = 100 // MiB that recordedSamples may take, in memory and on disk
)

// BenchmarkRecording takes a million samples through the transport and the
// recorder into a run directory, and fails if the driver allocates for each or
// if they take more room than was promised. Run it with -benchtime 1x.
func BenchmarkRecording(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		l := newRecording(b, recordedSamples, dir)
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		peak := watchMemory()
		start := time.Now()
		l.send()
		l.close()
		took := time.Since(start)
		memory := float64(peak()-before.HeapAlloc) / (1 << 20)
		runtime.ReadMemStats(&after)
		l.finish()

		allocs := float64(after.Mallocs-before.Mallocs) / recordedSamples
		disk := float64(size(b, dir)) / (1 << 20)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(took.Nanoseconds())/recordedSamples, "ns/sample")
		b.ReportMetric(allocs, "allocs/sample")
		b.ReportMetric(memory, "peak-MiB")
		b.ReportMetric(disk, "disk-MiB")
		if allocs > .05 {
			b.Errorf("%.3f allocations a sample, promised none", allocs)
		}
		if memory > mostRecordingMB || disk > mostRecordingMB {
			b.Errorf("%d samples take %.0f MiB of memory and %.0f MiB of disk, promised at most %d", recordedSamples, memory, disk, mostRecordingMB)
		}
	}
}

// watchMemory returns what tells the most bytes of heap that were in use since.
func watchMemory() (peak func() uint64) {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var highest uint64
		reading := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(reading)
			highest = max(highest, reading[0].Value.Uint64())
			select {
			case <-stop:
				most <- highest
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

func size(tb testing.TB, dir string) (n int64) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// recording is the way of a sample from vegeta's call to a run directory.
type recording struct {
	tb       testing.TB
	dir      *rundir.Writer
	tr       *transport
	recorder *recorder
	numbers  []string // of the hits, as vegeta spells them
}

func newRecording(tb testing.TB, n int, dir string) *recording {
	tb.Helper()
	w, err := rundir.Create(filepath.Join(dir, "run"), rundir.Manifest{Scenario: "recording", Phases: []rundir.Phase{{Name: "p"}}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	start := time.Now()
	plan := planOf(every(100*time.Microsecond, n), invoke(func(context.Context, platform.Request) (platform.Response, error) {
		return platform.Response{
			Status: 200, Billed: time.Millisecond, FirstByte: time.Now(),
			Evidence: platform.Evidence{Start: sample.Warm, Grade: sample.Observed, Instance: "f-1", Breakdown: sample.Breakdown{Handler: time.Since(start)}},
		}, nil
	}))
	tr := newTransport(tb.Context(), &plan, start, newGate(plan.InFlight))
	tr.recorder = newRecorder(w, newGauge(plan.Schedule, start, &pacer{}, tr), func(error) {})
	go tr.recorder.run()
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = strconv.Itoa(i)
	}
	return &recording{tb, w, tr, tr.recorder, numbers}
}

// send makes four senders as fast as the writer takes it: beyond that it is the
// backlog of a slow disk that is measured.
func (l *recording) send() {
	var senders sync.WaitGroup
	for part := range slices.Chunk(l.numbers, (len(l.numbers)+3)/4) {
		senders.Go(func() {
			for i := range part {
				l.tr.RoundTrip(&http.Request{Header: http.Header{seqHeader: part[i : i+1]}})
				if i%chunkLen == 0 {
					l.keepUp()
				}
			}
		})
	}
	senders.Wait()
}

func (l *recording) keepUp() {
	for {
		l.recorder.mu.Lock()
		behind := len(l.recorder.full)
		l.recorder.mu.Unlock()
		if behind < 16 {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func (l *recording) close() {
	l.tb.Helper()
	if err := l.recorder.close(); err != nil {
		l.tb.Fatal(err)
	}
}

func (l *recording) finish() {
	l.tb.Helper()
	if err := l.dir.Finish(func(*rundir.Manifest) {}); err != nil {
		l.tb.Fatal(err)
	}
}
