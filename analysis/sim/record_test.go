package sim_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// recorded is a run of n requests: the k-th was sent after k*10 ms, took
// beside(k) beside its instance and k ms in it, and started one in 2k ms.
func recorded(t *testing.T, n int, beside func(k time.Duration) time.Duration) sim.Options {
	t.Helper()
	var services, starts []dist.Observed
	for k := range time.Duration(n) {
		services = append(services, dist.Observed{At: 10 * k * time.Millisecond, Took: k * time.Millisecond, Beside: beside(k)})
		starts = append(starts, dist.Observed{At: 10 * k * time.Millisecond, Took: 2 * k * time.Millisecond})
	}
	o := sim.Options{Record: dist.NewRecord(services), Warmup: -1, Seed: 3}
	for kind, observed := range map[*dist.Distribution][]dist.Observed{&o.Service: services, &o.ColdService: services, &o.StartDelay: starts} {
		s, err := o.Record.Succession(observed)
		if err != nil {
			t.Fatal(err)
		}
		*kind = s
	}
	return o
}

// steady is n requests, each a gap after the other.
func steady(gap time.Duration, n int) sim.Load {
	return sim.Load{Arrivals: func(*rand.Rand) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for k := range time.Duration(n) {
				if !yield(k * gap) {
					return
				}
			}
		}
	}}
}

// TestRequestMeetsOneMoment: its start and its service are of one place in the
// record, whoever comes while it starts.
func TestRequestMeetsOneMoment(t *testing.T) {
	options := recorded(t, 100, func(time.Duration) time.Duration { return 0 })
	type life struct{ started, served, gone time.Duration }
	lives := map[lifecycle.Instance]*life{} // no keep-alive: an instance a request
	options.Watch = func(at time.Duration, a lifecycle.Action) {
		switch a.Kind {
		case lifecycle.Start:
			lives[a.Instance] = &life{started: at}
		case lifecycle.Serve:
			lives[a.Instance].served = at
		case lifecycle.Reap:
			lives[a.Instance].gone = at
		}
	}
	load := steady(time.Millisecond, 500)
	load.Span = time.Minute // all are gone by then
	r, err := sim.Events(context.Background(), load, options)
	if err != nil {
		t.Fatal(err)
	}
	if r.Cold != 500 || len(lives) != 500 {
		t.Fatalf("%d cold of %d instances, want 500", r.Cold, len(lives))
	}
	for i, l := range lives {
		if start, service := l.served-l.started, l.gone-l.served; start != 2*service {
			t.Errorf("instance %d starts in %v and serves for %v: not of one request", i, start, service)
		}
	}
}

// TestStallBringsRequestsTogether: those that a stall of 100 ms held reach the
// pool at its end, in one instant and as many as were sent meanwhile, whatever
// the rate was where it was measured: two stalls a second, but in no more
// requests than there. Latency has in it what they waited.
func TestStallBringsRequestsTogether(t *testing.T) {
	options := recorded(t, 500, func(k time.Duration) time.Duration { return max(0, 10-k%50) * 10 * time.Millisecond })
	options.Service, options.ColdService, options.StartDelay = dist.Constant(time.Millisecond), nil, nil
	options.Policy.KeepAlive = time.Second
	for gap, together := range map[time.Duration]int{20 * time.Millisecond: 5, 10 * time.Millisecond: 10, 4 * time.Millisecond: 25, time.Millisecond: 100} {
		load := steady(gap, 2000)
		load.Span = 2000 * gap
		var times []time.Duration
		for at := range sim.Requests(load, options) {
			times = append(times, at)
		}
		if len(times) != 2000 || !slices.IsSorted(times) {
			t.Fatalf("%d requests come, ascending %v; want 2000", len(times), slices.IsSorted(times))
		}
		most, crowds, crowd := 0, 0, 1
		for k := 1; k < len(times); k++ {
			if crowd++; times[k] != times[k-1] {
				crowd = 1
			}
			if most = max(most, crowd); crowd == together {
				crowds++
			}
		}
		r, err := sim.Events(context.Background(), load, options)
		if err != nil {
			t.Fatal(err)
		}
		want := min(int(load.Span/(500*time.Millisecond)), 2000/50)
		// One may come while another lasts, and of few chance has none or many.
		if crowds < want/3 || crowds > 3*want || most > 3*together || r.InstancesPeak != most {
			t.Errorf("each %v: %d times %d requests come at once, at most %d, to %d instances; want about %d times, each to its own", gap, crowds, together, most, r.InstancesPeak, want)
		}
		if r.Response.Max() != time.Millisecond || r.Latency.Max() < 100*time.Millisecond || r.Latency.Max() > 3*101*time.Millisecond {
			t.Errorf("each %v: the pool answers within %v, callers wait up to %v; want 1 ms and 101", gap, r.Response.Max(), r.Latency.Max())
		}
	}
}
