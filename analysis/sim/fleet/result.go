package fleet

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// Result is what became of the traffic. Every figure leaves the warm-up out.
// Counts of requests are of those that arrived after it; what is over time ends
// with the span. A standard error is by batch means, and null where there are
// too few requests for one.
type Result struct {
	Interrupted    bool          `json:"interrupted"` // the context ended it
	Requests       uint64        `json:"requests"`
	WarmupRequests uint64        `json:"warmup_requests"` // that came before, in no other figure
	Span           time.Duration `json:"span_ns"`         // that the figures are about

	Served uint64 `json:"served"`
	Late   uint64 `json:"late"`   // of those: above the target
	Errors uint64 `json:"errors"` // the sum of the next four
	// Rejected found the queue full, TimedOut waited too long in it, Unserved
	// found no instance that takes requests, Failed lost theirs while they had it.
	Rejected uint64 `json:"rejected"`
	TimedOut uint64 `json:"timed_out"`
	Unserved uint64 `json:"unserved"`
	Failed   uint64 `json:"failed"`
	// MissShare is (Late + Errors) / Requests, 0 to 1; 0 where nothing came.
	MissShare  float64  `json:"miss_share"`
	MissStderr *float64 `json:"miss_share_stderr"`

	Response       *hist.Histogram `json:"-"`               // from arrival to answer, of all served
	ResponseMean   float64         `json:"response_mean_s"` // of all served
	ResponseStderr *float64        `json:"response_mean_stderr_s"`
	WaitMean       float64         `json:"wait_mean_s"` // for a worker, of all that got one
	WaitStderr     *float64        `json:"wait_mean_stderr_s"`
	Delayed        float64         `json:"delayed_share"` // of all that got a worker: waited at all
	DelayedStderr  *float64        `json:"delayed_share_stderr"`

	// InstanceHours are what is billed, by the rule of the options. Lives that
	// the warm-up's end or the span's cut are not rounded.
	InstanceHours float64 `json:"instance_hours"`
	AliveHours    float64 `json:"alive_hours"` // the same, unrounded
	Started       uint64  `json:"started"`     // instances, those at the start included
	Failures      uint64  `json:"failures"`    // of instances
	// Throughout is how many instances were there from the begin to the end of
	// the time that figures are about.
	Throughout uint64 `json:"instances_throughout"`

	InstancesMean float64 `json:"instances_mean"` // booting, serving or draining, over time
	InstancesPeak int     `json:"instances_peak"`
	ServingMean   float64 `json:"serving_mean"` // of them: taking requests
	BusyMean      float64 `json:"busy_mean"`    // workers
	SystemMean    float64 `json:"system_mean"`  // requests, waiting or in service
	// Utilisation is busy workers by those of instances that take requests; what
	// drains is in the first only, so that it may exceed 1.
	Utilisation float64 `json:"utilisation"`

	Timeline []Step `json:"timeline"` // at most 240 steps
}
