package study

import (
	"context"
	"errors"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// poisson is functions with ten requests a second for ten minutes.
func poisson(names ...string) traffic.Source {
	var list []*traffic.Function
	for _, name := range names {
		list = append(list, traffic.Phases(&traffic.Function{Name: name, Memory: units.GB},
			traffic.Phase{Duration: 10 * time.Minute, Process: arrival.Poisson{Rate: 10}}))
	}
	return traffic.Of(traffic.About{}, list...)
}

func planOf(source traffic.Source, keepAlive time.Duration) Plan {
	return Plan{Source: source, Options: sim.Options{
		Policy: lifecycle.Policy{KeepAlive: keepAlive}, Service: dist.Exponential(100 * time.Millisecond), Seed: 7,
	}}
}

func TestParseAxis(t *testing.T) {
	for text, want := range map[string]Axis{
		"keep-alive=1m,10m":                           {"keep_alive", []string{"1m", "10m"}},
		"provisioned=0,[{from: 0s, count: 2}], 3":     {"provisioned", []string{"0", "[{from: 0s, count: 2}]", "3"}},
		" keep_alive = forever, {hybrid: {bin: 30s}}": {"keep_alive", []string{"forever", "{hybrid: {bin: 30s}}"}},
	} {
		got, err := ParseAxis(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseAxis(%q): %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "keep-alive", "=1m", "keep-alive=", "a=1,,2", "a=[1,2", "a=1,1", "a={b,c]],d"} {
		if a, err := ParseAxis(text); err == nil {
			t.Errorf("ParseAxis(%q) = %v, want an error", text, a)
		}
	}
}

func TestPareto(t *testing.T) {
	point := func(cold, idle float64) Point { return Point{Result: sim.Result{PCold: cold}, IdleHours: idle} }
	points := []Point{point(.1, 1), point(.05, 2), point(.06, 2), point(.05, 3), point(.01, 9), point(.01, 9)}
	refusing := point(0, 0)
	refusing.Excluded = "refuses requests"
	points = append(points, refusing)
	markPareto(points)
	var got []bool
	for _, p := range points {
		got = append(got, p.Pareto)
	}
	if diff := cmp.Diff([]bool{true, true, false, false, true, true, false}, got); diff != "" {
		t.Errorf("on the front (-want +got):\n%s", diff)
	}
}

// TestExcluded: what a policy saves by refusing requests or by having them wait
// makes it no choice.
func TestExcluded(t *testing.T) {
	missed := &Target{Functions: &Kept{}}
	for _, c := range []struct {
		name   string
		result sim.Result
		target *Target
		want   string
	}{
		{"all served", sim.Result{WaitMean: .2, StartMean: .5, ServiceMean: .1}, nil, ""},
		{"throttles", sim.Result{Throttled: 1}, nil, "refuses"},
		{"waits for ever", sim.Result{Unserved: 1}, nil, "refuses"},
		{"queues shortly", sim.Result{Queued: 9, WaitMean: .5, StartMean: .5, ServiceMean: .1}, nil, ""},
		{"queues for hours", sim.Result{Queued: 9, WaitMean: 3600, StartMean: .5, ServiceMean: .1}, nil, "wait longer"},
		{"queues within the target", sim.Result{Queued: 9, WaitMean: .5, StartMean: .5}, &Target{Functions: &Kept{Holds: true}}, ""},
		{"beyond the target", sim.Result{}, missed, "target"},
		{"a target that nothing tells of", sim.Result{}, &Target{}, ""},
	} {
		if got := excluded(&c.result, c.target); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: excluded %q, want %q", c.name, got, c.want)
		}
	}
}

// TestQueueingIsNoChoice: one instance that everybody waits for has the fewest
// cold starts and idles least, and is not what a sweep recommends.
func TestQueueingIsNoChoice(t *testing.T) {
	axis := Axis{"concurrency", []string{"0", "1"}}
	s, err := Sweeping(t.Context(), []Axis{axis}, func(values []string) (Plan, error) {
		plan := planOf(poisson("a"), time.Minute)
		if values[0] == "1" {
			plan.Options.Policy.Concurrency, plan.Options.Policy.QueueLimit = 1, 1_000_000
		}
		plan.Options.Service = dist.Constant(110 * time.Millisecond) // a tenth more than one can do
		return plan, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	free, queueing := s.Points[0], s.Points[1]
	if queueing.Cold >= free.Cold || queueing.IdleHours >= free.IdleHours {
		t.Fatalf("%d cold and %v idle hours in the queue, %d and %v without: this tests nothing", queueing.Cold, queueing.IdleHours, free.Cold, free.IdleHours)
	}
	if !free.Pareto || queueing.Pareto || queueing.Excluded == "" {
		t.Errorf("on the front: %v without a queue, %v with it (%q); want only the former", free.Pareto, queueing.Pareto, queueing.Excluded)
	}
}

// TestInterruptedSweep keeps the points that were done, and what is known of the
// one that was under way, which is compared with none.
func TestInterruptedSweep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	long := traffic.Of(traffic.About{}, traffic.Phases(&traffic.Function{Name: "a"}, traffic.Phase{Duration: 1e6 * time.Hour, Process: arrival.Poisson{Rate: 1e4}}))
	s, err := Sweeping(ctx, []Axis{{"keep_alive", []string{"1s", "1m"}}}, func(values []string) (Plan, error) {
		plan := planOf(poisson("a"), time.Second)
		if values[0] == "1m" {
			plan = planOf(long, time.Minute) // it takes hours
		}
		plan.Options.Warmup = -1
		return plan, nil
	}, func(share float64) {
		if share > .5 { // the first is done, and the second has begun
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Complete || len(s.Points) != 2 || s.Points[0].Values[0] != "1s" {
		t.Fatalf("complete %v with %d points, want both, not complete", s.Complete, len(s.Points))
	}
	if p := s.Points[0]; p.Interrupted || !p.Pareto {
		t.Errorf("of the point that was done: interrupted %v, on the front %v; want it there", p.Interrupted, p.Pareto)
	}
	if p := s.Points[1]; !p.Interrupted || p.Requests == 0 || p.Pareto || !strings.Contains(p.Excluded, "interrupted") {
		t.Errorf("of the point under way: interrupted %v, %d requests, on the front %v, excluded %q", p.Interrupted, p.Requests, p.Pareto, p.Excluded)
	}
	if last := s.Notes[len(s.Notes)-1]; last != "interrupted: of 2 policies 1 done, 1 under way, and nothing known of 0" {
		t.Errorf("the last note is %q", last)
	}
	if _, err := Sweeping(ctx, []Axis{{"keep_alive", []string{"1s"}}}, func([]string) (Plan, error) { return planOf(poisson("a"), time.Second), nil }, nil); err == nil {
		t.Error("a sweep that was interrupted before its first point has points")
	}
}

// TestEarlyPointsAreDoneFirst: of many functions those of the first point go
// first, whoever came first.
func TestEarlyPointsAreDoneFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns(1, 3)
		give := line.take(0)
		var order []int
		for _, place := range []int{2, 0, 1, 0} {
			go func() {
				done := line.take(place)
				order = append(order, place) // one at a time: there is one processor
				done()
			}()
			synctest.Wait()
		}
		give()
		synctest.Wait()
		if diff := cmp.Diff([]int{0, 0, 1, 2}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

// TestFunctionsWaitForTheirTurn: a sweep's points take theirs.
func TestFunctionsWaitForTheirTurn(t *testing.T) {
	plan, taken, given := planOf(poisson("a", "b"), time.Second), atomic.Int32{}, atomic.Int32{}
	plan.turn = func() func() {
		taken.Add(1)
		return func() { given.Add(1) }
	}
	if _, err := Simulate(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if taken.Load() != 2 || given.Load() != 2 {
		t.Errorf("%d turns taken and %d given back, want one a function", taken.Load(), given.Load())
	}
}

// TestKeepAliveOfChangedRun: an instance that went before it was asked is told of
// with file and line; one that went while its answer was on its way was not kept.
func TestKeepAliveOfChangedRun(t *testing.T) {
	dir := &rundir.Dir{Path: "r"}
	dir.Manifest.MonotonicOrigin, dir.Manifest.Platform.Clock = 1000, true
	instances := []platform.InstanceRecord{{ID: "a", Reason: "idle", Gone: 1000 + int64(20*time.Millisecond)}, {ID: "b", Reason: "idle", Gone: 1000 + int64(time.Second)}}
	last := map[string]served{"a": {15 * time.Millisecond, 21 * time.Millisecond}}
	f := &Fit{Run: "r"}
	if err := f.keepAlive(dir, instances, last); err != nil || f.KeepAlive != 0 || f.Kept != 1 {
		t.Errorf("keep-alive %v of %d spells, %v; want 0s of 1", f.KeepAlive, f.Kept, err)
	}
	last["b"] = served{time.Hour, time.Hour}
	if err := f.keepAlive(dir, instances, last); err == nil || !strings.Contains(err.Error(), filepath.Join("r", "instances.jsonl")+":2: instance b is gone 59m59s before") {
		t.Errorf("gone before it was asked: %v, want the file and its line", err)
	}
}

// TestGrid: every combination, the last axis fastest.
func TestGrid(t *testing.T) {
	values, err := combinations([]Axis{{"a", []string{"1", "2"}}, {"b", []string{"x", "y", "z"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"1", "x"}, {"1", "y"}, {"1", "z"}, {"2", "x"}, {"2", "y"}, {"2", "z"}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

// TestSharedMemoryByLevels: what the level engine cannot do is said.
func TestSharedMemoryByLevels(t *testing.T) {
	plan := planOf(poisson("a", "b"), time.Second)
	plan.Budget, plan.Engine = 8*units.GB, sim.EngineLevels
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if s.Engine != sim.EngineEvents || !slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "share memory are followed request by request") }) {
		t.Errorf("by %s with notes %q, want events and a note of it", s.Engine, s.Notes)
	}
}

// TestSweepMeetsTheSameRequests: whatever the policy, and leaves the same
// warm-up out; the longer instances are kept, the fewer starts are cold.
func TestSweepMeetsTheSameRequests(t *testing.T) {
	source := poisson("a", "b")
	keep := []time.Duration{time.Second, 10 * time.Second, time.Minute}
	axis := Axis{"keep_alive", []string{"1s", "10s", "1m"}}
	s, err := Sweeping(t.Context(), []Axis{axis}, func(values []string) (Plan, error) {
		return planOf(source, keep[slices.Index(axis.Values, values[0])]), nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range s.Points {
		if p.Requests != s.Points[0].Requests || p.Warmup != 180 || math.Abs(p.ServiceMean/s.Points[0].ServiceMean-1) > 1e-6 { // a mean is rounded as it is summed
			t.Errorf("point %d: %d requests of mean service %v after %v s, want those of the first point and 180 s", i, p.Requests, p.ServiceMean, p.Warmup)
		}
		if i > 0 && (p.Cold >= s.Points[i-1].Cold || p.IdleHours <= s.Points[i-1].IdleHours) || !p.Pareto {
			t.Errorf("point %d: %d cold, %v idle hours; want fewer and more than in the point before", i, p.Cold, p.IdleHours)
		}
	}
	alone, err := Simulate(t.Context(), func() Plan { p := planOf(source, time.Second); p.Options.Warmup = 3 * time.Minute; return p }())
	if err != nil || alone.Cold != s.Points[0].Cold {
		t.Errorf("the first point's policy alone: %d cold, %v; want %d", alone.Cold, err, s.Points[0].Cold)
	}
}

func TestSweepRefuses(t *testing.T) {
	many := Axis{Key: "queue"}
	for i := range mostPoints + 1 {
		many.Values = append(many.Values, time.Duration(i).String())
	}
	for _, axes := range [][]Axis{{{"a", []string{"1"}}, {"a", []string{"2"}}}, {many}} {
		_, err := Sweeping(t.Context(), axes, nil, nil)
		if _, ok := errors.AsType[*AxesError](err); !ok {
			t.Errorf("a sweep of %d axes: %v, want an AxesError", len(axes), err)
		}
	}
}

// TestRecordedServiceIsReplayed: where a trace tells how long each request is
// served, chance has no say in it, and what is longer than a histogram takes is
// still the longest. With Override the given service is everybody's.
func TestRecordedServiceIsReplayed(t *testing.T) {
	text := "app,func,end_timestamp,duration\na,f,10.5,0.5\na,f,100,10\na,f,101,0.5\na,f,7000,5400\n"
	source, err := traffic.OpenFiles(t.Context(), traffic.File{Name: "t", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	plan := planOf(source, time.Minute)
	plan.Options.Warmup = -1
	for seed := range uint64(5) {
		plan.Options.Seed = seed
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := s.Usage.Billed, 5411*time.Second; got != want || s.Cold != 3 {
			t.Errorf("seed %d: %v billed and %d cold, want %v and 3", seed, got, s.Cold, want)
		}
		if s.Max != 90*time.Minute {
			t.Errorf("seed %d: the longest response took %v, want 90m", seed, s.Max)
		}
	}
	plan.Override, plan.Options.Service = true, dist.Constant(2*time.Second)
	s, err := Simulate(t.Context(), plan)
	if err != nil || s.Usage.Billed != 8*time.Second {
		t.Errorf("with 2s for all: %v billed, %v; want 8s", s.Usage.Billed, err)
	}
}

func TestUntilCutsTheTraffic(t *testing.T) {
	plan := planOf(poisson("a"), time.Second)
	plan.Options.Warmup, plan.Until = -1, time.Minute
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if s.Span != 60 || s.Requests < 450 || s.Requests > 750 || len(s.Notes) != 1 {
		t.Errorf("%d requests in %v s, notes %q; want about 600 in 60 s and a note", s.Requests, s.Span, s.Notes)
	}
}

func TestUnknownService(t *testing.T) {
	plan := planOf(poisson("a", "b"), time.Second)
	plan.Options.Service = nil
	_, err := Simulate(t.Context(), plan)
	if unknown, ok := errors.AsType[*UnknownService](err); !ok || unknown.Function != "a" {
		t.Errorf("Simulate = %v, want an unknown service of a", err)
	}
}

// TestUsageAddsUp: the account of the functions is that of the simulation.
func TestUsageAddsUp(t *testing.T) {
	s, err := Simulate(t.Context(), planOf(poisson("a", "b", "c"), time.Second))
	if err != nil {
		t.Fatal(err)
	}
	a := s.Account()
	if len(a.Entries) != 3 || a.Total != s.Usage || a.Total.MemoryTime == 0 {
		t.Errorf("account %+v of %d entries, want the simulation's usage %+v", a.Total, len(a.Entries), s.Usage)
	}
}

// TestMonthlyBill: a month of even traffic by hand. 1 request a second of 100 ms
// at 1 GB is 2,628,000 requests: .1 GB-s each at $0.0000166667, and $0.20 a million.
func TestMonthlyBill(t *testing.T) {
	f := traffic.Phases(&traffic.Function{Name: "f", Memory: units.GB}, traffic.Phase{Duration: time.Hour, Process: arrival.Constant{Rate: 1}})
	option, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(traffic.Of(traffic.About{}, f), -1)
	plan.Options.Service, plan.Options.Warmup, plan.Option = dist.Constant(100*time.Millisecond), -1, option
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	const want = 4_905_609_000 // 2,628,000 x (.1 x .0000166667 + .0000002) dollars
	if s.Bill.Why != "" || max(s.Bill.Total-want, want-s.Bill.Total) > want/1000 {
		t.Errorf("a month: %v %s, want %v within a thousandth", s.Bill.Total, s.Bill.Why, units.Money(want))
	}
	plan.Options.Memory, plan.Override = 0, true
	plan.Source = traffic.Of(traffic.About{}, traffic.Phases(&traffic.Function{Name: "f"}, traffic.Phase{Duration: time.Hour, Process: arrival.Constant{Rate: 1}}))
	if s, err = Simulate(t.Context(), plan); err != nil || s.Bill.Why == "" {
		t.Errorf("a bill without memory: %+v, %v; want a reason why there is none", s.Bill, err)
	}
}
