package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/clock"
	"github.com/coldcurve/coldcurve/scenarios"
)

// Stall is the experiment of the stalled server: constant traffic at a server
// on loopback that answers at once, except for a while in which it answers
// nobody. A generator that waits for answers, or that starts its stopwatch at
// the real send, sees one slow request where hundreds of callers waited.
type Stall struct {
	Rate     float64       // requests per second; the default is 2000
	Duration time.Duration // of the traffic; the default is 10s
	Stall    time.Duration // how long the server is still, from the middle on; the default is 300ms
	// Serve starts the server. The default is an echo of one byte over TCP, whose
	// answers after the stall take the least that answers can. A server behind an adapter shows what users of that adapter get.
	Serve func() (StallServer, error)
}

// A StallServer is a server on loopback that answers at once, unless it is told
// to be still, and the deployment that calls it. Remove, called once and last,
// ends the server.
type StallServer interface {
	platform.Deployment
	// Still keeps the server from answering anybody for d, and returns when
	// that was. It is called once, while there are requests.
	Still(d time.Duration) (from, to time.Time)
}

// StallResult is what the experiment came to.
type StallResult struct {
	Requests uint64
	Failed   uint64        // requests dropped or without an answer; of a good experiment 0
	Stalled  time.Duration // how long the server really was still
	// True is the 99th percentile of what callers waited, by the server's own
	// stamps: a request due while it was still waited for the end, any other
	// not at all. 300 ms of 10 s at a constant rate make it 200 ms.
	True     time.Duration
	Reported time.Duration // the same, measured through the driver and the deployment
	LagP99   time.Duration // the generator's own delay
	Latency  *hist.Histogram
}

// Error is how far the reported figure is off, as a share of the true one.
func (r *StallResult) Error() float64 { return float64(r.Reported-r.True) / float64(r.True) }

// LagShare is the generator's own delay as a share of the figure that it is
// part of.
func (r *StallResult) LagShare() float64 { return float64(r.LagP99) / float64(r.Reported) }

// Run makes the experiment in this process, over loopback.
func (s Stall) Run(ctx context.Context) (StallResult, error) {
	s = s.withDefaults()
	server, err := s.Serve()
	if err != nil {
		return StallResult{}, fmt.Errorf("stalled server: %w", err)
	}
	defer server.Remove(ctx)

	schedule := steady(s.Rate, s.Duration)
	stalled := make(chan interval, 1)
	stall := time.AfterFunc(s.Duration/2, func() {
		from, to := server.Still(s.Stall)
		stalled <- interval{from, to}
	})
	defer stall.Stop()
	sink := &tally{latency: hist.New(), lag: hist.New()}
	out, err := Run(ctx, Plan{
		Schedule:    schedule,
		Deployments: map[string]platform.Deployment{steadyName: server},
		Clock:       clock.New(),
	}, sink, nil)
	switch {
	case err != nil:
		return StallResult{}, fmt.Errorf("stalled server: %w", err)
	case out.Interrupted:
		return StallResult{}, fmt.Errorf("stalled server: %w", context.Cause(ctx))
	case sink.latency.N() == 0:
		return StallResult{}, errors.New("stalled server: no request was answered")
	}
	still := <-stalled
	return StallResult{
		Requests: out.Offered,
		Failed:   sink.failed,
		Stalled:  still.to.Sub(still.from),
		True:     trueP99(schedule.Times, still.from.Sub(out.Origin), still.to.Sub(out.Origin)),
		Reported: sink.latency.Quantile(.99),
		LagP99:   sink.lag.Quantile(.99),
		Latency:  sink.latency,
	}, nil
}

func (s Stall) withDefaults() Stall {
	if s.Rate == 0 {
		s.Rate = 2000
	}
	if s.Duration == 0 {
		s.Duration = 10 * time.Second
	}
	if s.Stall == 0 {
		s.Stall = 300 * time.Millisecond
	}
	if s.Serve == nil {
		s.Serve = func() (StallServer, error) { return listenEcho() }
	}
	return s
}

type interval struct{ from, to time.Time }

// trueP99 is the 99th percentile, the least value that 99% do not exceed, of
// the waits at a server that answers at once except in [from, to).
func trueP99(times []time.Duration, from, to time.Duration) time.Duration {
	waits := make([]time.Duration, len(times))
	for i, t := range times {
		if from <= t && t < to {
			waits[i] = to - t
		}
	}
	slices.Sort(waits)
	return waits[(99*len(waits)+99)/100-1]
}

const steadyName = "steady"

// steady is a schedule of constant traffic at one function, steadyName.
func steady(rate float64, d time.Duration) *scenarios.Schedule {
	n := int(rate * d.Seconds())
	s := &scenarios.Schedule{
		Times:   make([]time.Duration, n),
		Source:  make([]uint16, n),
		Sources: []scenarios.Source{{Function: steadyName}},
		Phases:  []scenarios.PhaseSpan{{Name: steadyName, End: d, Offered: uint64(n)}},
	}
	for i := range s.Times {
		s.Times[i] = time.Duration(float64(i) * float64(time.Second) / rate)
	}
	return s
}

// tally is a sink that keeps two histograms: of the latency of successes and of
// the lag of everything sent.
type tally struct {
	latency, lag *hist.Histogram
	failed       uint64
}

func (t *tally) Append(s *sample.Sample) error {
	if s.Err != sample.NoError {
		t.failed++
	} else {
		t.latency.Record(s.Latency())
	}
	if s.Err != sample.Dropped {
		t.lag.Record(s.Lag())
	}
	return nil
}

func (t *tally) Flush(time.Duration) error { return nil }
