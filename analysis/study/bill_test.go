package study

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// TestBillOfWhatCanBeDone: a size that the product does not have is billed as
// the next one, what takes too long is left out, and both are told.
func TestBillOfWhatCanBeDone(t *testing.T) {
	lambda, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	billed := func(service dist.Distribution, sizes ...units.Bytes) *Bill {
		var list []*traffic.Function
		for k, size := range sizes {
			list = append(list, traffic.Phases(&traffic.Function{Name: string(rune('a' + k)), Memory: size},
				traffic.Phase{Duration: 100 * time.Hour, Process: arrival.Constant{Rate: .01}}))
		}
		plan := planOf(traffic.Of(traffic.About{Functions: len(sizes), Span: 100 * time.Hour}, list...), time.Minute)
		plan.Options.Service, plan.Option = service, lambda
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		return s.Bill
	}
	second := dist.Constant(time.Second)
	odd, least := billed(second, 100*units.MB, 120*units.MB, units.GB), billed(second, 128*units.MB, 128*units.MB, units.GB)
	if odd.Total != least.Total || odd.Total == 0 || len(least.Notes) > 0 {
		t.Errorf("%v for sizes below the least, want %v; notes %q", odd.Total, least.Total, least.Notes)
	}
	if notes := strings.Join(odd.Notes, "\n"); !strings.Contains(notes, "2 of 3 functions") {
		t.Errorf("notes %q, want that of 2 of 3 functions", notes)
	}
	long, err := dist.Parse("table:p0=1s,p99=1s,p100=40m")
	if err != nil {
		t.Fatal(err)
	}
	for _, sizes := range [][]units.Bytes{{units.GB}, {units.GB, units.GB}} {
		b := billed(long, sizes...)
		if b.Why != "" || b.Total == 0 || !slices.ContainsFunc(b.Notes, func(n string) bool {
			return strings.HasPrefix(n, "not in the bill: 0.") && strings.Contains(n, "the longest duration is 15 min")
		}) {
			t.Errorf("%d functions: %+v, want a bill of what is shorter than 15 min", len(sizes), b)
		}
	}
	if b := billed(dist.Constant(time.Hour), units.GB); b.Total != 0 || !strings.Contains(b.Why, "the longest duration") {
		t.Errorf("all too long: %+v, want no bill and the reason", b)
	}
}

// TestPingsAreBilled: as calls like others, those that start an instance with
// their init.
func TestPingsAreBilled(t *testing.T) {
	lambda, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	for keepAlive, cold := range map[time.Duration]bool{6 * time.Minute: false, time.Minute: true} { // most of the pings
		f := traffic.Phases(&traffic.Function{Name: "a", Memory: units.GB}, traffic.Phase{Duration: 100 * time.Hour, Process: arrival.Constant{Rate: .001}})
		plan := planOf(traffic.Of(traffic.About{}, f), keepAlive)
		plan.Options.Policy.Ping = lifecycle.Pings{Every: 5 * time.Minute, Count: 1}
		plan.Options.Service, plan.Options.StartDelay, plan.Option = dist.Constant(time.Second), dist.Constant(2*time.Second), lambda
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		if s.Pings < 1000 || (s.PingsCold > s.Pings/2) != cold {
			t.Fatalf("keep-alive %v: %d pings, %d of them cold", keepAlive, s.Pings, s.PingsCold)
		}
		month := func(n uint64) uint64 {
			return uint64(math.Round(float64(n) * float64(cost.Month) / float64(s.Length())))
		}
		want, err := lambda.Bill(&cost.Work{
			Memory: units.GB, Requests: month(s.Served + s.Pings), Durations: cost.Constant(time.Second),
			Cold: month(s.Cold + s.PingsCold), Init: cost.Constant(2 * time.Second),
		})
		if err != nil {
			t.Fatal(err)
		}
		if s.Bill.Total != want.Total || !strings.Contains(strings.Join(s.Bill.Notes, "\n"), "pings are in the bill") {
			t.Errorf("keep-alive %v: %v, want %v; notes %q", keepAlive, s.Bill.Total, want.Total, s.Bill.Notes)
		}
	}
}

