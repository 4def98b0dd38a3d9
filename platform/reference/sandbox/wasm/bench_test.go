package wasm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/wasm"
)

// BenchmarkColdStart takes starts from Start to the first read, by the marks.
// The fixture minimal shows what the sandbox takes, hello what Go's runtime
// adds to it.
func BenchmarkColdStart(b *testing.B) {
	for _, name := range []string{fixtures.Minimal, "hello"} {
		b.Run("fixture="+name, func(b *testing.B) {
			s := open(b, wasm.Options{})
			shop := fixture(b, name)
			if err := s.Prepare(b.Context(), shop); err != nil {
				b.Fatal(err)
			}
			var provision, ready []float64
			for b.Loop() {
				in := start(b, s, shop)
				marks, err := in.AwaitReady(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				provision = append(provision, float64(marks.Provisioned-marks.Begun))
				ready = append(ready, float64(marks.Ready-marks.Begun))
				if err := in.Stop(false); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(median(provision)/1e3, "provision-p50-us")
			b.ReportMetric(median(ready)/1e3, "ready-p50-us")
		})
	}
}

func median(figures []float64) float64 {
	slices.Sort(figures)
	return figures[len(figures)/2]
}

// BenchmarkWarm takes invocations of a ready instance.
func BenchmarkWarm(b *testing.B) {
	for _, name := range []string{fixtures.Minimal, "hello"} {
		b.Run("fixture="+name, func(b *testing.B) {
			s := open(b, wasm.Options{})
			in := ready(b, s, fixture(b, name))
			inv := invocation(string(fixtures.Payload(name)), time.Hour)
			for b.Loop() {
				if _, err := in.Invoke(b.Context(), inv); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
