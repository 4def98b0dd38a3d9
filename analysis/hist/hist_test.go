package hist_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// mixed is a bimodal sample, as cold and warm starts make it.
func mixed(n int, seed uint64) []time.Duration {
	rng := rand.New(rand.NewPCG(seed, 0))
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = time.Duration(math.Exp(rng.NormFloat64()*.3) * float64(2*time.Millisecond))
		if rng.Float64() < .1 {
			all[i] += 120 * time.Millisecond
		}
	}
	return all
}

func of(durations ...time.Duration) *hist.Histogram {
	h := hist.New()
	for _, d := range durations {
		h.Record(d)
	}
	return h
}

func TestOneValueIsExactEverywhere(t *testing.T) {
	h := of(500_000) // three digits alone would make it 500223
	for name, got := range map[string]time.Duration{
		"min": h.Min(), "max": h.Max(), "mean": h.Mean(), "p50": h.Quantile(.5), "p99": h.Quantile(.99),
		"p100": h.Quantile(1), "p0": h.Quantile(0), "rank 0": h.AtRank(0), "rank 1": h.AtRank(1), "rank 2": h.AtRank(2),
	} {
		if got != 500_000 {
			t.Errorf("%s is %d, want 500000", name, got)
		}
	}
}

func TestNothingIsZero(t *testing.T) {
	h := hist.New()
	if h.N() != 0 || h.Min() != 0 || h.Max() != 0 || h.Mean() != 0 || h.Quantile(.5) != 0 || h.AtRank(1) != 0 {
		t.Errorf("an empty histogram tells figures: %d %v %v %v %v", h.N(), h.Min(), h.Max(), h.Mean(), h.Quantile(.5))
	}
	for b := range h.Bars() {
		t.Errorf("an empty histogram has the bar %+v", b)
	}
}

func TestOutOfRangeIsCountedApart(t *testing.T) {
	h := of(-1, hist.Highest+1, math.MaxInt64, 0, hist.Highest)
	if h.N() != 2 || h.OutOfRange() != 3 || h.Min() != 0 || h.Max() != hist.Highest || h.Mean() != hist.Highest/2 {
		t.Errorf("n %d, out of range %d, %v to %v, mean %v", h.N(), h.OutOfRange(), h.Min(), h.Max(), h.Mean())
	}
}

func TestRanksAreExactAndValuesWithinThreeDigits(t *testing.T) {
	for _, n := range []int{2, 3, 10, 999, 12_345} {
		values := mixed(n, uint64(n))
		h := of(values...)
		slices.Sort(values)
		for k := 1; k <= n; k++ {
			got, want := h.AtRank(uint64(k)), values[k-1]
			if got < want || float64(got-want) > .001*float64(want) {
				t.Fatalf("n=%d: rank %d is %d, want %d to .1%% above", n, k, got, want)
			}
		}
		if h.AtRank(uint64(n)) != values[n-1] || h.AtRank(1) != values[0] {
			t.Errorf("n=%d: the ends are %v and %v, want %v and %v", n, h.AtRank(1), h.AtRank(uint64(n)), values[0], values[n-1])
		}
	}
}

// TestQuantileTakesTheSmallestRankThatReachesIt records 1..n, so that a value
// is its own rank.
func TestQuantileTakesTheSmallestRankThatReachesIt(t *testing.T) {
	for n := 1; n <= 300; n++ {
		h := hist.New()
		for k := 1; k <= n; k++ {
			h.Record(time.Duration(k))
		}
		for percent := 1; percent <= 99; percent++ {
			want := (n*percent + 99) / 100
			if got := h.Quantile(float64(percent) / 100); got != time.Duration(want) {
				t.Fatalf("n=%d: p%d is rank %d, want %d", n, percent, got, want)
			}
		}
	}
	if got := of(1, 2, 3).Quantile(math.NaN()); got != 1 {
		t.Errorf("the quantile at NaN is %d, want the least value", got)
	}
}

func TestMeanIsExact(t *testing.T) {
	if got := of(1, 2).Mean(); got != 2 {
		t.Errorf("mean of 1 and 2 is %d ns, want 2 (1.5 rounded)", got)
	}
	h := of(hist.Highest)
	for range 23 { // doubles to 8 million hours, beyond 64 bits of nanoseconds
		h.Merge(h)
	}
	if h.N() != 1<<23 || h.Mean() != hist.Highest {
		t.Errorf("mean of %d hours is %v, want 1h", h.N(), h.Mean())
	}
}

func TestMergeEqualsRecordingTogether(t *testing.T) {
	values := mixed(5000, 3)
	a, b, all := of(values[:2000]...), of(values[2000:]...), of(values...)
	b.Record(-1)
	all.Record(-1)
	a.Merge(b)
	a.Merge(hist.New())
	if diff := cmp.Diff(figures(all), figures(a)); diff != "" {
		t.Errorf("-together +merged\n%s", diff)
	}
	empty := hist.New()
	empty.Merge(all)
	if diff := cmp.Diff(figures(all), figures(empty)); diff != "" {
		t.Errorf("-together +merged into nothing\n%s", diff)
	}
}

func TestResetForgets(t *testing.T) {
	h := of(1, 5*time.Second, -1)
	h.Reset()
	h.Record(7)
	if diff := cmp.Diff(figures(of(7)), figures(h)); diff != "" {
		t.Errorf("-fresh +reset\n%s", diff)
	}
}

type facts struct {
	N, OutOfRange  uint64
	Min, Max, Mean time.Duration
	Bars           []hist.Bar
}

func figures(h *hist.Histogram) facts {
	return facts{h.N(), h.OutOfRange(), h.Min(), h.Max(), h.Mean(), slices.Collect(h.Bars())}
}

func TestBarsHoldTheValues(t *testing.T) {
	values := mixed(1000, 9)
	var n uint64
	last := time.Duration(-1)
	for b := range of(values...).Bars() {
		if b.Low <= last || b.High < b.Low {
			t.Fatalf("bar %+v after one that ends at %d", b, last)
		}
		inside := uint64(0)
		for _, v := range values {
			if b.Low <= v && v <= b.High {
				inside++
			}
		}
		if inside != b.Count {
			t.Errorf("bar %+v holds %d values", b, inside)
		}
		n += b.Count
		last = b.High
	}
	if n != 1000 {
		t.Errorf("bars hold %d values, want 1000", n)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	h := hist.New()
	if n := testing.AllocsPerRun(1000, func() { h.Record(1234567) }); n != 0 {
		t.Errorf("Record allocates %v times, want 0", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	h := hist.New()
	for b.Loop() {
		h.Record(1234567)
	}
}
