package drive

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTrueP99(t *testing.T) {
	times := steady(2000, 10*time.Second).Times
	for _, tt := range []struct {
		from, to, want time.Duration
	}{
		// 600 of 20,000 wait 300 ms or less, evenly; 200 of them beyond the quantile.
		{5 * time.Second, 5300 * time.Millisecond, 200 * time.Millisecond},
		// Fewer than 1% wait.
		{5 * time.Second, 5099 * time.Millisecond, 0},
		{0, 10 * time.Second, 9900 * time.Millisecond},
	} {
		if got := trueP99(times, tt.from, tt.to); got != tt.want {
			t.Errorf("still from %v to %v: p99 %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestStall(t *testing.T) {
	s := Stall{Rate: 500, Duration: 2 * time.Second, Stall: 60 * time.Millisecond} // from 1s on; a busy machine may be late with it
	got, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Requests != 1000 || got.Failed != 0 || got.Latency.N() != 1000 {
		t.Errorf("requests %d, failed %d, recorded %d, want 1000, 0, 1000", got.Requests, got.Failed, got.Latency.N())
	}
	if got.Stalled < s.Stall || got.True <= 0 || got.True > got.Stalled {
		t.Errorf("still for %v with a true p99 of %v, want at least %v and a p99 within it", got.Stalled, got.True, s.Stall)
	}
	// A driver that leaves out the wait before the send reports a fraction.
	if got.Reported < got.True*9/10 {
		t.Errorf("reported p99 %v, true %v", got.Reported, got.True)
	}
}

func TestStallInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := (Stall{}).Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
	}
}
