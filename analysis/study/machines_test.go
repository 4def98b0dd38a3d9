package study

import (
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// machinesOf is two machines with two workers each, priced.
func machinesOf(t *testing.T, product string) *Machines {
	t.Helper()
	host, err := cost.HostOf(prices.Open(), product, 4*units.GB, 0)
	if err != nil {
		t.Fatal(err)
	}
	option, err := cost.New(prices.Open(), product, cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	return &Machines{Host: *host, Option: option, Fleet: fleet.Options{Instances: 2, Workers: 2}}
}

// TestFleetMeetsTheSameRequests: where neither side has anybody wait, every
// request takes as long on the fleet as on functions, to the nanosecond.
func TestFleetMeetsTheSameRequests(t *testing.T) {
	for name, source := range map[string]traffic.Source{"one function": poisson("a"), "three": poisson("a", "b", "c")} {
		plan := planOf(source, time.Minute)
		plan.Machines = machinesOf(t, "aws/ec2/c7g.large")
		plan.Machines.Fleet.Workers = 1000
		plan.Target = queue.Goal{Quantile: .9, Within: 300 * time.Millisecond}
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		f := s.Fleet
		if f.Requests != s.Requests || f.WarmupRequests != s.WarmupRequests || f.Served != s.Served || s.Requests < 3000 {
			t.Errorf("%s: the fleet has %d requests after %d, %d served; the functions %d after %d, %d", name, f.Requests, f.WarmupRequests, f.Served, s.Requests, s.WarmupRequests, s.Served)
		}
		if diff := cmp.Diff(slices.Collect(s.Response.Bars()), slices.Collect(f.Response.Bars())); diff != "" {
			t.Errorf("%s: response times of functions (-) and fleet (+):\n%s", name, diff)
		}
		if off := f.BusyMean/s.BusyMean - 1; math.Abs(off) > 1e-9 {
			t.Errorf("%s: %v workers busy, and %v instances", name, f.BusyMean, s.BusyMean)
		}
		functions, machines := s.Target.Functions, s.Target.Fleet
		if !functions.Holds || !machines.Holds || math.Abs(functions.Share-math.Exp(-3)) > .01 || math.Abs(machines.Share-functions.Share) > .001 {
			t.Errorf("%s: beyond the target: %+v and %+v, want e^-3 of both, which p90 allows", name, *functions, *machines)
		}
	}
}

// TestFleetOfConstantSize is an M/M/c queue, and its month two machines.
func TestFleetOfConstantSize(t *testing.T) {
	f := traffic.Phases(&traffic.Function{Name: "f"}, traffic.Phase{Duration: 4 * time.Hour, Process: arrival.Poisson{Rate: 32}})
	plan := planOf(traffic.Of(traffic.About{}, f), time.Minute)
	plan.Machines = machinesOf(t, "aws/ec2/c7g.large")
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	want := queue.ErlangC(3.2, 4)
	if se := *s.Fleet.DelayedStderr; math.Abs(s.Fleet.Delayed-want) > 4*se || se > .05*want {
		t.Errorf("%v have to wait, standard error %v; Erlang C has %v", s.Fleet.Delayed, se, want)
	}
	always, err := plan.Machines.Option.Bill(&cost.Work{Fleet: cost.Always(2)})
	if err != nil {
		t.Fatal(err)
	}
	if b := s.Fleet.Bill; b.Why != "" || b.Total != always.Total || b.Total == 0 {
		t.Errorf("a month costs %v %s, two machines all month %v", b.Total, b.Why, always.Total)
	}
}

// TestAutoscaledMonth: instances that come and go are billed for as long as
// they were there, in proportion.
func TestAutoscaledMonth(t *testing.T) {
	wave := traffic.Phases(&traffic.Function{Name: "f"}, traffic.Phase{Duration: 8 * time.Hour, Process: arrival.Sine{Mean: 40, Amplitude: 40, Period: 2 * time.Hour}})
	plan := planOf(traffic.Of(traffic.About{}, wave), time.Minute)
	plan.Machines = machinesOf(t, "aws/ec2/c7g.large")
	plan.Machines.Fleet.Instances = 0
	plan.Machines.Fleet.Boot = dist.Constant(time.Minute)
	plan.Machines.Fleet.Autoscaling = &fleet.Autoscaling{Target: .5, Max: 20}
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	always, err := plan.Machines.Option.Bill(&cost.Work{Fleet: cost.Always(1)})
	if err != nil {
		t.Fatal(err)
	}
	f := s.Fleet
	if want := float64(always.Total) * f.InstancesMean; f.Bill.Why != "" || math.Abs(float64(f.Bill.Total)/want-1) > .002 || f.Started < 20 {
		t.Errorf("a month costs %v %s, want %v: %v instances on average, %d started",
			f.Bill.Total, f.Bill.Why, units.Money(want), f.InstancesMean, f.Started)
	}
}

// TestInOrder merges what ascends and keeps the order of equals.
func TestInOrder(t *testing.T) {
	of := func(service time.Duration, at ...time.Duration) iter.Seq2[time.Duration, time.Duration] {
		return func(yield func(at, service time.Duration) bool) {
			for _, t := range at {
				if !yield(t, service) {
					return
				}
			}
		}
	}
	var got [][2]time.Duration
	for at, service := range inOrder([]iter.Seq2[time.Duration, time.Duration]{of(1, 1, 5, 5, 9), of(2), of(3, 0, 5, 10), of(4, 5)}) {
		got = append(got, [2]time.Duration{at, service})
	}
	want := [][2]time.Duration{{0, 3}, {1, 1}, {5, 1}, {5, 1}, {5, 3}, {5, 4}, {9, 1}, {10, 3}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
}

// TestFleetOfTooMany refuses before anything is read.
func TestFleetOfTooMany(t *testing.T) {
	plan := planOf(traffic.Population{Functions: mostTogether + 1}.Source(), time.Minute)
	plan.Machines = machinesOf(t, "aws/ec2/c7g.large")
	if _, err := plan.machinery(t.Context()); err == nil || err.Error() != (&TogetherError{mostTogether + 1}).Error() {
		t.Errorf("a fleet for %d functions: %v", mostTogether+1, err)
	}
}

// TestTargetOfFailures: what is refused misses a target like what is late.
func TestTargetOfFailures(t *testing.T) {
	plan := planOf(poisson("a"), time.Minute)
	plan.Options.Policy.Concurrency = 1
	plan.Target = queue.Goal{Quantile: .9, Within: time.Hour}
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if k := s.Target.Functions; k.Misses != s.Throttled || k.Holds || s.Throttled == 0 || s.Target.Fleet != nil {
		t.Errorf("%+v of %d throttled, want all of them, and no fleet", *k, s.Throttled)
	}
	plan.Engine, plan.Source = sim.EngineLevels, minutes(t)
	plan.Options.Policy.Concurrency = 0
	if s, err = Simulate(t.Context(), plan); err != nil || s.Target.Functions != nil {
		t.Errorf("by levels: %+v, %v; want nothing known", s.Target, err)
	}
}

// TestBurstableFleet: what is in use beyond the baseline is billed with the
// machines, and a worker of many uses its share of the vCPUs.
func TestBurstableFleet(t *testing.T) {
	month := func(product string, workers int) *Bill {
		f := traffic.Phases(&traffic.Function{Name: "f"}, traffic.Phase{Duration: 2 * time.Hour, Process: arrival.Poisson{Rate: 8}})
		plan := planOf(traffic.Of(traffic.About{}, f), time.Minute)
		plan.Machines = machinesOf(t, product)
		plan.Machines.Fleet.Workers = workers
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		return s.Fleet.Bill
	}
	const machines, beyond = 2 * .0416 * 730, (.2 - .05) * 4 * 730 * .05
	near := func(b *Bill, usd float64) bool { return math.Abs(float64(b.Total)/1e9/usd-1) < .02 }
	if b := month("aws/ec2/t3.medium", 2); !near(b, machines) || len(b.Notes) == 0 {
		t.Errorf("%+v, want the machines alone and why", b)
	}
	if b := month("aws/ec2/t3.nano", 2); !near(b, machines/8+beyond) {
		t.Errorf("%+v, want $%.2f for the machines and what they use beyond 5%%", b, machines/8+beyond)
	}
	if b := month("aws/ec2/t3.nano", 8); !near(b, machines/8) {
		t.Errorf("%+v with 8 workers, each of which has a quarter of a vCPU, want $%.2f", b, machines/8)
	}
	if b := month("azure/vm/Standard_B1s", 1); b.Total != 0 || !strings.Contains(b.Why, "no more is sold") {
		t.Errorf("%+v, want that it cannot", b)
	}
}
