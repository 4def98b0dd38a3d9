package study

import (
	"math"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sim"
)

// TestJoinedTimelinesKeepSums: whatever the number of steps, few are left, they
// follow each other, and what is counted over time stays.
func TestJoinedTimelinesKeepSums(t *testing.T) {
	for _, n := range []int{0, 1, 59, 60, 61, 119, 512} {
		var steps []sim.Step
		var requests, cold uint64
		area := 0.
		for i := range n {
			s := sim.Step{At: time.Duration(i) * time.Hour, Length: time.Hour, Requests: uint64(i), Cold: uint64(i % 3), Instances: float64(i % 7), Busy: 1}
			if i == n-1 {
				s.Length = time.Minute // the traffic ends
			}
			requests, cold, area = requests+s.Requests, cold+s.Cold, area+s.Instances*s.Length.Seconds()
			steps = append(steps, s)
		}
		got := joined(steps, mostSteps)
		if len(got) > mostSteps || n > 0 && len(got) < min(n, mostSteps/2) {
			t.Errorf("%d steps become %d", n, len(got))
		}
		end := time.Duration(0)
		for _, s := range got {
			if s.At != end {
				t.Errorf("of %d steps: one begins at %v, the one before ends at %v", n, s.At, end)
			}
			end = s.At + s.Length
			requests, cold, area = requests-s.Requests, cold-s.Cold, area-s.Instances*s.Length.Seconds()
			if s.Busy != 1 {
				t.Errorf("of %d steps: mean %v, want that of all, 1", n, s.Busy)
			}
		}
		if requests != 0 || cold != 0 || math.Abs(area) > 1e-6 {
			t.Errorf("of %d steps: %d requests, %d cold and %v instance seconds are lost", n, requests, cold, area)
		}
	}
}
