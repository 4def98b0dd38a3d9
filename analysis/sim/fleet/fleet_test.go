package fleet_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
)

const ms = time.Millisecond

// poisson yields n arrivals at a rate.
func poisson(rate float64, n int, seed uint64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		rng := rand.New(rand.NewPCG(seed, 9))
		at := 0.0
		for range n {
			at += rng.ExpFloat64() / rate
			if !yield(time.Duration(at * 1e9)) {
				return
			}
		}
	}
}

// each yields arrivals at a constant distance, from the first on until the end.
func each(gap, from, until time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for at := from; at < until; at += gap {
			if !yield(at) {
				return
			}
		}
	}
}

func at(times ...time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for _, t := range times {
			if !yield(t) {
				return
			}
		}
	}
}

func run(t testing.TB, arrivals iter.Seq[time.Duration], options fleet.Options) *fleet.Result {
	t.Helper()
	result, err := fleet.Run(t.Context(), arrivals, options)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// within holds a mean to its law: 4 standard errors.
func within(t *testing.T, what string, got float64, stderr *float64, want float64) {
	t.Helper()
	if stderr == nil {
		t.Errorf("%s has no standard error", what)
		return
	}
	if off := (got - want) / *stderr; math.Abs(off) > 4 {
		t.Errorf("%s is %.6g, want %.6g: %.1f standard errors of %.2g off", what, got, want, off, *stderr)
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want) || math.IsNaN(got) {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

// TestErlangC is M/M/c: as many instances with a worker each, or few with many.
func TestErlangC(t *testing.T) {
	for _, c := range []struct {
		load               float64
		instances, workers int
	}{{.8, 1, 1}, {1.6, 2, 1}, {1.6, 1, 2}, {8, 10, 1}, {8, 5, 2}, {45, 12, 4}} {
		t.Run(fmt.Sprintf("load=%v/instances=%d/workers=%d", c.load, c.instances, c.workers), func(t *testing.T) {
			t.Parallel()
			const mean = 100 * ms
			law := queue.System{Rate: c.load / mean.Seconds(), Service: queue.Exponential(mean), Servers: c.instances * c.workers}
			r := run(t, poisson(law.Rate, 3_000_000, 1), fleet.Options{
				Service: dist.Exponential(mean), Instances: c.instances, Workers: c.workers, Warmup: 10 * time.Second, Seed: 2,
			})
			within(t, "share that waits", r.Delayed, r.DelayedStderr, law.Delayed())
			within(t, "mean wait", r.WaitMean, r.WaitStderr, law.MeanWait().Seconds())
			within(t, "mean response", r.ResponseMean, r.ResponseStderr, law.MeanWait().Seconds()+mean.Seconds())
			near(t, "p99", r.Response.Quantile(.99).Seconds(), law.ResponseQuantile(.99).Seconds(), .04)
			near(t, "busy workers", r.BusyMean, c.load, .01)
			near(t, "utilisation", r.Utilisation, c.load/float64(c.instances*c.workers), .01)
		})
	}
}

// TestErlangB is a fleet in which nobody waits: who finds all workers busy has
// lost patience before one of them is free. It holds for any service times.
func TestErlangB(t *testing.T) {
	for _, b := range []fleet.Balancing{fleet.SharedQueue, fleet.LeastOutstanding} {
		for _, service := range []dist.Distribution{dist.Constant(100 * ms), dist.Exponential(100 * ms)} {
			r := run(t, poisson(80, 2_000_000, 3), fleet.Options{
				Service: service, Instances: 10, Balancing: b, QueueTimeout: 1, Warmup: 10 * time.Second, Seed: 4,
			})
			within(t, fmt.Sprintf("%s, %v: share lost", b, service), r.MissShare, r.MissStderr, queue.ErlangB(8, 10))
		}
	}
}

// TestBalancing holds the policies to what is known of them: by chance it is so
// many M/M/1, the others are between that and one queue.
func TestBalancing(t *testing.T) {
	const mean, instances = 100 * ms, 8
	waits := map[fleet.Balancing]float64{}
	for _, b := range fleet.Balancings() {
		r := run(t, poisson(64, 2_000_000, 5), fleet.Options{Service: dist.Exponential(mean), Instances: instances, Balancing: b, Warmup: 10 * time.Second, Seed: 6})
		waits[b] = r.WaitMean
		if b == fleet.Random {
			one := queue.System{Rate: 8, Service: queue.Exponential(mean), Servers: 1}
			within(t, "mean wait by chance", r.WaitMean, r.WaitStderr, one.MeanWait().Seconds())
		}
		if r.Errors > 0 || r.Served != r.Requests {
			t.Errorf("%s: %d of %d served, %d errors", b, r.Served, r.Requests, r.Errors)
		}
	}
	order := []fleet.Balancing{fleet.SharedQueue, fleet.LeastOutstanding, fleet.RandomTwo, fleet.RoundRobin, fleet.Random}
	for i := range order[1:] {
		if waits[order[i]] >= waits[order[i+1]] {
			t.Errorf("%s waits %v, no less than %s with %v", order[i], waits[order[i]], order[i+1], waits[order[i+1]])
		}
	}
}

// TestConservation holds what is true of any fleet: requests are accounted for,
// and Little's law.
func TestConservation(t *testing.T) {
	for _, b := range fleet.Balancings() {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			r := run(t, poisson(200, 1_500_000, 7), fleet.Options{
				Service: dist.Exponential(100 * ms), Instances: 3, Workers: 8, Balancing: b,
				QueueLimit: 30, QueueTimeout: 60 * ms, MTBF: 40 * time.Minute, Boot: dist.Constant(45 * time.Second),
				Autoscaling: &fleet.Autoscaling{Target: .7, Min: 2, Max: 6}, DrainTimeout: 200 * ms,
				Warmup: time.Minute, Seed: 8, Target: 300 * ms,
			})
			if r.Requests+r.WarmupRequests != 1_500_000 || r.Served+r.Errors != r.Requests || r.Errors != r.Rejected+r.TimedOut+r.Unserved+r.Failed {
				t.Errorf("requests are lost or counted twice: %+v", r)
			}
			if r.Response.N() != r.Served || r.Late > r.Served {
				t.Errorf("%d responses for %d served, %d of them late", r.Response.N(), r.Served, r.Late)
			}
			if r.Failed == 0 || r.Failures == 0 || r.TimedOut == 0 {
				t.Errorf("the fleet has no failures (%d) or timeouts (%d), so that nothing is tested", r.Failures, r.TimedOut)
			}
			if r.InstancesMean < r.ServingMean || float64(r.InstancesPeak) < r.InstancesMean || r.InstanceHours < r.AliveHours {
				t.Errorf("instances %v mean, %v serving, %v peak; %v h billed of %v", r.InstancesMean, r.ServingMean, r.InstancesPeak, r.InstanceHours, r.AliveHours)
			}
			near(t, "alive hours by the mean", r.InstancesMean*r.Span.Hours(), r.AliveHours, 1e-9)
		})
	}
}

// TestLittle wants the mean number in the system to be the rate times the mean
// response time, and the mean number of busy workers the rate times the mean
// service time; the first also where those who gave up count until they did.
func TestLittle(t *testing.T) {
	for _, b := range fleet.Balancings() {
		r := run(t, poisson(70, 2_000_000, 9), fleet.Options{Service: dist.Exponential(100 * ms), Instances: 4, Workers: 2, Balancing: b, Seed: 1, Warmup: time.Second})
		rate := float64(r.Requests) / r.Span.Seconds()
		near(t, string(b)+": requests in the system", r.SystemMean, rate*r.ResponseMean, 1e-3)
		near(t, string(b)+": busy workers", r.BusyMean, rate*(r.ResponseMean-r.WaitMean), 1e-3)
	}
	const patience = 50 * ms
	r := run(t, poisson(70, 1_000_000, 9), fleet.Options{Service: dist.Constant(100 * ms), Instances: 6, QueueTimeout: patience, Seed: 1})
	rate := 1e6 / r.Span.Seconds()
	share := float64(r.TimedOut) / float64(r.Requests)
	if share < .05 {
		t.Fatalf("%v give up, so that nothing is tested", share)
	}
	near(t, "requests in the system", r.SystemMean, rate*((1-share)*r.ResponseMean+share*patience.Seconds()), 1e-3)
}

// TestSameSeed wants the same result again, and other draws another one.
func TestSameSeed(t *testing.T) {
	result := func(seed uint64) string {
		r := run(t, poisson(100, 100_000, 1), fleet.Options{
			Service: dist.Lognormal{Mu: -3, Sigma: 1}, Instances: 4, Workers: 2, Balancing: fleet.RandomTwo, MTBF: time.Hour, Boot: dist.Exponential(time.Minute), Seed: seed,
			Autoscaling: &fleet.Autoscaling{Target: .6, Min: 2, Max: 20},
		})
		r.Timeline = nil
		return fmt.Sprintf("%v %+v", r.Response.Quantile(.9), [...]any{r.ResponseMean, r.AliveHours, r.Started, *r.WaitStderr, r.Failed})
	}
	if a, b := result(1), result(1); a != b {
		t.Errorf("the same seed gives %s and %s", a, b)
	}
	if a, b := result(1), result(2); a == b {
		t.Errorf("two seeds give %s", a)
	}
}

// TestSameDraws wants a request's service time to depend on the seed alone, so
// that two fleets are compared on the same work.
func TestSameDraws(t *testing.T) {
	busy := func(instances int) float64 {
		return run(t, poisson(50, 20_000, 1), fleet.Options{Service: dist.Exponential(100 * ms), Instances: instances, MTBF: 0, Seed: 3, Span: time.Hour}).BusyMean
	}
	near(t, "work", busy(6), busy(60), 1e-9)
}

// transcript tells every change of the fleet's size, a line each.
func transcript(t *testing.T, arrivals iter.Seq[time.Duration], options fleet.Options) (string, *fleet.Result) {
	var lines strings.Builder
	lines.WriteByte('\n')
	options.Observe = func(c fleet.Change) {
		fmt.Fprintf(&lines, "%v %s: %d booting, %d serving, %d draining", c.At, c.Kind, c.Booting, c.Serving, c.Draining)
		if c.Wanted > 0 {
			fmt.Fprintf(&lines, "; %.0f%% busy, want %d", 100*c.Utilisation, c.Wanted)
		}
		lines.WriteByte('\n')
	}
	r := run(t, arrivals, options)
	return lines.String(), r
}

// join makes one sequence of several, one after the other.
func join(all ...iter.Seq[time.Duration]) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for _, seq := range all {
			for v := range seq {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// TestAutoscaling has 4 erlangs for some minutes between two spells of 1, on
// workers that are to be half busy.
func TestAutoscaling(t *testing.T) {
	day := join(each(time.Second, 0, 3*time.Minute), each(250*ms, 3*time.Minute, 8*time.Minute), each(time.Second, 8*time.Minute, 15*time.Minute))
	for name, c := range map[string]struct {
		change func(o *fleet.Options)
		want   string
	}{
		"as it is": {func(*fleet.Options) {}, `
4m0s scaled-out: 2 booting, 2 serving, 0 draining; 100% busy, want 4
5m30s ready: 1 booting, 3 serving, 0 draining
5m30s ready: 0 booting, 4 serving, 0 draining
6m0s scaled-out: 4 booting, 4 serving, 0 draining; 100% busy, want 8
7m30s ready: 3 booting, 5 serving, 0 draining
7m30s ready: 2 booting, 6 serving, 0 draining
7m30s ready: 1 booting, 7 serving, 0 draining
7m30s ready: 0 booting, 8 serving, 0 draining
8m0s scaled-out: 8 booting, 8 serving, 0 draining; 100% busy, want 16
9m0s scaled-in: 0 booting, 8 serving, 0 draining; 50% busy, want 8
10m0s scaled-in: 0 booting, 2 serving, 0 draining; 12% busy, want 2
`},
		"metric late by 20s, two periods in a row": {func(o *fleet.Options) {
			o.Autoscaling.Delay, o.Autoscaling.OutAfter, o.Autoscaling.InAfter = 20*time.Second, 2, 3
		}, `
5m20s scaled-out: 2 booting, 2 serving, 0 draining; 100% busy, want 4
6m50s ready: 1 booting, 3 serving, 0 draining
6m50s ready: 0 booting, 4 serving, 0 draining
8m20s scaled-out: 4 booting, 4 serving, 0 draining; 100% busy, want 8
9m50s ready: 3 booting, 5 serving, 0 draining
9m50s ready: 2 booting, 6 serving, 0 draining
9m50s ready: 1 booting, 7 serving, 0 draining
9m50s ready: 0 booting, 8 serving, 0 draining
13m20s scaled-in: 0 booting, 2 serving, 0 draining; 12% busy, want 2
`},
		"cooldowns": {func(o *fleet.Options) {
			o.Autoscaling.OutCooldown, o.Autoscaling.InCooldown = 150*time.Second, 5*time.Minute
		}, `
4m0s scaled-out: 2 booting, 2 serving, 0 draining; 100% busy, want 4
5m30s ready: 1 booting, 3 serving, 0 draining
5m30s ready: 0 booting, 4 serving, 0 draining
7m0s scaled-out: 4 booting, 4 serving, 0 draining; 100% busy, want 8
8m30s ready: 3 booting, 5 serving, 0 draining
8m30s ready: 2 booting, 6 serving, 0 draining
8m30s ready: 1 booting, 7 serving, 0 draining
8m30s ready: 0 booting, 8 serving, 0 draining
12m0s scaled-in: 0 booting, 2 serving, 0 draining; 12% busy, want 2
`},
		"at most 3, slow boots": {func(o *fleet.Options) {
			o.Autoscaling.Max, o.Boot = 3, dist.Constant(4*time.Minute)
		}, `
4m0s scaled-out: 1 booting, 2 serving, 0 draining; 100% busy, want 3
8m0s ready: 0 booting, 3 serving, 0 draining
14m0s scaled-in: 0 booting, 2 serving, 0 draining; 33% busy, want 2
`},
	} {
		t.Run(name, func(t *testing.T) {
			options := fleet.Options{
				Service: dist.Constant(999 * ms), Instances: 2, Boot: dist.Constant(90 * time.Second), Span: 15 * time.Minute,
				Autoscaling: &fleet.Autoscaling{Target: .5, Min: 2, Max: 20},
			}
			c.change(&options)
			got, _ := transcript(t, day, options)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestDrain takes an instance away that has a request of a minute.
func TestDrain(t *testing.T) {
	for name, c := range map[string]struct {
		limit  time.Duration
		failed uint64
		want   string
	}{
		"as long as it takes": {0, 0, `
1m0s scaled-in: 0 booting, 1 serving, 1 draining; 17% busy, want 1
1m50s drained: 0 booting, 1 serving, 0 draining
`},
		"at most 10s": {10 * time.Second, 1, `
1m0s scaled-in: 0 booting, 1 serving, 1 draining; 17% busy, want 1
1m10s drained: 0 booting, 1 serving, 0 draining
`},
	} {
		t.Run(name, func(t *testing.T) {
			got, r := transcript(t, at(50*time.Second, 50*time.Second), fleet.Options{
				Service: dist.Constant(time.Minute), Instances: 2, DrainTimeout: c.limit, Span: 3 * time.Minute,
				Autoscaling: &fleet.Autoscaling{Target: 1, Min: 1, Max: 2},
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if r.Failed != c.failed || r.Served != 2-c.failed {
				t.Errorf("%d failed and %d served, want %d failed", r.Failed, r.Served, c.failed)
			}
		})
	}
}

// TestFailure ends the only instance, with what it has, and boots another.
func TestFailure(t *testing.T) {
	for _, b := range []fleet.Balancing{fleet.SharedQueue, fleet.RoundRobin} {
		var failures []time.Duration
		r := run(t, each(100*ms, 0, time.Hour), fleet.Options{
			Service: dist.Constant(500 * ms), Workers: 10, Balancing: b, MTBF: 10 * time.Minute, Boot: dist.Constant(30 * time.Second), Seed: 5,
			QueueTimeout: 5 * time.Second,
			Observe: func(c fleet.Change) {
				if c.Kind == fleet.Failed {
					failures = append(failures, c.At)
				}
			},
		})
		n := uint64(len(failures))
		if n < 2 || r.Failures != n || r.Started != n+1 {
			t.Fatalf("%s: %d failures, %d started, observed %v", b, r.Failures, r.Started, failures)
		}
		if most := 5 * n; r.Failed < most-n || r.Failed > most+n {
			t.Errorf("%s: %d requests failed with %d instances of 10 workers, 5 busy", b, r.Failed, n)
		}
		// While it boots, 30 s of 10 requests a second find nobody: the shared
		// queue keeps those of the last 5 s.
		want, got := 300*n, r.Unserved
		if b == fleet.SharedQueue {
			want, got = 250*n, r.TimedOut
		}
		if got+2*n < want || got > want+20*n {
			t.Errorf("%s: %d requests found no instance, want about %d", b, got, want)
		}
		near(t, "alive", r.AliveHours, 1, 1e-3)
	}
}

// TestBilling has one instance that lives from 5m to 8m beside one that is
// always there, which is not rounded.
func TestBilling(t *testing.T) {
	load := join(each(time.Second, 0, 4*time.Minute), each(500*ms, 4*time.Minute, 7*time.Minute), each(time.Second, 7*time.Minute, 10*time.Minute))
	for _, c := range []struct {
		rule fleet.Billing
		want time.Duration // in addition to the 10 minutes
	}{
		{fleet.Billing{}, 3 * time.Minute},
		{fleet.Billing{Step: time.Hour}, time.Hour},
		{fleet.Billing{Step: 7 * time.Second}, 182 * time.Second},
		{fleet.Billing{Step: time.Second, Minimum: 10 * time.Minute}, 10 * time.Minute},
		{fleet.Billing{Step: time.Minute, Minimum: 90 * time.Second}, 3 * time.Minute},
	} {
		r := run(t, load, fleet.Options{
			Service: dist.Constant(900 * ms), Instances: 1, Span: 10 * time.Minute, Billing: c.rule, Workers: 2,
			Autoscaling: &fleet.Autoscaling{Target: .7, Min: 1, Max: 2},
		})
		near(t, fmt.Sprintf("%+v: instance-hours", c.rule), r.InstanceHours, (10*time.Minute + c.want).Hours(), 1e-9)
		near(t, "alive hours", r.AliveHours, (13 * time.Minute).Hours(), 1e-9)
	}
}

// TestTimeline wants the steps to add up to the whole, over a span that makes
// them double several times.
func TestTimeline(t *testing.T) {
	for _, warmup := range []time.Duration{0, 90 * time.Second} {
		r := run(t, poisson(10, 100_000, 1), fleet.Options{
			Service: dist.Exponential(time.Second), Workers: 4, Warmup: warmup, Seed: 1,
			Autoscaling: &fleet.Autoscaling{Target: .6, Min: 1, Max: 20}, Boot: dist.Constant(time.Minute),
		})
		if n := len(r.Timeline); n < 100 || n > 241 {
			t.Errorf("%d steps", n)
		}
		var requests uint64
		var length time.Duration
		var alive, busy float64
		for _, s := range r.Timeline {
			if s.At != warmup+length {
				t.Fatalf("a step begins at %v, the one before it ended at %v", s.At, warmup+length)
			}
			requests += s.Requests
			length += s.Length
			alive += s.Alive * s.Length.Seconds()
			busy += s.Busy * s.Length.Seconds()
		}
		if requests != r.Requests || length != r.Span {
			t.Errorf("the steps have %d requests in %v, want %d in %v", requests, length, r.Requests, r.Span)
		}
		near(t, "instances", alive/r.Span.Seconds(), r.InstancesMean, 1e-9)
		near(t, "busy", busy/r.Span.Seconds(), r.BusyMean, 1e-9)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := fleet.Run(ctx, poisson(10, 1_000_000, 1), fleet.Options{Service: dist.Constant(ms)})
	if err != nil || !r.Interrupted || r.Requests > 20_000 || r.Served != r.Requests {
		t.Errorf("got %+v, %v, want a marked result of the first requests", r, err)
	}
}

func TestRefusals(t *testing.T) {
	good := fleet.Options{Service: dist.Constant(ms)}
	for want, c := range map[string]struct {
		arrivals iter.Seq[time.Duration]
		change   func(*fleet.Options)
	}{
		"arrival 1 is at 1s, before the one at 2s":      {at(2*time.Second, time.Second), func(*fleet.Options) {}},
		"arrival 0 is at -1s, before":                   {at(-time.Second), func(*fleet.Options) {}},
		"arrival 0 is at 2s, after the span of 1s":      {at(2 * time.Second), func(o *fleet.Options) { o.Span = time.Second }},
		"traffic ends at 2s, within the warm-up of 1m":  {at(2 * time.Second), func(o *fleet.Options) { o.Warmup = time.Minute }},
		"span 1s is not above the warm-up of 1s":        {at(), func(o *fleet.Options) { o.Span, o.Warmup = time.Second, time.Second }},
		"service: there is none":                        {at(), func(o *fleet.Options) { o.Service = nil }},
		"instances -1 are outside":                      {at(), func(o *fleet.Options) { o.Instances = -1 }},
		"workers -1 are outside":                        {at(), func(o *fleet.Options) { o.Workers = -1 }},
		`balancing "best" is none of ["shared-queue"`:   {at(), func(o *fleet.Options) { o.Balancing = "best" }},
		"queue limit -1 is below 0":                     {at(), func(o *fleet.Options) { o.QueueLimit = -1 }},
		"mtbf -1ns is below 0":                          {at(), func(o *fleet.Options) { o.MTBF = -1 }},
		"autoscaling: target 1.5 is not":                {at(), func(o *fleet.Options) { o.Autoscaling = &fleet.Autoscaling{Target: 1.5, Max: 2} }},
		"autoscaling: min 3 and max 2 are not in order": {at(), func(o *fleet.Options) { o.Autoscaling = &fleet.Autoscaling{Target: 1, Min: 3, Max: 2} }},
		"9 instances at the start are outside min 1":    {at(), func(o *fleet.Options) { o.Instances, o.Autoscaling = 9, &fleet.Autoscaling{Target: 1, Max: 2} }},
		"periods in a row: one is below 1":              {at(), func(o *fleet.Options) { o.Autoscaling = &fleet.Autoscaling{Target: 1, Max: 2, InAfter: -1} }},
		"one is below 0":                                {at(), func(o *fleet.Options) { o.Autoscaling = &fleet.Autoscaling{Target: 1, Max: 2, Delay: -1} }},
		"autoscaling: period -1ns is not above 0":       {at(), func(o *fleet.Options) { o.Autoscaling = &fleet.Autoscaling{Target: 1, Max: 2, Period: -1} }},
	} {
		options := good
		c.change(&options)
		if _, err := fleet.Run(t.Context(), c.arrivals, options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestNoAllocationPerRequest compares two runs of one length that differ in
// their requests a hundredfold.
func TestNoAllocationPerRequest(t *testing.T) {
	allocations := func(b fleet.Balancing, n int) float64 {
		arrivals := make([]time.Duration, 0, n)
		for v := range poisson(float64(n)/100, n, 1) {
			arrivals = append(arrivals, v)
		}
		return testing.AllocsPerRun(1, func() {
			run(t, at(arrivals...), fleet.Options{Service: dist.Exponential(100 * time.Second / time.Duration(n)), Instances: 2, Balancing: b, Span: 200 * time.Second})
		})
	}
	for _, b := range fleet.Balancings() {
		if few, many := allocations(b, 2000), allocations(b, 200_000); many > few+100 {
			t.Errorf("%s: 200,000 requests allocate %v times, 2,000 do %v times", b, many, few)
		}
	}
}

// BenchmarkRun is a fleet of 10 instances with 4 workers each, 80% busy.
func BenchmarkRun(b *testing.B) {
	for _, balancing := range fleet.Balancings() {
		for _, service := range []dist.Distribution{dist.Constant(100 * ms), dist.Exponential(100 * ms)} {
			b.Run(fmt.Sprintf("balancing=%s/service=%v", balancing, service), func(b *testing.B) {
				requests := 0
				for b.Loop() {
					const n = 1_000_000
					run(b, poisson(320, n, 1), fleet.Options{Service: service, Instances: 10, Workers: 4, Balancing: balancing, Seed: 1})
					requests += n
				}
				b.ReportMetric(float64(requests)/b.Elapsed().Seconds(), "requests/s")
			})
		}
	}
}
