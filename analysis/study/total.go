package study

import (
	"fmt"
	"math"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// total is the result of several functions that run side by side: counts and
// times add up, and so do mean numbers of instances. Shares and means are of
// all requests. Peaks are summed, which is the most that can be at once.
func total(results []sim.Result) sim.Result {
	t := sim.Result{Engine: results[0].Engine, Functions: len(results), Warnings: []sim.Warning{}}
	variance, known := 0., true
	var service, wait, start, started, starting, coldOff float64
	warned := make(map[string]int)
	var first []sim.Warning
	for i := range results {
		r := &results[i]
		for _, c := range []struct{ to, from *uint64 }{
			{&t.Requests, &r.Requests}, {&t.WarmupRequests, &r.WarmupRequests}, {&t.Served, &r.Served},
			{&t.Cold, &r.Cold}, {&t.Queued, &r.Queued}, {&t.Resumed, &r.Resumed}, {&t.Ahead, &r.Ahead},
			{&t.Throttled, &r.Throttled}, {&t.Unserved, &r.Unserved}, {&t.Pings, &r.Pings}, {&t.Started, &r.Started},
		} {
			*c.to += *c.from
		}
		for _, c := range []struct{ to, from *float64 }{
			{&t.Span, &r.Span}, {&t.InstancesMean, &r.InstancesMean}, {&t.BusyMean, &r.BusyMean},
			{&t.StartingMean, &r.StartingMean}, {&t.InstanceSeconds, &r.InstanceSeconds}, {&t.BusySeconds, &r.BusySeconds},
		} {
			*c.to += *c.from
		}
		t.Warmup = max(t.Warmup, r.Warmup)
		t.InstancesPeak += r.InstancesPeak
		t.Interrupted = t.Interrupted || r.Interrupted
		t.Usage.Add(r.Usage)
		service += r.ServiceMean * float64(r.Served)
		wait += r.WaitMean * float64(r.Served)
		start += r.StartMean * float64(r.Started)
		started += float64(r.Started)
		starting += r.StartingMean * r.Span
		coldOff += r.ColdError * float64(r.Cold)
		switch {
		case r.PColdStderr != nil:
			variance += math.Pow(*r.PColdStderr*float64(r.Served), 2)
		case r.Served > 0:
			known = false
		}
		for _, w := range r.Warnings {
			if warned[w.Code]++; warned[w.Code] == 1 {
				first = append(first, sim.Warning{Code: w.Code, Text: r.Name + ": " + w.Text})
			}
		}
	}
	t.PCold, t.ColdError = over(float64(t.Cold), float64(t.Served)), over(coldOff, float64(t.Cold))
	t.ServiceMean, t.WaitMean, t.StartMean = over(service, float64(t.Served)), over(wait, float64(t.Served)), over(start, started)
	t.IdleShare = max(0, over(t.InstanceSeconds-t.BusySeconds-starting, t.InstanceSeconds))
	if se := math.Sqrt(variance) / math.Max(1, float64(t.Served)); known && t.Served > 0 {
		t.PColdStderr = &se
	}
	for _, w := range first {
		if n := warned[w.Code]; n > 1 {
			w.Text += fmt.Sprintf(" (and %s more)", units.FormatNoun(n-1, "function"))
		}
		t.Warnings = append(t.Warnings, w)
	}
	return t
}

// over is a quotient, 0 where there is nothing to divide by.
func over(sum, n float64) float64 {
	if n == 0 {
		return 0
	}
	return sum / n
}
