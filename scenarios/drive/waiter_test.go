package drive

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

func waiters() map[string]waiter {
	coarse := newWaiter().(*preciseWaiter)
	coarse.spins = false
	return map[string]waiter{"precise": newWaiter(), "one processor": coarse, "timer": newTimerWaiter()}
}

func TestNeverEarly(t *testing.T) {
	for name, w := range waiters() {
		for _, d := range []time.Duration{-time.Second, 0, 3 * time.Microsecond, 50 * time.Microsecond, 300 * time.Microsecond, 2 * time.Millisecond, 12 * time.Millisecond} {
			due := time.Now().Add(d)
			if !w.until(t.Context(), due) {
				t.Errorf("%s: gave up on %v", name, d)
			}
			if early := time.Until(due); early > 0 {
				t.Errorf("%s: %v too early for %v", name, early, d)
			}
		}
	}
}

func TestInterruptEndsAWait(t *testing.T) {
	for name, w := range waiters() {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		if w.until(ctx, time.Now().Add(time.Hour)) {
			t.Errorf("%s: an hour was over at once", name)
		}
		if w.until(ctx, time.Now().Add(-time.Second)) {
			t.Errorf("%s: went on after the end of the context", name)
		}
		cancel()
		if !w.until(t.Context(), time.Now().Add(10*time.Millisecond)) {
			t.Errorf("%s: of no use after an interrupt", name)
		}
	}
}

func TestNoSpinOnOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if newWaiter().(*preciseWaiter).spins {
		t.Error("spins where nothing else can run meanwhile")
	}
	m := &memory{}
	out, err := Run(t.Context(), planOf(every(100*time.Microsecond, 500), invoke(instant)), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkOnce(t, out, m)
}

func TestMarginFollowsTheNinthDecile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		most, want time.Duration // overshoot is even over [0, most)
	}{
		{40 * time.Microsecond, 36 * time.Microsecond},
		{80 * time.Microsecond, 72 * time.Microsecond},
		{1 * time.Microsecond, leastMargin},
		{10 * time.Millisecond, mostMargin},
	} {
		w := preciseWaiter{margin: firstMargin}
		var sum time.Duration
		for i := range 4000 {
			w.learn(time.Duration(rng.Int64N(int64(tt.most))))
			if w.margin < leastMargin || w.margin > mostMargin {
				t.Fatalf("margin %v, want within %v and %v", w.margin, leastMargin, mostMargin)
			}
			if i >= 2000 {
				sum += w.margin
			}
		}
		if mean := sum / 2000; mean < tt.want*9/10 || mean > tt.want*11/10 {
			t.Errorf("overshoots below %v: margin %v, want about %v", tt.most, mean, tt.want)
		}
	}
}
