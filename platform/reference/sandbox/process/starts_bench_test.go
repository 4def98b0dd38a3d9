//go:build linux

package process_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coldcurve/coldcurve/platform/reference/internal/floor"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

const (
	starters       = 8   // that start at once
	startsPerRound = 160 // of all starters
)

// BenchmarkStartRate compares how many instances a second are started, polled
// for the first time and ended, eight at a time, with a bare loop of fork,
// exec, first poll, kill and wait of the same function, and the CPU time that a
// start takes of this process and of what it has started. The two take turns;
// the ratios are the medians of the rounds'.
func BenchmarkStartRate(b *testing.B) {
	for _, cgroups := range []bool{true, false} {
		b.Run(fmt.Sprintf("cgroups=%t", cgroups), func(b *testing.B) {
			s := open(b, process.Options{NoCgroups: !cgroups})
			shop := spec(b, "")
			loops := make([]*floor.Loop, starters)
			for i := range loops {
				loops[i] = newFloor(b)
			}
			bare := func(b *testing.B, worker int) {
				if err := loops[worker].Start(); err != nil {
					b.Error(err)
					return
				}
				loops[worker].End()
			}
			boxed := func(b *testing.B, worker int) {
				in, err := s.Start(b.Context(), "i-"+strconv.Itoa(worker), shop, sandbox.OnDemand)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := in.AwaitReady(b.Context()); err != nil {
					b.Error(err)
				}
				if err := in.Stop(false); err != nil {
					b.Error(err)
				}
			}
			seen := map[string][]float64{}
			see := func(unit string, v float64) { seen[unit] = append(seen[unit], v) }
			for b.Loop() {
				f, x := measure(b, bare), measure(b, boxed)
				see("floor-starts/s", f.rate)
				see("starts/s", x.rate)
				see("ratio", x.rate/f.rate)
				see("floor-cpu-us", f.cpu)
				see("cpu-us", x.cpu)
				see("cpu-ratio", x.cpu/f.cpu)
			}
			for unit, all := range seen {
				slices.Sort(all)
				b.ReportMetric(all[len(all)/2], unit)
			}
			b.ReportMetric(0, "ns/op") // of both
		})
	}
}

// round is what one side's turn has shown.
type round struct {
	rate float64 // starts a second
	cpu  float64 // microseconds a start, user and system, of this process and its children
}

// measure has every starter start one after the other until the round is full.
func measure(b *testing.B, start func(b *testing.B, worker int)) round {
	var begun atomic.Int64
	var all sync.WaitGroup
	at, used := time.Now(), cpuTime(b)
	for worker := range starters {
		all.Go(func() {
			for begun.Add(1) <= startsPerRound {
				start(b, worker)
			}
		})
	}
	all.Wait()
	used = cpuTime(b) - used
	return round{startsPerRound / time.Since(at).Seconds(), float64(used.Microseconds()) / startsPerRound}
}

// cpuTime is what this process and those that it has reaped have used.
func cpuTime(b *testing.B) (used time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		used += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return used
}
