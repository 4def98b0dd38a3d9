package study

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
)

// Target is a response time that a share of the requests is to keep within, and
// whether it does.
type Target struct {
	Quantile  float64       `json:"quantile"` // the share, 0 to 1
	Within    time.Duration `json:"within_ns"`
	Functions *Kept         `json:"functions"`       // null where single response times are not known
	Fleet     *Kept         `json:"fleet,omitempty"` // nil where there is none
}

// Kept is how many requests did not keep within a target.
type Kept struct {
	Misses uint64  `json:"misses"` // answered later, or not at all
	Share  float64 `json:"miss_share"`
	Holds  bool    `json:"holds"` // Share is at most what the target leaves
}

func keptOf(goal queue.Goal, misses, requests uint64) *Kept {
	k := &Kept{Misses: misses}
	if requests > 0 {
		k.Share = float64(misses) / float64(requests)
	}
	const rounding = 1e-12 // 1 - .99 is .010000000000000009
	k.Holds = k.Share <= 1-goal.Quantile+rounding
	return k
}

// later is how many took longer than within.
func later(h *hist.Histogram, within time.Duration) uint64 {
	n := h.OutOfRange()
	for bar := range h.Bars() {
		if bar.Low > within {
			n += bar.Count
		}
	}
	return n
}

// target holds both sides against a goal.
func target(goal queue.Goal, functions *sim.Result, machines *fleet.Result) *Target {
	t := &Target{Quantile: goal.Quantile, Within: goal.Within}
	if h := functions.Response; h != nil {
		t.Functions = keptOf(goal, functions.Throttled+functions.Unserved+later(h, goal.Within), functions.Requests)
	}
	if machines != nil {
		t.Fleet = keptOf(goal, machines.Late+machines.Errors, machines.Requests)
	}
	return t
}
