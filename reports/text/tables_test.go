package text

import (
	"testing"

	"github.com/coldcurve/coldcurve/analysis/summary"
)

func TestGeneratorLine(t *testing.T) {
	lag := summary.Lag{P50: new(int64(6000)), P99: new(int64(80_000)), Max: 2_000_000}
	for _, tt := range []struct {
		run  summary.Run
		want string
	}{
		{summary.Run{Lag: lag, Sent: 900}, "The generator's own lag: p50 6.00 µs, p99 80.0 µs, max 2.00 ms."},
		{summary.Run{Lag: lag, Sent: 900, PeakBacklog: 1200, Backlog: 7},
			"The generator's own lag: p50 6.00 µs, p99 80.0 µs, max 2.00 ms. At most 1,200 were due and not yet sent. At most 7 requests were under way at once."},
		{summary.Run{Lag: lag, Sent: 1, PeakBacklog: 1, Backlog: 1},
			"The generator's own lag: p50 6.00 µs, p99 80.0 µs, max 2.00 ms. At most 1 was due and not yet sent. At most 1 request was under way at once."},
		// A quantile that the sample cannot support is not there.
		{summary.Run{Lag: summary.Lag{P50: new(int64(6000)), Max: 2_000_000}, Sent: 9}, "The generator's own lag: p50 6.00 µs, max 2.00 ms."},
		{summary.Run{Lag: summary.Lag{Max: 2_000_000}, Sent: 1}, "The generator's own lag: max 2.00 ms."},
		// What the cap makes requests wait is not the generator's.
		{summary.Run{Lag: lag, Sent: 900, Held: 800, PeakBacklog: 40},
			"From due to sent, 800 of 900 held at the in-flight cap: p50 6.00 µs, p99 80.0 µs, max 2.00 ms. At most 40 were due and not yet sent."},
	} {
		if got := generator(&tt.run); got != tt.want {
			t.Errorf("\n got %s\nwant %s", got, tt.want)
		}
	}
}
