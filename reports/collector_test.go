package reports_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

const ms = time.Millisecond

func phases(d time.Duration) []summary.PhaseSpan {
	return []summary.PhaseSpan{{Name: "heat", End: d / 2, Warmup: true}, {Name: "p", Start: d / 2, End: d}}
}

func answer(phase string, at, service time.Duration, start sample.Start) *sample.Sample {
	return &sample.Sample{Phase: phase, Function: "f", Intended: at, Sent: at, Done: at + service, Start: start, Grade: sample.Attested}
}

func collect(c *reports.Collector) reports.Run {
	var r reports.Run
	c.Collect(&r)
	return r
}

// TestDotsThinOutAndLoseNothing: however many requests, few dots; their counts
// add up, and the slowest request of each kind is one of them.
func TestDotsThinOutAndLoseNothing(t *testing.T) {
	c := reports.NewCollector(phases(time.Minute))
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 300_000
	slowest := map[sample.Start]time.Duration{}
	for range n {
		start := sample.Warm
		if rng.IntN(50) == 0 {
			start = sample.Cold
		}
		// Spread over six decades: many more cells than dots.
		s := answer("p", time.Duration(rng.Int64N(int64(time.Minute))), time.Duration(math.Pow(10, 3+6*rng.Float64())), start)
		slowest[start] = max(slowest[start], s.Latency())
		c.Add(s)
	}
	r := collect(c)
	if len(r.Points) > 8000 {
		t.Errorf("%d dots of %d requests, want at most 8,000", len(r.Points), n)
	}
	var count uint64
	found := map[sample.Start]time.Duration{}
	for _, p := range r.Points {
		count += p.Count
		found[p.Start] = max(found[p.Start], p.Latency)
	}
	if count != n {
		t.Errorf("dots stand for %d requests, want %d", count, n)
	}
	if d := cmp.Diff(slowest, found); d != "" {
		t.Errorf("slowest (-want +got):\n%s", d)
	}
}

func TestFewDotsStayWhereTheyAre(t *testing.T) {
	c := reports.NewCollector(phases(time.Minute))
	failed := answer("p", 31*time.Second, 7*ms, sample.Cold)
	failed.Err = sample.Timeout
	inferred := answer("p", 32*time.Second, 8*ms, sample.Cold)
	inferred.Grade = sample.Inferred
	for _, s := range []*sample.Sample{
		inferred, failed, answer("heat", time.Second, 9*ms, sample.Cold), answer("p", 33*time.Second, 0, sample.Warm),
		{Phase: "p", Err: sample.Dropped},
	} {
		c.Add(s)
	}
	r := collect(c)
	want := []reports.Point{
		{At: time.Second, Latency: 9 * ms, Start: sample.Cold, Count: 1},
		{At: 31 * time.Second, Latency: 7 * ms, Start: sample.Cold, Failed: true, Count: 1},
		{At: 32 * time.Second, Latency: 8 * ms, Start: sample.Unknown, Count: 1},
		{At: 33 * time.Second, Start: sample.Warm, Count: 1},
	}
	if d := cmp.Diff(want, r.Points); d != "" {
		t.Errorf("points (-want +got):\n%s", d)
	}
	// Neither the warm-up nor the failure is in a distribution.
	var kinds []sample.Start
	for _, d := range r.Distributions {
		kinds = append(kinds, d.Start)
		if d.N != 1 {
			t.Errorf("%s: n = %d, want 1", d.Start, d.N)
		}
	}
	if d := cmp.Diff([]sample.Start{sample.Warm, sample.Unknown}, kinds); d != "" {
		t.Errorf("distributions (-want +got):\n%s", d)
	}
}

// TestInFlightIsTheMean: the integral of the curve is the sum of all service
// times, in whatever order they come and however far beyond the schedule.
func TestInFlightIsTheMean(t *testing.T) {
	for _, end := range []time.Duration{0, time.Second, time.Hour} {
		c := reports.NewCollector(phases(end))
		rng := rand.New(rand.NewPCG(2, 2))
		var want time.Duration
		for range 5000 {
			s := answer("p", time.Duration(rng.Int64N(int64(90*time.Second))), time.Duration(rng.ExpFloat64()*float64(200*ms)), sample.Warm)
			want += s.Service()
			c.Add(s)
		}
		var got float64
		levels := collect(c).InFlight
		for i, l := range levels[:len(levels)-1] {
			got += l.Value * float64(levels[i+1].At-l.At)
		}
		if math.Abs(got/float64(want)-1) > 1e-9 {
			t.Errorf("schedule of %v: the curve holds %v, want %v", end, time.Duration(got), want)
		}
		if len(levels) > 2050 {
			t.Errorf("schedule of %v: %d levels", end, len(levels))
		}
	}
}

func TestInstances(t *testing.T) {
	c := reports.NewCollector(nil)
	c.Instance(ms, 9*ms)
	c.Instance(ms, 5*ms)
	c.Instance(5*ms, 0)
	want := []reports.Level{{At: ms, Value: 2}, {At: 5 * ms, Value: 2}, {At: 9 * ms, Value: 1}}
	if d := cmp.Diff(want, collect(c).Instances); d != "" {
		t.Errorf("levels (-want +got):\n%s", d)
	}
	for i := range 50_000 {
		c.Instance(time.Duration(10+i)*ms, time.Duration(10_010+i)*ms)
	}
	levels := collect(c).Instances
	var peak float64
	for _, l := range levels {
		peak = max(peak, l.Value)
	}
	if len(levels) > 5000 || peak != 10_001 {
		t.Errorf("%d levels with a peak of %v, want at most 5,000 and 10,001", len(levels), peak)
	}
}

func TestDistribution(t *testing.T) {
	c := reports.NewCollector(phases(time.Second))
	for i := range 11 {
		c.Add(answer("p", 500*ms, time.Duration(i+1)*ms, sample.Cold))
	}
	d := collect(c).Distributions[0]
	if got := d.Curve[len(d.Curve)-1]; got.Share != 11.0/12 || got.Latency != 11*ms || got.Supported {
		t.Errorf("last point = %+v, want the maximum at 11/12, unsupported", got)
	}
	for i, q := range d.Curve {
		if i > 0 && (q.Share <= d.Curve[i-1].Share || q.Latency < d.Curve[i-1].Latency) {
			t.Errorf("curve falls at %d: %+v", i, q)
		}
		// With 11, a quantile has both ends if 1-q^11 and 1-(1-q)^11 are at least .975.
		want := math.Pow(q.Share, 11) <= .025 && math.Pow(1-q.Share, 11) <= .025
		if q.Supported != want {
			t.Errorf("%v supported = %v, want %v", q.Share, q.Supported, want)
		}
	}
	var n uint64
	for i, b := range d.Bars {
		n += b.Count
		if ratio := float64(b.High) / float64(b.Low); math.Abs(ratio-math.Pow(10, 1.0/12)) > 1e-3 {
			t.Errorf("bar %d is %v wide", i, ratio)
		}
	}
	if n != 11 {
		t.Errorf("bars hold %d, want 11", n)
	}
}
