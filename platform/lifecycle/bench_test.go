package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// exponential draws n Poisson inter-arrival times of the given mean.
func exponential(n int, mean time.Duration) []time.Duration {
	random := rand.New(rand.NewPCG(1, 2))
	gaps := make([]time.Duration, n)
	for i := range gaps {
		gaps[i] = time.Duration(random.ExpFloat64() * float64(mean))
	}
	return gaps
}

// completions is the ring of the requests that are being served: with a
// constant service time they finish in the order in which they began.
type completions struct {
	ring       []completion
	head, tail int
}

type completion struct {
	at       time.Duration
	instance lifecycle.Instance
	request  lifecycle.Request
}

func (c *completions) push(e completion) { c.ring[c.tail&(len(c.ring)-1)] = e; c.tail++ }

// BenchmarkStep drives Poisson arrivals with a constant service time of 100 ms
// in virtual time; started instances are ready at once. An op is one Step.
func BenchmarkStep(b *testing.B) {
	const service = 100 * time.Millisecond
	for _, bench := range []struct {
		busy   int // mean number of busy instances
		policy lifecycle.Policy
	}{
		{1, lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{100, lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{10000, lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		{100, lifecycle.Policy{KeepAlive: 10 * time.Millisecond}},
		{100, lifecycle.Policy{KeepAlive: 10 * time.Minute, Concurrency: 80, QueueLimit: 1000, QueueTimeout: time.Second}},
	} {
		name := fmt.Sprintf("busy=%d/keepalive=%v/concurrency=%d", bench.busy, bench.policy.KeepAlive, bench.policy.Concurrency)
		b.Run(name, func(b *testing.B) {
			pool := lifecycle.New(bench.policy)
			gaps := exponential(1<<16, service/time.Duration(bench.busy))
			under := completions{ring: make([]completion, 1<<16)}
			var out []lifecycle.Action
			var now, arrival time.Duration
			var request lifecycle.Request
			b.ReportAllocs()
			for b.Loop() {
				var ev lifecycle.Event
				if under.head < under.tail && under.ring[under.head&(len(under.ring)-1)].at <= arrival {
					done := under.ring[under.head&(len(under.ring)-1)]
					under.head++
					now, ev = done.at, lifecycle.Event{Kind: lifecycle.Finish, Instance: done.instance, Request: done.request}
				} else {
					now = arrival
					request++
					ev = lifecycle.Event{Kind: lifecycle.Arrive, Request: request}
					arrival += gaps[request&(1<<16-1)]
				}
				out = pool.Step(now, ev, out[:0])
				for k := 0; k < len(out); k++ {
					switch a := out[k]; a.Kind {
					case lifecycle.Start:
						out = pool.Step(now, lifecycle.Event{Kind: lifecycle.Ready, Instance: a.Instance}, out)
					case lifecycle.Reap:
						out = pool.Step(now, lifecycle.Event{Kind: lifecycle.Cleared, Instance: a.Instance}, out)
					case lifecycle.Serve:
						under.push(completion{at: now + service, instance: a.Instance, request: a.Request})
					}
				}
			}
			c := pool.Counts()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Msteps/s")
			b.ReportMetric(float64(c.Started)/float64(c.Arrived), "cold/arrival")
		})
	}
}
