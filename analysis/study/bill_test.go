package study

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
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
