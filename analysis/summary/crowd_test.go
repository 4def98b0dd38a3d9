package summary

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

// most counts by hand how many requests were under way at once in [from, to].
func most(samples []sample.Sample, from, to time.Duration) int {
	most := 0
	for i := range samples {
		at := max(samples[i].Sent, from)
		if at > to {
			continue
		}
		n := 0
		for j := range samples {
			if samples[j].Sent <= at && at < samples[j].Done {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// TestCrowdIsNeverTooSmall: a phase that was held back must not pass for one
// that was not.
func TestCrowdIsNeverTooSmall(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 5))
		span := []time.Duration{time.Second, time.Hour}[seed%2] // the second makes slots wider
		c := newCrowd()
		samples := make([]sample.Sample, 300)
		for i := range samples {
			sent := time.Duration(rng.Int64N(int64(span)))
			samples[i] = sample.Sample{Sent: sent, Done: sent + time.Duration(rng.ExpFloat64()*float64(span)/20)}
			c.add(&samples[i])
		}
		for range 20 {
			from := time.Duration(rng.Int64N(int64(span)))
			to := from + time.Duration(rng.Int64N(int64(span)))
			if n := most(samples, from, to); n > 0 && !c.reached(n, from, to) {
				t.Errorf("seed %d: %d were under way at once in [%v, %v], and that is not reached", seed, n, from, to)
			}
		}
	}
}

// TestCrowdIsNotFarTooLarge: else no phase would ever be checked.
func TestCrowdIsNotFarTooLarge(t *testing.T) {
	c := newCrowd()
	for i := range 10_000 { // 100 at a time, from 5 s on, for a second
		sent := 5*time.Second + time.Duration(i)*100*time.Microsecond
		c.add(&sample.Sample{Sent: sent, Done: sent + 10*time.Millisecond})
	}
	for _, tt := range []struct {
		limit    int
		from, to time.Duration
		want     bool
	}{
		{100, 5 * time.Second, 6 * time.Second, true},
		{125, 5 * time.Second, 6 * time.Second, false},
		{1, 0, 4900 * time.Millisecond, false},
		{1, 6100 * time.Millisecond, 8 * time.Second, false},
		{100, 5500 * time.Millisecond, 5501 * time.Millisecond, true},
	} {
		if got := c.reached(tt.limit, tt.from, tt.to); got != tt.want {
			t.Errorf("%d reached in [%v, %v]: %v, want %v", tt.limit, tt.from, tt.to, got, tt.want)
		}
	}
}

// TestCrowdTakesAnyTime: samples may come from a broken clock or a foreign file.
func TestCrowdTakesAnyTime(t *testing.T) {
	c := newCrowd()
	c.add(&sample.Sample{Sent: -time.Second, Done: math.MaxInt64})
	c.add(&sample.Sample{Sent: time.Second, Done: -time.Hour})
	if !c.reached(1, 0, math.MaxInt64) {
		t.Error("a request that never ended is not under way")
	}
}
