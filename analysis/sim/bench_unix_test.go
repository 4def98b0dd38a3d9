//go:build unix

package sim_test

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// BenchmarkEvents is one function's requests a second.
func BenchmarkEvents(b *testing.B) {
	for _, c := range []struct {
		rate      float64
		service   string
		keepAlive time.Duration
	}{
		{.9, "exp:2.016s", 10 * time.Minute},
		{1, "exp:1s", time.Minute},
		{100, "exp:100ms", 10 * time.Minute},
		{1000, "exp:100ms", 10 * time.Minute},
		{100, "const:100ms", 10 * time.Minute},
	} {
		for _, cores := range []int{1, 2} {
			b.Run(fmt.Sprintf("rate=%v,service=%s,cores=%d", c.rate, c.service, cores), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
				const n = 5e6
				before := cpu()
				for b.Loop() {
					if _, err := sim.Events(context.Background(), poisson(c.rate), sim.Options{
						Policy: lifecycle.Policy{KeepAlive: c.keepAlive}, Service: text(b, c.service), Requests: n, Seed: 1,
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrequests/s")
				b.ReportMetric(n*float64(b.N)/(cpu()-before)/1e6, "Mrequests/cpu-s")
			})
		}
	}
}

// BenchmarkFunctions is many functions' requests a second.
func BenchmarkFunctions(b *testing.B) {
	for _, cores := range []int{1, 2} {
		b.Run(fmt.Sprintf("functions=1000,cores=%d", cores), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			const functions, each = 1000, 10000
			before := cpu()
			for b.Loop() {
				if _, err := sim.Run(context.Background(), fleet(b, functions, each), nil); err != nil {
					b.Fatal(err)
				}
			}
			n := float64(functions * each * b.N)
			b.ReportMetric(n/b.Elapsed().Seconds()/1e6, "Mrequests/s")
			b.ReportMetric(n/(cpu()-before)/1e6, "Mrequests/cpu-s")
		})
	}
}

// cpu is the processor time of this process in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
