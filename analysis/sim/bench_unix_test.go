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

// BenchmarkWorldCup is the busiest days of a site with 1.35 thousand million
// requests, by both engines.
func BenchmarkWorldCup(b *testing.B) {
	const peakDay = 60 * 24 * 60 // from the 60th day on
	day := worldCup(b).Counts[peakDay : peakDay+24*60]
	for _, c := range []struct {
		name string
		run  engineRun
	}{{"events", sim.Events}, {"levels", sim.Levels}} {
		b.Run("engine="+c.name, func(b *testing.B) {
			load := counted(day)
			before, n := cpu(), uint64(0)
			for b.Loop() {
				r := c.run.worldCup(b, load)
				n += r.Requests + r.WarmupRequests
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mrequests/s")
			b.ReportMetric((cpu()-before)/float64(b.N), "cpu-s/op")
		})
	}
}

func worldCup(b *testing.B) arrival.Trace {
	b.Helper()
	file, err := fixtures.Trace("worldcup98")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	trace, err := arrival.ReadTrace(file)
	if err != nil {
		b.Fatal(err)
	}
	return trace
}

func counted(minutes []uint32) sim.Load {
	load := sim.Load{Name: "worldcup", Counts: minutes, Span: time.Duration(len(minutes)) * time.Minute}
	load.Arrivals = sim.Drawn(load)
	return load
}

type engineRun func(context.Context, sim.Load, sim.Options) (*sim.Result, error)

func (run engineRun) worldCup(b *testing.B, load sim.Load) *sim.Result {
	b.Helper()
	r, err := run(context.Background(), load, sim.Options{
		Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}, Service: text(b, "exp:100ms"), Seed: 1,
	})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// cpu is the processor time of this process in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
