package drive

import (
	"context"
	"runtime/debug"
	"testing"

	"github.com/coldcurve/coldcurve/platform"
)

func gcPercent() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

func TestCollectorIsCalmForTheRunOnly(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, tt := range []struct {
		own   int
		calms bool
	}{{100, true}, {50, false}, {-1, false}} {
		debug.SetGCPercent(tt.own)
		during := 0
		_, err := Run(t.Context(), planOf(every(0, 1), invoke(func(context.Context, platform.Request) (platform.Response, error) {
			during = gcPercent()
			return platform.Response{}, nil
		})), &memory{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if calmed := during != tt.own; calmed != tt.calms || (calmed && during < 100) {
			t.Errorf("GOGC %d: %d during the run, want it calmer: %v", tt.own, during, tt.calms)
		}
		if after := gcPercent(); after != tt.own {
			t.Errorf("GOGC %d: %d after the run", tt.own, after)
		}
	}
}

func TestCalmPercent(t *testing.T) {
	for _, tt := range []struct {
		live uint64
		want int
	}{{headroom, 100}, {headroom / 8, 800}, {headroom * 4, 25}} {
		if got := calmPercent(tt.live); got != tt.want {
			t.Errorf("live heap of %d: %d%%, want %d%%", tt.live, got, tt.want)
		}
	}
	if got := calmPercent(0); got <= 0 {
		t.Errorf("no live heap: %d%%, want a great deal", got)
	}
}
