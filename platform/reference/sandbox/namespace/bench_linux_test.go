package namespace_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/namespace"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// BenchmarkColdStart compares a start, from its order to the first response,
// with the process sandbox's; they take turns.
func BenchmarkColdStart(b *testing.B) {
	plain, err := process.New(process.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	boxes := []sandbox.Sandbox{plain, open(b, namespace.Options{})}
	shop := spec(b)
	shop.Function.Code = function
	times := make([][]time.Duration, len(boxes))
	for b.Loop() {
		for i, s := range boxes {
			time.Sleep(12 * time.Millisecond) // what the last one used is made again
			times[i] = append(times[i], cold(b, s, shop))
		}
	}
	var p50 [2]float64
	for i, ts := range times {
		slices.Sort(ts)
		p50[i] = float64(ts[len(ts)/2]) / float64(time.Microsecond)
	}
	b.ReportMetric(p50[0], "process-p50-us")
	b.ReportMetric(p50[1], "p50-us")
	b.ReportMetric(p50[1]-p50[0], "more-us")
	b.ReportMetric(0, "ns/op") // of both, and of what stands between them
}

func cold(b *testing.B, s sandbox.Sandbox, shop *sandbox.Spec) time.Duration {
	begun := time.Now()
	in := ready(b, s, shop)
	if _, err := in.Invoke(b.Context(), &sandbox.Invocation{RequestID: "a", Payload: []byte("x"), Deadline: time.Now().Add(time.Minute)}); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begun)
	if err := in.Stop(false); err != nil {
		b.Fatal(err)
	}
	return took
}
