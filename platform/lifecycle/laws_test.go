package lifecycle_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// traffic is Poisson arrivals and exponential service; an instance that is
// started is ready at once, so that cold and warm requests take the same time.
type traffic struct {
	rate    float64       // arrivals a second
	service time.Duration // mean
	policy  lifecycle.Policy
}

// queueing is what a long run of traffic shows, each with its standard error.
type queueing struct {
	cold      estimate // share of arrivals that had an instance started
	waited    estimate // share that was enqueued
	throttled estimate // share that was throttled
	instances estimate // mean number idle or busy, over time
}

// run drives a pool in virtual time, with a Tick at every deadline. Errors come
// from the means of batches, because what happens to one request depends on
// what happened within the keep-alive before it.
func (tr traffic) run(seed uint64, batches, batchSize int) (q queueing) {
	random := rand.New(rand.NewPCG(seed, 0))
	draw := func(mean float64) time.Duration { return time.Duration(random.ExpFloat64() * mean * 1e9) }
	pool := lifecycle.New(tr.policy)
	var under []completion
	var now time.Duration
	var area float64 // of the number of instances over time, in the batch
	var out []lifecycle.Action

	step := func(at time.Duration, ev lifecycle.Event) {
		c := pool.Counts()
		area += float64(c.Idle+c.Busy) * float64(at-now)
		now = at
		out = pool.Step(now, ev, out[:0])
		for k := 0; k < len(out); k++ {
			switch a := out[k]; a.Kind {
			case lifecycle.Start:
				out = pool.Step(now, lifecycle.Event{Kind: lifecycle.Ready, Instance: a.Instance}, out)
			case lifecycle.Reap:
				out = pool.Step(now, lifecycle.Event{Kind: lifecycle.Cleared, Instance: a.Instance}, out)
			case lifecycle.Serve:
				under = append(under, completion{now + draw(tr.service.Seconds()), a.Instance, a.Request})
			case lifecycle.Enqueue:
				q.waited.batch++
			}
		}
	}
	// until does what lies before an arrival at t: completions and deadlines.
	until := func(t time.Duration) {
		for {
			next := -1
			at := t
			for k, e := range under {
				if e.at < at {
					next, at = k, e.at
				}
			}
			if due, ok := pool.NextDeadline(); ok && due < at {
				step(due, lifecycle.Event{})
				continue
			}
			if next < 0 {
				return
			}
			e := under[next]
			under[next] = under[len(under)-1]
			under = under[:len(under)-1]
			step(at, lifecycle.Event{Kind: lifecycle.Finish, Instance: e.instance, Request: e.request})
		}
	}

	var request lifecycle.Request
	for batch := range batches + 1 {
		began, before := now, pool.Counts()
		area, q.waited.batch = 0, 0
		for range batchSize {
			arrival := now + draw(1/tr.rate)
			until(arrival)
			request++
			step(arrival, lifecycle.Event{Kind: lifecycle.Arrive, Request: request})
		}
		if batch == 0 {
			continue // it began empty
		}
		c, n := pool.Counts(), float64(batchSize)
		q.cold.add(float64(c.Started-before.Started) / n)
		q.waited.add(q.waited.batch / n)
		q.throttled.add(float64(c.Throttled-before.Throttled) / n)
		q.instances.add(area / float64(now-began))
	}
	return q
}

// estimate is a mean with its standard error, from independent values (Welford).
type estimate struct {
	n, mean, m2 float64
	batch       float64 // a count within the batch that is under way
}

func (e *estimate) add(x float64) {
	e.n++
	delta := x - e.mean
	e.mean += delta / e.n
	e.m2 += delta * (x - e.mean)
}

func (e *estimate) standardError() float64 { return math.Sqrt(e.m2 / (e.n - 1) / e.n) }

// check wants the mean within 4 standard errors, and those small enough for the
// test to mean something.
func (e *estimate) check(t *testing.T, name string, want, precision float64) {
	t.Helper()
	se := e.standardError()
	if math.Abs(e.mean-want) > 4*se {
		t.Errorf("%s: got %.7f with standard error %.2g, want %.8f (%+.1f standard errors)",
			name, e.mean, se, want, (e.mean-want)/se)
	}
	if se > precision*want {
		t.Errorf("%s: standard error %.2g is above %v of %v: the test is blind", name, se, precision, want)
	}
}

