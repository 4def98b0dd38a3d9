package arrival

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/units"
)

var update = flag.Bool("update", false, "write golden files anew")

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func collect(p Process, d time.Duration, seed uint64) []time.Duration {
	return slices.Collect(p.Times(d, seeded(seed)))
}

// named is a process with a name for messages and golden files.
type named struct {
	name string
	Process
}

// all is every process with parameters that bring out its edges: rates that
// touch 0, ends on the phase's end.
func all() []named {
	const s = time.Second
	return []named{
		{"constant", Constant{Rate: 33.3}},
		{"gap", Gap{Gap: 700 * time.Millisecond}},
		{"burst", Burst{Count: 20, At: 9 * s}},
		{"poisson", Poisson{Rate: 50}},
		{"bursty", Bursty{Rate: 50, CV: 4}},
		{"ramp up", Ramp{From: 0, To: 100}},
		{"ramp down", Ramp{From: 100, To: 0}},
		{"ramp even", Ramp{From: 0, To: 100, Even: true}},
		{"step", Step{From: 0, To: 80, At: 4 * s}},
		{"step down", Step{From: 80, To: 0, At: 4 * s}},
		{"step even", Step{From: 0, To: 80, At: 4 * s, Even: true}},
		{"spike", Spike{From: 5, To: 150, At: 3 * s, Width: 3 * s}},
		{"spike from nothing", Spike{From: 0, To: 150, At: 7 * s, Width: 3 * s}},
		{"spike even", Spike{From: 0, To: 150, At: 3 * s, Width: 3 * s, Even: true}},
		{"sine", Sine{Mean: 50, Amplitude: 40, Period: 4 * s}},
		{"sine to 0", Sine{Mean: 50, Amplitude: 50, Period: 4 * s}},
		{"sine even", Sine{Mean: 50, Amplitude: 50, Period: 4 * s, Even: true}},
		{"counts", Counts{PerMinute: []uint32{100, 0, 300}, Speed: 18}},
		{"counts scaled", Counts{PerMinute: []uint32{100, 0, 300}, Speed: 18, Scale: 1.25}},
		{"timestamps", Timestamps{Offsets: []time.Duration{0, 1 * s, 1 * s, 2500 * time.Millisecond}}},
		{"timestamps scaled", Timestamps{Offsets: []time.Duration{0, 1 * s, 1 * s, 2500 * time.Millisecond}, Scale: 1.5}},
	}
}

func TestTimesAscendWithinThePhase(t *testing.T) {
	for _, p := range all() {
		for seed := range uint64(20) {
			for _, d := range []time.Duration{time.Nanosecond, 3 * time.Second, 10 * time.Second} {
				times := collect(p, d, seed)
				if !slices.IsSorted(times) {
					t.Errorf("%s, seed %d: times descend", p.name, seed)
				}
				if n := len(times); n > 0 && (times[0] < 0 || times[n-1] >= d) {
					t.Errorf("%s, seed %d: times from %v to %v, want them in [0, %v)", p.name, seed, times[0], times[n-1], d)
				}
			}
		}
	}
}

// A consumer may stop early.
func TestTimesCanBeLeft(t *testing.T) {
	for _, p := range all() {
		n := 0
		for range p.Times(10*time.Second, seeded(1)) {
			if n++; n == 2 {
				break
			}
		}
	}
}

// The golden file keeps schedules from changing without anybody noticing: old
// results could no longer be compared with new ones.
func TestGolden(t *testing.T) {
	var got strings.Builder
	for _, p := range all() {
		hash := sha256.New()
		times := collect(p, 10*time.Second, 7)
		for _, at := range times {
			binary.Write(hash, binary.LittleEndian, int64(at))
		}
		if again := collect(p, 10*time.Second, 7); !slices.Equal(times, again) {
			t.Errorf("%s: the same seed gives other times", p.name)
		}
		fmt.Fprintf(&got, "%-20s %5d %x\n", p.name, len(times), hash.Sum(nil)[:8])
	}
	const file = "testdata/schedules.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("schedules have changed (-want +got):\n%s", diff)
	}
}

func TestExpectedIsTheMean(t *testing.T) {
	const runs, d = 500, 10 * time.Second
	for _, p := range all() {
		sum, squares := 0.0, 0.0
		for seed := range uint64(runs) {
			n := float64(len(collect(p, d, seed)))
			sum += n
			squares += n * n
		}
		mean := sum / runs
		deviation := math.Sqrt(max(squares/runs-mean*mean, 0) / runs)
		if got := p.Expected(d); math.Abs(got-mean) > 4*deviation+1e-9 {
			t.Errorf("%s: Expected %v, mean of %d runs %v ± %v", p.name, got, runs, mean, deviation)
		}
	}
}

