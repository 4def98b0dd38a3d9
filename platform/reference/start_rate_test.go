package reference

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// TestSlowStartRates: what no Duration can hold is as good as never, and not as
// often as possible. These are within what a scenario may ask for.
func TestSlowStartRates(t *testing.T) {
	for _, rate := range []units.Rate{1e-9, 1e-10, 1e-11, 1e-20, math.SmallestNonzeroFloat64} {
		for _, burst := range []int{1, 3, 100_000} {
			if err := checkStartRate(rate, burst); err != nil {
				t.Errorf("%g/s after %d: %v", float64(rate), burst, err)
			}
			policy := lifecycle.Policy{StartBurst: burst, StartEvery: startEvery(rate, burst)}
			if policy.StartEvery < 24*time.Hour {
				t.Errorf("%g/s after %d: a start every %v", float64(rate), burst, policy.StartEvery)
			}
			lifecycle.New(policy) // panics if it is not valid
		}
	}
}

func TestStartRateThatWouldHaveToBeAnother(t *testing.T) {
	flags := ServeFlags{KeepAlive: forever, StartRate: "1e-9/s", StartBurst: 1_000_000, ReadyFD: -1, ParentFD: -1, APIFD: -1, DirectFD: -1}
	_, err := flags.Options(DefaultSettings())
	if want := "--start-rate: 1e-09/s is too slow for a --start-burst of 1000000: write at least 0.00011/s, or a smaller burst"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	flags.StartRate = "0.00011/s"
	if _, err := flags.Options(DefaultSettings()); err != nil {
		t.Errorf("what was said to write instead: %v", err)
	}
}
