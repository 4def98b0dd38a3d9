//go:build linux

package reference_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/internal/floor"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// rivals are what is measured, by turns in one run: the bare loop, the engine
// in this process, and the whole runtime as a child behind its wire API.
type rivals struct {
	floor  *floor.Loop
	engine *engine.Version
	front  platform.Deployment
}

const payload = `{"name":"world"}`

func newRivals(b *testing.B, keepAlive time.Duration) *rivals {
	b.Helper()
	fn := build(b, "hello", platform.Go)
	loop, err := floor.New(fn.Code)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(loop.Close)
	box, err := process.New(process.Options{})
	if err != nil {
		b.Fatal(err)
	}
	rt := newEngine(b, map[string]sandbox.Sandbox{"process": box}, keepAlive)
	version := newVersion(b, rt, fn)
	client := open(b, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: keepAlive}}})
	return &rivals{floor: loop, engine: version, front: deploy(b, client, fn)}
}

// newEngine is a runtime in this process, which ends with the benchmark.
func newEngine(b *testing.B, boxes map[string]sandbox.Sandbox, keepAlive time.Duration) *engine.Runtime {
	b.Helper()
	rt, err := engine.New(engine.Options{
		Sandboxes: boxes, Default: "process", Policy: lifecycle.Policy{KeepAlive: keepAlive},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return rt
}

func newVersion(b *testing.B, rt *engine.Runtime, fn platform.Function) *engine.Version {
	b.Helper()
	family, err := rt.Family(fn.Name)
	if err != nil {
		b.Fatal(err)
	}
	version, err := family.Add(b.Context(), sandbox.Spec{Function: fn}, engine.Settings{})
	if err != nil {
		b.Fatal(err)
	}
	return version
}

func (r *rivals) invokeFloor(b *testing.B) {
	if _, err := r.floor.Invoke(payload); err != nil {
		b.Fatal(err)
	}
}

func (r *rivals) invokeEngine(b *testing.B, want sample.Start) {
	out, err := r.engine.Invoke(b.Context(), engine.Invocation{Payload: []byte(payload)})
	if err != nil || out.Kind != sample.NoError || out.Start != want {
		b.Fatalf("%+v, %v", out, err)
	}
}

func (r *rivals) invokeFront(b *testing.B, want sample.Start) {
	resp, err := r.front.Invoke(b.Context(), platform.Request{Payload: []byte(payload)})
	if err != nil || resp.Evidence.Start != want {
		b.Fatalf("%+v, %v", resp, err)
	}
}

// times collects what single operations took.
type times []time.Duration

func (t *times) take(operation func()) {
	start := time.Now()
	operation()
	*t = append(*t, time.Since(start))
}

func (t times) p50() float64 { return t.quantile(.5) }

// quantile is in microseconds.
func (t times) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(t))
	return float64(sorted[int(q*float64(len(sorted)))]) / float64(time.Microsecond)
}

// What the runtime promises, as ratios to the bare floor at p50, from a
// request's arrival at the runtime to its response: that is the engine. The
// front is what a client sees, with the wire in it, and is published beside.
const (
	mostColdRatio = 1.5
	mostWarmRatio = 2.
	leastTurns    = 100 // fewer show that the benchmark runs, and judge nothing
)

func reportTurns(b *testing.B, bare, inProcess, front times, mostRatio float64) {
	b.Helper()
	ratio := inProcess.p50() / bare.p50()
	b.ReportMetric(bare.p50(), "floor-p50-us")
	b.ReportMetric(inProcess.p50(), "engine-p50-us")
	b.ReportMetric(front.p50(), "front-p50-us")
	b.ReportMetric(ratio, "engine/floor")
	b.ReportMetric(front.p50()/bare.p50(), "front/floor")
	b.ReportMetric(0, "ns/op") // of all three, and of the pauses between
	switch {
	case len(bare) < leastTurns:
		b.Logf("%d turns judge nothing; run it with -benchtime 300x", len(bare))
	case ratio > mostRatio:
		b.Errorf("p50 from arrival to response is %.2f times the bare floor's, promised at most %.1f", ratio, mostRatio)
	}
}

// BenchmarkWarm is one request at a time at an instance that is ready.
func BenchmarkWarm(b *testing.B) {
	r := newRivals(b, time.Hour)
	if err := r.floor.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.floor.End)
	r.invokeEngine(b, sample.Cold)
	r.invokeFront(b, sample.Cold)
	pause := func() { time.Sleep(300 * time.Microsecond) } // lets the functions poll again
	var bare, inProcess, front times
	for b.Loop() {
		pause()
		bare.take(func() { r.invokeFloor(b) })
		if err := r.floor.Next(); err != nil {
			b.Fatal(err)
		}
		pause()
		inProcess.take(func() { r.invokeEngine(b, sample.Warm) })
		pause()
		front.take(func() { r.invokeFront(b, sample.Warm) })
	}
	reportTurns(b, bare, inProcess, front, mostWarmRatio)
}

// BenchmarkCold is from a request's arrival to its answer, where an instance
// has to be started for it.
func BenchmarkCold(b *testing.B) {
	r := newRivals(b, 0)
	settle := func() { time.Sleep(5 * time.Millisecond) } // lets the last instance go
	var bare, inProcess, front times
	for b.Loop() {
		settle()
		bare.take(func() {
			if err := r.floor.Start(); err != nil {
				b.Fatal(err)
			}
			r.invokeFloor(b)
		})
		r.floor.End()
		settle()
		inProcess.take(func() { r.invokeEngine(b, sample.Cold) })
		settle()
		front.take(func() { r.invokeFront(b, sample.Cold) })
	}
	reportTurns(b, bare, inProcess, front, mostColdRatio)
}

// BenchmarkThroughput is the whole runtime at two requests at a time.
func BenchmarkThroughput(b *testing.B) {
	fn := build(b, "hello", platform.Go)
	client := open(b, reference.ClientOptions{Settings: reference.Settings{Policy: lifecycle.Policy{KeepAlive: time.Hour}}})
	d := deploy(b, client, fn)
	request := platform.Request{Payload: fixtures.Payload("hello")}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.Invoke(b.Context(), request); err != nil {
				b.Error(err)
			}
		}
	})
}