func TestConstantIsExact(t *testing.T) {
	for _, c := range []struct {
		rate units.Rate
		d    time.Duration
		want int
	}{
		{100, time.Second, 100},
		{.1, 30 * time.Second, 3},
		{.3, 10 * time.Second, 3},
		{.7, 10 * time.Second, 7},
		{1.1, 10 * time.Second, 11},
		{3.3, 100 * time.Second, 330},
		{1. / 60, time.Hour, 60},
		{1. / 3, 3 * time.Second, 1},
		{99.99, time.Second, 99},
		{.3, 2 * time.Second, 0},
		{12345.678, 100 * time.Second, 1234567},
		{0, time.Second, 0},
		{-1, time.Second, 0},
	} {
		times := collect(Constant{Rate: c.rate}, c.d, 1)
		if len(times) != c.want {
			t.Errorf("%v over %v: %d requests, want %d", c.rate, c.d, len(times), c.want)
		}
		for i, at := range times {
			if want := float64(i) / float64(c.rate) * 1e9; math.Abs(float64(at)-want) > 1 {
				t.Fatalf("%v: request %d at %v, want it at i/rate = %v ns", c.rate, i, at, want)
			}
		}
	}
}

func TestGapBeginsAtOnce(t *testing.T) {
	const s = time.Second
	for d, want := range map[time.Duration][]time.Duration{
		6 * s:     {0, 2 * s, 4 * s},
		6*s + 1:   {0, 2 * s, 4 * s, 6 * s},
		1 * s:     {0},
		0:         nil,
		4*s - 100: {0, 2 * s},
	} {
		if diff := cmp.Diff(want, collect(Gap{Gap: 2 * s}, d, 1)); diff != "" {
			t.Errorf("gaps of 2s over %v (-want +got):\n%s", d, diff)
		}
	}
}

func TestGapBeginsAtAnInstant(t *testing.T) {
	const s = time.Second
	for d, want := range map[time.Duration][]time.Duration{
		6 * s:   {s, 3 * s, 5 * s},
		5*s + 1: {s, 3 * s, 5 * s},
		5 * s:   {s, 3 * s},
		s:       nil,
	} {
		p := Gap{Gap: 2 * s, At: s}
		if diff := cmp.Diff(want, collect(p, d, 1)); diff != "" {
			t.Errorf("gaps of 2s from 1s over %v (-want +got):\n%s", d, diff)
		}
		if n := p.Expected(d); int(n) != len(want) {
			t.Errorf("over %v %v are expected, want %d", d, n, len(want))
		}
	}
}

func TestOutOfRangeYieldsNothing(t *testing.T) {
	nan := units.Rate(math.NaN())
	for _, p := range []Process{
		Constant{}, Constant{Rate: nan}, Gap{}, Gap{Gap: -1}, Gap{Gap: 1, At: -1}, Burst{}, Burst{Count: -1}, Burst{Count: 1, At: time.Minute},
		Burst{Count: 1, At: -1}, Poisson{}, Poisson{Rate: -1}, Poisson{Rate: nan}, Bursty{Rate: 1}, Bursty{CV: 1},
		Ramp{}, Ramp{From: -1, To: 5}, Ramp{From: nan, To: 5}, Step{}, Step{From: -1, To: 5}, Spike{}, Spike{From: 1, To: nan},
		Sine{}, Sine{Mean: 1, Amplitude: 2, Period: 1}, Sine{Mean: 1}, Counts{}, Timestamps{}, Trace{}.Process(1, 1),
	} {
		if times := collect(p, 10*time.Second, 1); len(times) > 0 {
			t.Errorf("%#v yields %d times, want none", p, len(times))
		}
		if n := p.Expected(10 * time.Second); n > 0 {
			t.Errorf("%#v expects %v, want 0", p, n)
		}
	}
}

func BenchmarkTimes(b *testing.B) {
	const d = 100 * time.Second
	for _, p := range []named{
		{"constant", Constant{Rate: 1e4}},
		{"poisson", Poisson{Rate: 1e4}},
		{"bursty", Bursty{Rate: 1e4, CV: 4}},
		{"ramp", Ramp{From: 0, To: 2e4}},
		{"spike", Spike{From: 5e3, To: 5e4, At: 20 * time.Second, Width: 10 * time.Second}},
		{"sine", Sine{Mean: 1e4, Amplitude: 9e3, Period: 30 * time.Second}},
		{"counts", Counts{PerMinute: []uint32{6e5, 6e5}}},
	} {
		b.Run("process="+p.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				for range p.Times(d, seeded(1)) {
					n++
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "arrivals/s")
		})
	}
}
