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

	"github.com/coldcurve/coldcurve/platform/reference/internal/floor"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

const (
	starters       = 8   // that start at once
	startsPerRound = 160 // of all starters
)

// BenchmarkStartRate compares how many instances a second are started, polled
// for the first time and ended, eight at a time, with a bare loop of fork,
// exec, first poll, kill and wait of the same function. The two take turns; the
// ratio is the median of the rounds'.
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
				in, err := s.Start(b.Context(), "i-"+strconv.Itoa(worker), shop)
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
			var floors, boxes, ratios []float64
			for b.Loop() {
				f, x := rate(b, bare), rate(b, boxed)
				floors, boxes, ratios = append(floors, f), append(boxes, x), append(ratios, x/f)
			}
			for _, all := range [][]float64{floors, boxes, ratios} {
				slices.Sort(all)
			}
			b.ReportMetric(floors[len(floors)/2], "floor-starts/s")
			b.ReportMetric(boxes[len(boxes)/2], "starts/s")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(0, "ns/op") // of both
		})
	}
}

// rate has every starter start one after the other until the round is full.
func rate(b *testing.B, start func(b *testing.B, worker int)) float64 {
	var begun atomic.Int64
	var all sync.WaitGroup
	at := time.Now()
	for worker := range starters {
		all.Go(func() {
			for begun.Add(1) <= startsPerRound {
				start(b, worker)
			}
		})
	}
	all.Wait()
	return startsPerRound / time.Since(at).Seconds()
}
