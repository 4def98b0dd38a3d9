package sim_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// each is n arrivals an even gap apart, from a second on.
func each(gap time.Duration, n int) func(*rand.Rand) iter.Seq[time.Duration] {
	return func(*rand.Rand) iter.Seq[time.Duration] {
		return func(yield func(time.Duration) bool) {
			for k := range n {
				if !yield(time.Second + time.Duration(k)*gap) {
					return
				}
			}
		}
	}
}

// TestPingsEndBeforeTheNextRequest: of requests that come minutes apart, pinged
// in between, only the first is cold. A ping that was still under way when the
// next request came would make that one cold, too; also where it is answered at
// the very instant at which that comes.
func TestPingsEndBeforeTheNextRequest(t *testing.T) {
	for name, c := range map[string]struct {
		gap, service time.Duration
	}{
		"long before":         {17 * time.Minute, time.Millisecond},
		"at the same instant": {6 * time.Minute, time.Minute + time.Second}, // pinged at 5, 10, ... minutes; the second request comes at 6m1s
	} {
		policy := lifecycle.Policy{KeepAlive: 10 * time.Minute, Ping: lifecycle.Pings{Every: 5 * time.Minute, Count: 1}}
		requests := 100
		if c.gap == 6*time.Minute {
			requests = 2
		}
		r, err := sim.Events(context.Background(), sim.Load{Name: "f", Arrivals: each(c.gap, requests)}, sim.Options{
			Policy: policy, Service: dist.Constant(c.service), StartDelay: dist.Constant(time.Second), Warmup: -1,
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Served != uint64(requests) || r.Cold != 1 || r.Started != 1 {
			t.Errorf("%s: of %d requests %d were cold, by %d instances; want %d, 1, 1", name, r.Served, r.Cold, r.Started, requests)
		}
	}
}

// TestBilledStartIsTheInstancesOwn: a start that a ping began and ended in the
// meantime is not billed to a request.
func TestBilledStartIsTheInstancesOwn(t *testing.T) {
	delays := []time.Duration{7 * time.Second, 2 * time.Second}
	next := 0
	r, err := sim.Events(context.Background(), sim.Load{Name: "f", Span: 12 * time.Second, Arrivals: each(time.Hour, 1)}, sim.Options{
		Policy:  lifecycle.Policy{KeepAlive: time.Minute, Ping: lifecycle.Pings{Every: 5 * time.Second, Count: 1}},
		Service: dist.Constant(time.Millisecond), StartDelay: listed{list: delays, next: &next}, Warmup: -1, BillStart: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	// The request has an instance started for 7 s at 1 s, and the ping at 5 s one for 2 s.
	if want := 9 * time.Second; r.Usage.InitBilled != want || next != 2 {
		t.Errorf("%v of starts billed after %d starts, want %v after 2", r.Usage.InitBilled, next, want)
	}
}

// TestPingsEndWithTheLoad: requests for which nothing can ever start are left
// unserved, though pings would go on for ever.
func TestPingsEndWithTheLoad(t *testing.T) {
	job := &sim.Job{Load: sim.Load{Name: "f", Span: time.Minute, Arrivals: each(time.Second, 5)}, Options: sim.Options{
		Policy:  lifecycle.Policy{KeepAlive: time.Minute, QueueLimit: 10, Ping: lifecycle.Pings{Every: time.Second, Count: 1}},
		Service: dist.Constant(time.Millisecond), Warmup: -1, Memory: 512 << 20,
	}}
	r, _, err := sim.Shared(context.Background(), []*sim.Job{job}, 256<<20)
	if err != nil {
		t.Fatal(err)
	}
	if r.Served != 0 || r.Unserved == 0 {
		t.Errorf("%d served and %d left, want none served", r.Served, r.Unserved)
	}
}

// listed draws from a list.
type listed struct {
	dist.Constant
	list []time.Duration
	next *int
}

func (l listed) Sample(*rand.Rand) time.Duration {
	*l.next++
	return l.list[(*l.next-1)%len(l.list)]
}
