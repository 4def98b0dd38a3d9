package lifecycle

import (
	"math"
	"time"
)

// never is the instant of what is not due at all.
const never time.Duration = math.MaxInt64

// after is t+d, or never where that lies beyond the end of time. Neither is negative.
func after(t, d time.Duration) time.Duration {
	if t > never-d {
		return never
	}
	return t + d
}