// TestColdStartLaw compares the pool with the exact solution for concurrency 1,
// most-recently-used routing and a fixed keep-alive T: an arrival is cold iff
// B+1 exceeds the largest B over the last T, B the number busy of an M/M/inf
// queue. With tau_n its first passage from n to n+1 and rho = L S:
//
//	p_cold = sum_n Pois(rho; n) P(tau_n > T)
//	E[N]   = sum_{k>=1} [P(B>=k) + L Pois(rho; k-1) E min(tau_{k-1}, T)]
func TestColdStartLaw(t *testing.T) {
	for _, law := range []struct {
		name               string
		rate               float64
		service, keepAlive time.Duration
		cold, instances    float64
		batch              int
		precision          float64 // of the cold share
	}{
		{"L=1,S=1,T=60", 1, time.Second, time.Minute, .01139262, 4.594982, 20000, .02},
		{"L=.9,S=2.016,T=600", .9, 2016 * time.Millisecond, 10 * time.Minute, .00133502, 7.736599, 20000, .04},
		{"L=.05,S=1.986,T=600", .05, 1986 * time.Millisecond, 10 * time.Minute, .01067195, 2.042512, 5000, .04},
		{"L=.0018631,S=1.986,T=600", .0018631, 1986 * time.Millisecond, 10 * time.Minute, .32943588, .678341, 5000, .02},
	} {
		t.Run(law.name, func(t *testing.T) {
			tr := traffic{law.rate, law.service, lifecycle.Policy{KeepAlive: law.keepAlive}}
			got := tr.run(1, 40, law.batch)
			got.cold.check(t, "cold share", law.cold, law.precision)
			got.instances.check(t, "mean instances", law.instances, .02)
		})
	}
}

// TestErlangLaws compares the limits with the classic queues: without a queue
// the share refused by c servers at load a is Erlang's B(a, c); with an endless
// one the share that waits is Erlang's C(a, c).
func TestErlangLaws(t *testing.T) {
	base := traffic{8, time.Second, lifecycle.Policy{KeepAlive: -1, Concurrency: 10}}

	loss := base.run(1, 40, 20000)
	loss.throttled.check(t, "B(8, 10)", .1216610643, .02)

	delay := base
	delay.policy.QueueLimit = math.MaxInt
	waiting := delay.run(1, 40, 20000)
	waiting.waited.check(t, "C(8, 10)", .4091802, .02)
	if waiting.throttled.mean != 0 {
		t.Errorf("an endless queue throttled a share of %v", waiting.throttled.mean)
	}
}

// TestExponentialExpiryLaw: where idle spells have lengths that remember nothing,
// it does not matter which instance is taken. An arrival is cold with
// probability p and i instances are idle on average, whatever the noise.
func TestExponentialExpiryLaw(t *testing.T) {
	for _, law := range []struct {
		rate          float64
		service, mean time.Duration // of the idle spells
		cold, idle    float64
		batch         int
	}{
		{.1, 2 * time.Second, 600 * time.Second, .03236428, 1.941857, 5000},
		{1, time.Second, 60 * time.Second, .04492148, 2.695289, 10000},
	} {
		for _, noise := range []float64{0, .3, 1} {
			t.Run(fmt.Sprintf("L=%v,S=%v,T=%v,noise=%v", law.rate, law.service, law.mean, noise), func(t *testing.T) {
				policy := lifecycle.Policy{Survival: exponentialSurvival(law.mean), Noise: noise, Seed: 1}
				got := traffic{law.rate, law.service, policy}.run(1, 40, law.batch)
				got.cold.check(t, "cold share", law.cold, .02)
				got.instances.check(t, "mean instances", law.idle+law.rate*law.service.Seconds(), .02)
			})
		}
	}
}

// exponentialSurvival is exp(-t/mean), in steps small enough to be a line.
func exponentialSurvival(mean time.Duration) (curve []lifecycle.Survivor) {
	for t := .01; t < 16; t += .01 {
		curve = append(curve, lifecycle.Survivor{Idle: time.Duration(t * float64(mean)), Alive: math.Exp(-t)})
	}
	return append(curve, lifecycle.Survivor{Idle: 17 * mean})
}
