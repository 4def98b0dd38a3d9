//go:build linux

package reference_test

import (
	"cmp"
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox/process"
)

// TestLiveTrafficIsPredicted sends requests to processes and has the simulator
// say how many of them are cold, given when they came and how long instances
// worked and started: the number seen lies in the prediction's interval.
//
// A busy machine makes none of this false. The times are the runtime's own
// record, so that what a caller, a socket or a scheduler adds is in them; and
// the simulator draws them as they followed each other, so that a slow second
// is a slow second for it, too.
func TestLiveTrafficIsPredicted(t *testing.T) {
	policy := lifecycle.Policy{KeepAlive: 300 * time.Millisecond}
	seen := live(t, policy, 200)
	low, high := predicted(t, policy, seen)
	t.Logf("%d of %d are cold, predicted %v to %v; a warm request takes %v, a cold one %v after a start of %v (medians)",
		seen.cold(), len(seen.came), low, high, middle(seen.warm), middle(seen.first), middle(seen.starts))
	if cold := float64(seen.cold()); cold < low || cold > high {
		t.Errorf("%v of %d requests are cold, predicted %v to %v", cold, len(seen.came), low, high)
	}
}

// TestPredictionCanFail: a policy that is not the one that served lies outside
// the interval, so that the test above says something.
func TestPredictionCanFail(t *testing.T) {
	policy := lifecycle.Policy{KeepAlive: 300 * time.Millisecond}
	rng := rand.New(rand.NewPCG(3, 4))
	seen := &observed{}
	at := time.Duration(0)
	for range 200 {
		at += exponential(rng)
		seen.came = append(seen.came, at)
		seen.warm = append(seen.warm, 41*time.Millisecond+exponential(rng)/60)
		seen.first = append(seen.first, 45*time.Millisecond+exponential(rng)/60)
		seen.starts = append(seen.starts, 10*time.Millisecond+exponential(rng)/6)
	}
	low, high := predicted(t, policy, seen)
	for name, c := range map[string]struct {
		policy lifecycle.Policy
		within bool
	}{
		"the policy":                {policy, true},
		"half of the keep-alive":    {lifecycle.Policy{KeepAlive: policy.KeepAlive / 2}, false},
		"twice of it":               {lifecycle.Policy{KeepAlive: 2 * policy.KeepAlive}, false},
		"one instance for everyone": {lifecycle.Policy{KeepAlive: policy.KeepAlive, Slots: 100}, false},
	} {
		cold := float64(simulated(t, c.policy, seen, 1))
		if within := low <= cold && cold <= high; within != c.within {
			t.Errorf("%s: %v are cold, predicted %v to %v: within is %v, want %v", name, cold, low, high, within, c.within)
		}
	}
}

// observed is what the runtime's record tells of a function's requests: when
// they came, ascending; how long an instance was taken by warm ones and by its
// first, and how long starts took, each in the order of the requests.
type observed struct{ came, warm, first, starts []time.Duration }

func (o *observed) cold() int { return len(o.first) }

func exponential(rng *rand.Rand) time.Duration {
	return time.Duration(rng.ExpFloat64() * float64(60*time.Millisecond))
}

func middle(values []time.Duration) time.Duration {
	if len(values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// live sends n requests that sleep for 40 ms to processes.
func live(t *testing.T, policy lifecycle.Policy, n int) *observed {
	t.Helper()
	v := added(t, policy, build(t, "sleep", platform.Go))
	outcomes, failed := make([]engine.Outcome, n), make([]error, n)
	rng := rand.New(rand.NewPCG(1, 2))
	var all sync.WaitGroup
	for k := range n {
		time.Sleep(exponential(rng))
		all.Go(func() {
			outcomes[k], failed[k] = v.Invoke(t.Context(), engine.Invocation{Payload: []byte(`{"ms":40}`)})
		})
	}
	all.Wait()
	for k, out := range outcomes {
		if failed[k] != nil || out.Kind != sample.NoError {
			t.Fatalf("request %d: %+v, %v", k, out, failed[k])
		}
	}
	slices.SortFunc(outcomes, func(a, b engine.Outcome) int { return cmp.Compare(a.Truth.Arrived, b.Truth.Arrived) })
	seen := &observed{}
	for _, out := range outcomes {
		truth := out.Truth
		seen.came = append(seen.came, time.Duration(truth.Arrived-outcomes[0].Truth.Arrived))
		switch out.Start {
		case sample.Cold:
			seen.starts = append(seen.starts, time.Duration(truth.Ready-truth.Assigned))
			seen.first = append(seen.first, time.Duration(truth.Replied-truth.Ready))
		case sample.Warm:
			seen.warm = append(seen.warm, time.Duration(truth.Replied-truth.Assigned))
		default:
			t.Fatalf("a %v start, want cold or warm ones", out.Start)
		}
	}
	if len(seen.warm) == 0 {
		t.Fatal("nothing was warm")
	}
	return seen
}

// added is a function on a runtime of its own, whose instances are processes.
func added(t *testing.T, policy lifecycle.Policy, fn platform.Function) *engine.Version {
	t.Helper()
	box, err := process.New(process.Options{Adopt: true})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := engine.New(engine.Options{Sandboxes: map[string]sandbox.Sandbox{"process": box}, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	family, err := rt.Family(fn.Name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := family.Add(t.Context(), sandbox.Spec{Function: fn}, engine.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// predicted is an interval of 4 standard errors for how many requests are cold:
// the mean of some simulations, and about it as far as one more, the run that
// was seen, may be, up to the next whole request.
func predicted(t *testing.T, policy lifecycle.Policy, seen *observed) (low, high float64) {
	t.Helper()
	const runs = 200
	sum, squares := 0., 0.
	for seed := range uint64(runs) {
		n := float64(simulated(t, policy, seen, 100+seed))
		sum += n
		squares += n * n
	}
	mean := sum / runs
	off := 4 * math.Sqrt((squares-runs*mean*mean)/(runs-1)*(1+1./runs))
	return math.Floor(mean - off), math.Ceil(mean + off)
}

// simulated is how many of the requests that were seen are cold in one
// simulation. Durations follow each other as they did, from another one on.
func simulated(t *testing.T, policy lifecycle.Policy, seen *observed, seed uint64) uint64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	load := sim.Load{Name: "sleep", Arrivals: func(*rand.Rand) iter.Seq[time.Duration] { return slices.Values(seen.came) }}
	r, err := sim.Events(t.Context(), load, sim.Options{
		Policy: policy, Service: turned(seen.warm, rng), ColdService: turned(seen.first, rng), StartDelay: turned(seen.starts, rng), Warmup: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Cold
}

// turned yields durations in their order, again and again, from a random one on.
func turned(values []time.Duration, rng *rand.Rand) dist.Distribution {
	if len(values) == 0 {
		return nil
	}
	return &sequence{Constant: dist.Constant(middle(values)), values: values, next: rng.IntN(len(values))}
}

// sequence is a constant, but for what is drawn of it.
type sequence struct {
	dist.Constant
	values []time.Duration
	next   int
}

func (s *sequence) Sample(*rand.Rand) time.Duration {
	s.next++
	return s.values[(s.next-1)%len(s.values)]
}
