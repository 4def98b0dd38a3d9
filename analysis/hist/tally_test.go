package hist_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// TestTallyIsAHistogram records the same durations both ways, of every
// magnitude, at the edges of bars, in rows, out of range.
func TestTallyIsAHistogram(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	tally, got, want := hist.NewTally(), hist.New(), hist.New()
	record := func(d time.Duration) {
		for range 1 + rng.IntN(2) {
			tally.Record(d)
			want.Record(d)
		}
	}
	for k := range 42 {
		for _, off := range []time.Duration{-1, 0, 1} {
			record(1<<k + off)
		}
		for range 200 {
			record(time.Duration(rng.Int64N(1 << k)))
		}
	}
	for _, d := range []time.Duration{0, -1, math.MinInt64, math.MaxInt64, hist.Highest, hist.Highest + 1} {
		record(d)
	}
	if n := want.N() + want.OutOfRange(); tally.N() != n {
		t.Errorf("N is %d, want %d", tally.N(), n)
	}
	got.Record(time.Second)
	want.Record(time.Second)
	got.Absorb(tally)
	if a, b := slices.Collect(got.Bars()), slices.Collect(want.Bars()); !slices.Equal(a, b) {
		t.Errorf("bars differ: %d and %d of them", len(a), len(b))
	}
	if got.N() != want.N() || got.OutOfRange() != want.OutOfRange() || got.Min() != want.Min() || got.Max() != want.Max() || got.Longest() != math.MaxInt64 || want.Longest() != math.MaxInt64 || got.Mean() != want.Mean() {
		t.Errorf("n %d, out of range %d, %v to %v, mean %v; want %d, %d, %v to %v, %v",
			got.N(), got.OutOfRange(), got.Min(), got.Max(), got.Mean(), want.N(), want.OutOfRange(), want.Min(), want.Max(), want.Mean())
	}
	twice, both := hist.NewTally(), hist.New()
	twice.Record(time.Hour)
	twice.Add(tally)
	twice.Add(tally)
	both.Absorb(twice)
	want = hist.New()
	want.Record(time.Hour)
	want.Absorb(tally)
	want.Absorb(tally)
	if a, b := slices.Collect(both.Bars()), slices.Collect(want.Bars()); !slices.Equal(a, b) || both.Mean() != want.Mean() || both.Max() != want.Max() || both.Longest() != math.MaxInt64 || both.N() != want.N() {
		t.Errorf("added up it has %d bars, mean %v; want %d, %v", len(a), both.Mean(), len(b), want.Mean())
	}
	tally.Reset()
	empty := hist.New()
	empty.Absorb(tally)
	if tally.N() != 0 || empty.N() != 0 || empty.Max() != 0 {
		t.Errorf("after Reset it has %d", tally.N())
	}
}

func BenchmarkTally(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	durations := make([]time.Duration, 1<<14)
	for k := range durations {
		durations[k] = time.Duration(rng.ExpFloat64() * 1e8)
	}
	for name, record := range map[string]func(time.Duration){"into=histogram": hist.New().Record, "into=tally": hist.NewTally().Record} {
		b.Run(name, func(b *testing.B) {
			for k := 0; b.Loop(); k++ {
				record(durations[k&(len(durations)-1)])
			}
		})
	}
}

// TestTallyBeyondItsCounters adds two tallies to each other until a bar has more
// than 32 bits hold.
func TestTallyBeyondItsCounters(t *testing.T) {
	a, b := hist.NewTally(), hist.NewTally()
	a.Record(time.Second)
	b.Record(time.Second)
	one, other := uint64(1), uint64(1)
	for one < 1<<36 {
		a.Add(b)
		b.Add(a)
		one += other
		other += one
	}
	got := hist.New()
	got.Absorb(b)
	bars := slices.Collect(got.Bars())
	if b.N() != other || got.N() != other || len(bars) != 1 || bars[0].Count != other {
		t.Errorf("tally of %d, histogram of %d in %+v; want %d in one bar", b.N(), got.N(), bars, other)
	}
}
