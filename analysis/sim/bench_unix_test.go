//go:build unix

package sim_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
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

// BenchmarkWorldCup is 125,310 minutes of a site with 1.35 thousand million
// requests, by levels, and by events: a day of it, or with COLDCURVE_STRESS=1
// all of it. MiB is the most memory of this process so far.
func BenchmarkWorldCup(b *testing.B) {
	file, err := fixtures.Trace("worldcup98")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	trace, err := arrival.ReadTrace(file)
	if err != nil {
		b.Fatal(err)
	}
	const peakDay = 60 * 24 * 60 // from the 60th day on
	events := trace.Counts[peakDay : peakDay+24*60]
	if os.Getenv("COLDCURVE_STRESS") == "1" {
		events = trace.Counts
	}
	options := sim.Options{Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}, Service: text(b, "exp:100ms"), Seed: 1}
	for _, c := range []struct {
		name   string
		counts []uint32
		run    func(context.Context, sim.Load, sim.Options) (*sim.Result, error)
	}{{"engine=levels", trace.Counts, sim.Levels}, {"engine=events", events, sim.Events}, {"engine=levels,same", events, sim.Levels}} {
		b.Run(c.name, func(b *testing.B) {
			load := sim.Load{Name: "worldcup", Counts: c.counts, Span: time.Duration(len(c.counts)) * time.Minute}
			load.Arrivals = sim.Drawn(load)
			before, n, cold := cpu(), uint64(0), uint64(0)
			for b.Loop() {
				r, err := c.run(context.Background(), load, options)
				if err != nil {
					b.Fatal(err)
				}
				n, cold = n+r.Requests+r.WarmupRequests, r.Cold
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mrequests/s")
			b.ReportMetric((cpu()-before)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(cold), "cold")
			b.ReportMetric(peakMemory(b), "MiB")
		})
	}
}

// BenchmarkMemory is a load whose number of requests grows and whose memory
// must not: with COLDCURVE_STRESS=1 a thousand million.
func BenchmarkMemory(b *testing.B) {
	n := uint64(2e7)
	if os.Getenv("COLDCURVE_STRESS") == "1" {
		n = 1e9
	}
	b.Run(fmt.Sprintf("requests=%d", n), func(b *testing.B) {
		for b.Loop() {
			if _, err := sim.Events(context.Background(), poisson(100), sim.Options{
				Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}, Service: text(b, "exp:100ms"), Requests: n, Seed: 1,
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrequests/s")
		b.ReportMetric(peakMemory(b), "MiB")
	})
}

// peakMemory is the most that this process has held, in MiB.
func peakMemory(b *testing.B) float64 {
	b.Helper()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / (1 << 20)
}

// cpu is the processor time of this process in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
