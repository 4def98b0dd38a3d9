package drive

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 100/s for 2 s in two phases; every answer takes 12 ms, cold in the second phase.
		s := every(10*time.Millisecond, 200)
		s.Phases = []scenarios.PhaseSpan{{Name: "one", End: time.Second}, {Name: "two", Start: time.Second, End: 2 * time.Second}}
		start := time.Now()
		p := planOf(s, invoke(func(context.Context, platform.Request) (platform.Response, error) {
			r := platform.Response{Status: 200}
			if time.Since(start) >= time.Second+lead {
				r.Evidence.Start = sample.Cold
			}
			time.Sleep(12 * time.Millisecond)
			return r, nil
		}))
		var seen []Progress
		m := &memory{}
		if _, err := run(t.Context(), p, m, func(p Progress) { seen = append(seen, p) }, newTimerWaiter()); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 9 { // every quarter of a second, and the end
			t.Fatalf("%d reports, want 9", len(seen))
		}
		// 1.5 s after the start is 1.498 s after offset 0: 150 arrivals.
		want := Progress{
			Elapsed: 1498 * time.Millisecond, Total: 2 * time.Second, Phase: "two",
			Offered: 150, Sent: 150, InFlight: 1, Cold: 49,
			P50:         12 * time.Millisecond, // and too few for a p99
			OfferedRate: 100, AchievedRate: 100,
		}
		if diff := cmp.Diff(want, seen[5]); diff != "" {
			t.Errorf("at 1.5 s (-want +got):\n%s", diff)
		}
		end := seen[8]
		if end.Sent != 200 || end.InFlight != 0 || end.Cold != 100 || end.Phase != "two" {
			t.Errorf("at the end: %+v", end)
		}
		if diff := cmp.Diff([]time.Duration{998 * time.Millisecond, 1998 * time.Millisecond, 2002 * time.Millisecond}, m.flushes); diff != "" {
			t.Errorf("flushes (-want +got):\n%s", diff)
		}
	})
}

func TestProgressShowsDropsAndShortfall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(every(10*time.Millisecond, 500), takes(time.Second))
		p.InFlight = scenarios.InFlight{Max: 10, When: "drop"}
		var seen []Progress
		if _, err := run(t.Context(), p, &memory{}, func(p Progress) { seen = append(seen, p) }, newTimerWaiter()); err != nil {
			t.Fatal(err)
		}
		got := seen[11] // 3 s
		if got.InFlight != 10 || got.Sent != 30 || got.Dropped != got.Offered-30 || got.OfferedRate != 100 || got.AchievedRate != 10 {
			t.Errorf("at 3 s: %+v", got)
		}
	})
}
