package arrival

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCountsFillTheirMinutes(t *testing.T) {
	const speed = 60
	want := []uint32{20_000, 0, 1, 5_000}
	got := make([]uint32, len(want))
	var within []float64
	for _, at := range collect(Counts{PerMinute: want, Speed: speed}, 4*time.Second, 1) {
		minute := at / time.Second
		got[minute]++
		if minute == 0 {
			within = append(within, at.Seconds())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests a minute (-want +got):\n%s", diff)
	}
	if d := ks(within, func(x float64) float64 { return min(x, 1) }); d > ksLimit {
		t.Errorf("distance from uniform within the minute is %.3f/sqrt(n), want at most %v", d, ksLimit)
	}
}

func TestCountsAreCutOff(t *testing.T) {
	counts := Counts{PerMinute: []uint32{1000, 1000, 1000}, Speed: 60}
	n := len(collect(counts, 1500*time.Millisecond, 1))
	if got := counts.Expected(1500 * time.Millisecond); got != 1500 {
		t.Errorf("one and a half of three minutes: Expected %v, want 1500", got)
	}
	if n < 1400 || n > 1600 {
		t.Errorf("one and a half of three minutes: %d arrivals, want about 1500", n)
	}
}

func TestTimestampsKeepTheirTimes(t *testing.T) {
	const s = time.Second
	offsets := []time.Duration{0, 3 * s, 3 * s, 90 * s, 600 * s}
	for _, c := range []struct {
		speed float64
		want  []time.Duration
	}{
		{0, []time.Duration{0, 3 * s, 3 * s}},
		{1, []time.Duration{0, 3 * s, 3 * s}},
		{10, []time.Duration{0, 300 * time.Millisecond, 300 * time.Millisecond, 9 * s}},
		{.5, []time.Duration{0, 6 * s, 6 * s}},
	} {
		got := collect(Timestamps{Offsets: offsets, Speed: c.speed}, 60*s, 1)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("speed %v (-want +got):\n%s", c.speed, diff)
		}
	}
}

func TestScaleMultipliesWhatIsReplayed(t *testing.T) {
	const d = time.Minute
	offsets := make([]time.Duration, 10_000)
	for i := range offsets {
		offsets[i] = time.Duration(i) * time.Millisecond
	}
	for _, scale := range []float64{.1, 1, 2, 2.5} {
		want := 10_000 * scale
		for _, p := range []Process{
			Timestamps{Offsets: offsets, Scale: scale},
			Counts{PerMinute: []uint32{10_000}, Scale: scale},
		} {
			if got := float64(len(collect(p, d, 1))); math.Abs(got-want) > 4*math.Sqrt(2500) {
				t.Errorf("%T scaled by %v: %v arrivals, want about %v", p, scale, got, want)
			}
		}
	}
}
