package sim_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// fleet is n functions of different rates.
func fleet(t testing.TB, n int, requests uint64) iter.Seq2[*sim.Job, error] {
	return func(yield func(*sim.Job, error) bool) {
		for k := range n {
			load := poisson(.5 + float64(k%10))
			load.Name = fmt.Sprintf("function %d", k)
			if !yield(&sim.Job{Load: load, Options: sim.Options{
				Policy:  lifecycle.Policy{KeepAlive: 2 * time.Minute},
				Service: text(t, "exp:1s"), StartDelay: text(t, "lognormal:300ms,.5"), Requests: requests, Seed: 7, Memory: 128 << 20,
			}}, nil) {
				return
			}
		}
	}
}

// TestCoresChangeNothing: to the last bit, of the sum and of every function.
func TestCoresChangeNothing(t *testing.T) {
	run := func(cores int) (all []*sim.Result) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		sum, err := sim.Run(context.Background(), fleet(t, 37, 5000), func(r *sim.Result) { all = append(all, r) })
		if err != nil {
			t.Fatal(err)
		}
		if sum.Functions != 37 || sum.Requests+sum.WarmupRequests != 37*5000 || sum.Interrupted {
			t.Errorf("on %d cores: %d functions, %d requests after %d", cores, sum.Functions, sum.Requests, sum.WarmupRequests)
		}
		return append(all, sum)
	}
	one := run(1)
	for _, cores := range []int{2, 7} {
		if diff := cmp.Diff(one, run(cores), cmpopts.IgnoreUnexported(sim.Result{}), cmpopts.IgnoreFields(sim.Result{}, "Response", "Service")); diff != "" {
			t.Errorf("one core and %d differ:\n%s", cores, diff)
		}
	}
	// Drawn aside or not, a function's requests are the same.
	for job := range fleet(t, 1, 5000) {
		alone, err := sim.Events(context.Background(), job.Load, job.Options)
		if err != nil {
			t.Fatal(err)
		}
		alone.Timeline = nil
		if diff := cmp.Diff(one[0], alone, cmpopts.IgnoreUnexported(sim.Result{}), cmpopts.IgnoreFields(sim.Result{}, "Response", "Service")); diff != "" {
			t.Errorf("among others and alone a function differs:\n%s", diff)
		}
	}
}

