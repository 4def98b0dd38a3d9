//go:build linux

package process_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/internal/floor"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// newFloor is what a sandbox is measured against: the same function, started and
// polled by a loop that does nothing else.
func newFloor(b *testing.B) *floor.Loop {
	b.Helper()
	l, err := floor.New(function)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.Close)
	return l
}

// answer has the floor's function answer once.
func answer(b *testing.B, l *floor.Loop) {
	if got, err := l.Invoke(payload); err != nil || string(got) != payload {
		b.Fatalf("got %q (error %v), want %q", got, err, payload)
	}
}

const payload = `{"name":"world"}`

// times collects what single operations took.
type times []time.Duration

func (t *times) add(start time.Time) { *t = append(*t, time.Since(start)) }

func (t times) p50() float64 {
	slices.Sort(t)
	return float64(t[len(t)/2]) / float64(time.Microsecond)
}

// report gives both medians and their ratio, from operations that took turns.
func report(b *testing.B, bare, box times) {
	b.ReportMetric(bare.p50(), "floor-p50-us")
	b.ReportMetric(box.p50(), "p50-us")
	b.ReportMetric(box.p50()/bare.p50(), "ratio")
	b.ReportMetric(0, "ns/op") // of both, and of what stands between them
}

// BenchmarkColdStart compares a start from its order to the first response
// with the floor.
func BenchmarkColdStart(b *testing.B) {
	for _, cgroups := range []bool{true, false} {
		b.Run(fmt.Sprintf("cgroups=%t", cgroups), func(b *testing.B) {
			s := open(b, process.Options{NoCgroups: !cgroups})
			shop := spec(b, "")
			bare := newFloor(b)
			var bareTimes, boxTimes times
			for b.Loop() {
				settle()
				start := time.Now()
				if err := bare.Start(); err != nil {
					b.Fatal(err)
				}
				answer(b, bare)
				bareTimes.add(start)
				bare.End()

				settle()
				start = time.Now()
				in := cold(b, s, shop)
				boxTimes.add(start)
				if err := in.Stop(false); err != nil {
					b.Fatal(err)
				}
			}
			report(b, bareTimes, boxTimes)
		})
	}
}

// settle lets what the last operation left behind finish, and the launchers
// make ready again what it used.
func settle() { time.Sleep(8 * time.Millisecond) }

func cold(b *testing.B, s *process.Sandbox, shop *sandbox.Spec) sandbox.Instance {
	in, err := s.Start(b.Context(), "i-1", shop, sandbox.OnDemand)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := in.AwaitReady(b.Context()); err != nil {
		b.Fatal(err)
	}
	hit(b, in)
	return in
}

func hit(b *testing.B, in sandbox.Instance) {
	r, err := in.Invoke(b.Context(), &sandbox.Invocation{RequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
		Payload: []byte(payload), Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		b.Fatal(err)
	}
	if string(r.Body) != payload {
		b.Fatalf("got %q, want %q", r.Body, payload)
	}
}

// BenchmarkWarm compares an invocation of a ready instance with the floor.
func BenchmarkWarm(b *testing.B) {
	s := open(b, process.Options{})
	shop := spec(b, "")
	shop.Memory = 1769 << 20 // a whole CPU, as the floor's function has
	in := ready(b, s, shop)
	defer in.Stop(false)
	bare := newFloor(b)
	if err := bare.Start(); err != nil {
		b.Fatal(err)
	}
	defer bare.End()
	var bareTimes, boxTimes times
	for b.Loop() {
		pause()
		start := time.Now()
		answer(b, bare)
		bareTimes.add(start)
		if err := bare.Next(); err != nil {
			b.Fatal(err)
		}

		pause()
		start = time.Now()
		hit(b, in)
		boxTimes.add(start)
	}
	report(b, bareTimes, boxTimes)
}

// pause lets the function poll again.
func pause() { time.Sleep(200 * time.Microsecond) }