// TestWarmupLeavesHalf: of what a limit of requests leaves of the traffic, too;
// and where nothing is left, that is no result.
func TestWarmupLeavesHalf(t *testing.T) {
	counts := make([]uint32, 600)
	for k := range counts {
		counts[k] = 60
	}
	endless := traffic.Endless(&traffic.Function{Name: "a"}, arrival.Poisson{Rate: 10}, 10, 2000)
	for name, source := range map[string]traffic.Source{
		"a rate":              traffic.Of(traffic.About{Span: 200 * time.Second}, endless),
		"counts of minutes":   traffic.Of(traffic.About{}, traffic.Counted(&traffic.Function{Name: "a"}, counts)),
		"a longer phase":      poisson("a"),
		"several of a length": poisson("a", "b"),
	} {
		plan := planOf(source, time.Hour)
		plan.Options.Requests = 2000
		s, err := Simulate(t.Context(), plan)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if all := s.Requests + s.WarmupRequests; s.Requests < all*2/5 || s.Requests > all*3/5 {
			t.Errorf("%s: %d of %d requests are left by the warm-up, want half", name, s.Requests, all)
		}
		plan.Options.Warmup = 24 * time.Hour
		if _, err := Simulate(t.Context(), plan); !errors.As(err, new(*WarmupError)) {
			t.Errorf("%s, all in the warm-up: got %v, want a WarmupError", name, err)
		}
	}
}

// TestTrafficIsWhatWasSimulated: of traffic that is cut off, the part before.
func TestTrafficIsWhatWasSimulated(t *testing.T) {
	plan := planOf(poisson("a", "b"), time.Second)
	plan.Source = traffic.Of(traffic.About{Functions: 2, Requests: 12_000, Span: 10 * time.Minute}, collected(t, plan.Source)...)
	plan.Until = time.Minute
	s, err := Simulate(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if s.Traffic.Span != 60 || s.Traffic.Requests != float64(s.Requests+s.WarmupRequests) || s.Traffic.Requests > 2000 {
		t.Errorf("%+v, want a minute's", s.Traffic)
	}
}

func collected(t *testing.T, source traffic.Source) (list []*traffic.Function) {
	for f, err := range source.Functions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// TestBillByLevels: what is expected of durations and instances has a price,
// which is that of requests followed one by one, and is kept with the result.
func TestBillByLevels(t *testing.T) {
	service, err := dist.Parse("exp:130ms")
	if err != nil {
		t.Fatal(err)
	}
	for _, product := range []string{"aws/lambda", "gcp/cloud-run/instances"} {
		option, err := cost.New(prices.Open(), product, cost.Terms{})
		if err != nil {
			t.Fatal(err)
		}
		simulated := func(engine sim.Engine) *Simulation {
			plan := planOf(minutes(t), 2*time.Minute)
			plan.Options.Service, plan.Options.Memory, plan.Option, plan.Engine = service, 512*units.MB, option, engine
			s, err := Simulate(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		events, levels := simulated(sim.EngineEvents), simulated(sim.EngineLevels)
		if levels.Engine != sim.EngineLevels || levels.Bill.Why != "" || levels.Service.N() != levels.Served ||
			len(levels.Bill.Notes) == 0 || !strings.HasPrefix(levels.Bill.Notes[0], "an estimate from counts of minutes") {
			t.Fatalf("engine %s, bill %+v", levels.Engine, levels.Bill)
		}
		if off := float64(levels.Bill.Total)/float64(events.Bill.Total) - 1; math.Abs(off) > .05 {
			t.Errorf("%s: %v by levels, want %v: off by %+.3f", product, levels.Bill.Total, events.Bill.Total, off)
		}
		dir := t.TempDir()
		if err := (&Outcome{Simulation: levels}).Write(dir); err != nil {
			t.Fatal(err)
		}
		kept, err := OpenOutcome(dir)
		if err != nil {
			t.Fatal(err)
		}
		again, err := kept.Simulation.MonthlyBill(option)
		if err != nil || again.Total != levels.Bill.Total {
			t.Errorf("%s: the kept result has %v, %v, want %v", product, again, err, levels.Bill.Total)
		}
	}
}