func TestInterruptedRunKeepsWhatWasDone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	r, err := sim.Run(ctx, fleet(t, 1000, 5000), func(*sim.Result) {
		if n++; n == 10 {
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || r.Functions < 10 || r.Functions == 1000 || len(r.Warnings) == 0 {
		t.Errorf("interrupted %v after %d functions, warnings %v", r.Interrupted, r.Functions, r.Warnings)
	}
	ctx, cancel = context.WithCancel(context.Background())
	load := poisson(10)
	load.Span = 1e6 * time.Hour
	alone, err := sim.Events(ctx, load, sim.Options{
		Policy: lifecycle.Policy{KeepAlive: time.Minute}, Service: text(t, "1s"),
		Progress: func(share float64) {
			if share > 1e-6 {
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !alone.Interrupted || alone.Requests == 0 || alone.Span > 1e5*3600 {
		t.Errorf("interrupted %v after %d requests in %v s", alone.Interrupted, alone.Requests, alone.Span)
	}
}

func TestRunSaysWhatFails(t *testing.T) {
	broken := errors.New("row 7: torn")
	_, err := sim.Run(context.Background(), func(yield func(*sim.Job, error) bool) {
		for job := range fleet(t, 3, 100) {
			if !yield(job, nil) {
				return
			}
		}
		yield(nil, broken)
	}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the source's error", err)
	}
	_, err = sim.Run(context.Background(), func(yield func(*sim.Job, error) bool) {
		for job := range fleet(t, 3, 100) {
			job.Options.Service = nil
			if !yield(job, nil) {
				return
			}
		}
	}, nil)
	if err == nil || !strings.Contains(err.Error(), `function 1, "function 0": simulation: service: missing`) {
		t.Errorf("got %v, want the first function's fault", err)
	}
}

// TestLevelsThatCannotBeAreTold: a function that another engine did says why.
func TestLevelsThatCannotBeAreTold(t *testing.T) {
	counted := wave(60, 0, 100)
	few := sim.Options{Policy: lifecycle.Policy{KeepAlive: time.Minute}, Service: text(t, "1s"), Requests: 50}
	short, uncounted := few, counted
	short.Requests, short.Policy.KeepAlive = 0, time.Second
	uncounted.Counts = nil
	whole := few
	whole.Requests = 0
	for name, job := range map[string]*sim.Job{
		"at least a minute":     {Load: counted, Options: short, Levels: true},
		"no counts":             {Load: uncounted, Options: whole, Levels: true},
		"none of whole minutes": {Load: counted, Options: few, Levels: true},
	} {
		r, err := sim.Run(context.Background(), func(yield func(*sim.Job, error) bool) { yield(job, nil) }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Warnings) == 0 || r.Warnings[len(r.Warnings)-1].Code != sim.NotByLevels || !strings.Contains(r.Warnings[len(r.Warnings)-1].Text, name) {
			t.Errorf("%+v, want a warning with %q", r.Warnings, name)
		}
	}
}

// TestMixedEnginesSayWhoseErrorIsWhose in one warning: the share and the error of
// those by levels, and the standard error that the others have among themselves.
func TestMixedEnginesSayWhoseErrorIsWhose(t *testing.T) {
	options := sim.Options{Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}, Service: text(t, "200ms"), Seed: 7}
	run := func(loads ...sim.Load) *sim.Result {
		r, err := sim.Run(context.Background(), func(yield func(*sim.Job, error) bool) {
			for _, load := range loads {
				if !yield(&sim.Job{Load: load, Options: options, Levels: true}, nil) {
					return
				}
			}
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	busy, thin := wave(300, 100, 3000), wave(3, 2, 3000)
	levels, events, mixed := run(busy), run(thin), run(thin, busy)
	if levels.Engine != sim.EngineLevels || events.Engine != sim.EngineEvents || mixed.Engine != sim.EngineMixed || mixed.PColdStderr != nil {
		t.Fatalf("engines %s, %s and %s, want levels, events and mixed", levels.Engine, events.Engine, mixed.Engine)
	}
	if events.Response.N() != events.Served || mixed.Response != nil || mixed.Service.N() != mixed.Served {
		t.Errorf("%d response times of %d, and services of %d of %d", events.Response.N(), events.Served, mixed.Service.N(), mixed.Served)
	}
	if off := mixed.Service.Mean().Seconds()/mixed.ServiceMean - 1; math.Abs(off) > .001 {
		t.Errorf("services are expected to take %v on average, want %v s", mixed.Service.Mean(), mixed.ServiceMean)
	}
	var told []string
	for _, w := range mixed.Warnings {
		if w.Code == sim.ClosedForm {
			told = append(told, w.Text)
		}
	}
	share := func(part, all uint64) string { return units.FormatShare(float64(part) / float64(all)) }
	want := []string{
		fmt.Sprintf("of 1 of 2 functions, with %s of the requests and %s of the cold starts", share(levels.Served, mixed.Served), share(levels.Cold, mixed.Cold)),
		fmt.Sprintf("cold starts within %s, instances within %s;", units.FormatShare(levels.ColdError), units.FormatShare(levels.InstancesError)),
		fmt.Sprintf("the standard error of their cold share is %.3g%%", 100**events.PColdStderr),
	}
	for _, words := range want {
		if len(told) != 1 || !strings.Contains(told[0], words) {
			t.Errorf("%q, want one warning with %q", told, words)
		}
	}
}

// TestStartsBesideOthers take their own delay: the second of three, which begins
// while the first goes on.
func TestStartsBesideOthers(t *testing.T) {
	options := sim.Options{
		Policy: lifecycle.Policy{KeepAlive: 10 * time.Millisecond}, Service: text(t, "const:1ms"), Warmup: -1,
		StartDelay: text(t, "const:10ms"), StartBeside: text(t, "const:50ms"),
	}
	load := sim.Load{Arrivals: func(*rand.Rand) iter.Seq[time.Duration] {
		return slices.Values([]time.Duration{0, time.Millisecond, time.Second})
	}}
	r, err := sim.Events(context.Background(), load, options)
	if err != nil {
		t.Fatal(err)
	}
	if r.Started != 3 || math.Abs(r.StartMean-.070/3) > 1e-9 {
		t.Errorf("%d starts of %v s on average, want 3 of 10, 50 and 10 ms", r.Started, r.StartMean)
	}
}
