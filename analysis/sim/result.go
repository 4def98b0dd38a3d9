package sim

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// Schema is the version of a result's JSON form.
const Schema = "coldcurve.simulation/v1"

// Engine is how a result was come by.
type Engine string

const (
	EngineEvents Engine = "events" // each request followed
	EngineLevels Engine = "levels" // from the counts of each minute, by the law of level crossings
	EngineMixed  Engine = "mixed"  // some functions by events, some by levels
)

// Result is what a load would meet. All figures leave the warm-up out, and
// count the requests that came after it: also what became of them after the
// load's end. What is over time ends with the load.
type Result struct {
	Name        string `json:"name,omitempty"`
	Engine      Engine `json:"engine"`
	Functions   int    `json:"functions"`   // that the result is of
	Interrupted bool   `json:"interrupted"` // the context ended it: figures are of what was done until then

	Requests       uint64  `json:"requests"`
	WarmupRequests uint64  `json:"warmup_requests"` // that came before, left out of everything else
	Warmup         float64 `json:"warmup_s"`
	Span           float64 `json:"span_s"` // that the figures are about, without warm-up; summed over functions

	Served    uint64 `json:"served"`
	Cold      uint64 `json:"cold"`    // of those: had an instance started and were its first request
	Queued    uint64 `json:"queued"`  // of those: waited and got an instance that they had not started
	Resumed   uint64 `json:"resumed"` // of those: their instance was paused
	Ahead     uint64 `json:"ahead"`   // of those: their instance was started ahead (provisioned or pre-warmed)
	Throttled uint64 `json:"throttled"`
	Unserved  uint64 `json:"unserved"`   // still waited when nothing could happen any more
	Pings     uint64 `json:"pings"`      // invocations to keep instances warm, in no other count but Usage's
	PingsCold uint64 `json:"pings_cold"` // of those: had an instance started
	Started   uint64 `json:"started"`    // instances

	PCold       float64  `json:"p_cold"`        // Cold / Served; 0 where nothing was served
	PColdStderr *float64 `json:"p_cold_stderr"` // by batch means; null where too few batches have requests, or all are alike
	// ColdError bounds what the model, not chance, may have Cold off by, as a share
	// of it: 0.1 is 10%. 0 for the event engine, which has no model.
	ColdError float64 `json:"cold_model_error"`
	// InstancesError is the same for InstancesMean, and for what is made of it.
	InstancesError float64 `json:"instances_model_error"`

	InstancesMean float64 `json:"instances_mean"` // starting, idle, paused or busy, over time
	InstancesPeak int     `json:"instances_peak"` // most at once
	// PeakSummed: InstancesPeak is the sum of functions' peaks, which need not be
	// at one time, so that it bounds how many there are at once.
	PeakSummed bool `json:"instances_peak_summed,omitempty"`

	BusyMean     float64 `json:"busy_mean"`     // of them: serving
	StartingMean float64 `json:"starting_mean"` // of them: not ready yet
	IdleShare    float64 `json:"idle_share"`    // of instance time: ready and serving nobody; 0 where there was none
	// InstanceSeconds, and of those the ones that serve: what instance-based billing counts.
	InstanceSeconds float64 `json:"instance_s"`
	BusySeconds     float64 `json:"busy_s"`

	ServiceMean float64 `json:"service_mean_s"` // of requests served
	WaitMean    float64 `json:"wait_mean_s"`    // from arrival to the begin of service, of all requests served
	StartMean   float64 `json:"start_mean_s"`   // start delay of all instances started

	Usage    usage.Usage `json:"usage"` // billed by whole milliseconds, pings included
	Warnings []Warning   `json:"warnings"`

	// Response is from arrival to answer, Service is the part of it that the
	// instance works: of all requests served. By levels, of some functions
	// or all, Response is nil, and Service what is expected. Nil in [Run] for single functions.
	Response *hist.Histogram `json:"-"`
	Service  *hist.Histogram `json:"-"`
	// Latency is Response with what requests take beside the instance, where a
	// record tells that, else nil. Only [Events] and the sum of [Shared] have it.
	Latency *hist.Histogram `json:"-"`
	// Timeline is the load over time, in even steps; nil by [Run] for many functions.
	Timeline []Step `json:"timeline,omitempty"`

	startingSeconds, waitedSeconds, delaySeconds float64 // sums that means are made of
	outOfRange                                   uint64
}

// Step is what happened from At on, until the next step.
type Step struct {
	At        time.Duration `json:"at_ns"`
	Length    time.Duration `json:"length_ns"`
	Requests  uint64        `json:"requests"`
	Cold      uint64        `json:"cold"`
	Throttled uint64        `json:"throttled"`
	Instances float64       `json:"instances"` // mean
	Busy      float64       `json:"busy"`      // mean
}

// Warning is a doubt about a result.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
	// Functions is how many have a warning of this code, where Text is about the
	// first of several; 0: one.
	Functions int `json:"functions,omitempty"`
}

// Codes of warnings.
const (
	ShortWarmup    = "short-warmup"    // the warm-up is shorter than three keep-alives
	NoRequests     = "no-requests"     // none came after the warm-up
	ShortBatches   = "short-batches"   // batches are shorter than keep-alives, so the standard error is too small
	Unserved       = "unserved"        // requests for which nothing could start an instance
	WasInterrupted = "interrupted"     // the context ended it
	LowRate        = "low-rate"        // the level engine left the function to the event engine
	LongService    = "long-service"    // the level engine left the function to the event engine: services or starts are too long for it
	NotByLevels    = "not-by-levels"   // the level engine was asked for and cannot do this
	OutOfRange     = "out-of-range"    // durations longer than a histogram takes
	ClosedForm     = "levels-estimate" // what the level engine cannot tell
)

func warn(code, format string, args ...any) *Warning {
	return &Warning{Code: code, Text: fmt.Sprintf(format, args...)}
}

// result is what the engine has counted.
func (e *engine) result() *Result {
	t := &e.totals
	r := &Result{
		Name: e.load.Name, Engine: EngineEvents, Functions: 1, Interrupted: e.interrupted,
		Requests: uint64(e.came - e.before), WarmupRequests: uint64(e.before),
		Warmup: e.warm.Seconds(), Span: (e.ended - e.warm).Seconds(),
		Served: t.served + e.direct.N(),
		Cold:   t.cold, Queued: t.queued, Resumed: t.resumed, Ahead: t.ahead,
		Throttled: t.throttled, Unserved: t.unserved, Pings: t.pings, PingsCold: t.pingsCold, Started: t.started,
		InstancesPeak:   e.peak,
		InstanceSeconds: e.instances.area / 1e9, BusySeconds: e.busy.area / 1e9,
		startingSeconds: e.starting.area / 1e9, waitedSeconds: t.waited / 1e9, delaySeconds: t.starting / 1e9,
		ServiceMean: e.mean(), outOfRange: e.direct.OutOfRange() + e.response.OutOfRange(), Timeline: e.timeline.steps(),
	}
	r.Usage = t.usage
	r.Usage.Requests, r.Usage.Throttled, r.Usage.Cold, r.Usage.Restored = r.Requests+r.Pings, r.Throttled, r.Cold, r.Resumed
	megabytes := int64(e.options.Memory >> 20)
	r.Usage.MemoryTime = megabytes * t.usage.Billed.Milliseconds()
	if len(e.options.Policy.Provisioned) > 0 {
		r.Usage.Provisioned = t.ahead
		r.Usage.MemoryTimeProvisioned = megabytes * t.aheadBilled.Milliseconds()
	}
	r.derive()
	e.doubts(r)
	return r
}

// derive makes shares and means of sums.
func (r *Result) derive() {
	r.PCold = over(float64(r.Cold), float64(r.Served))
	r.InstancesMean = over(r.InstanceSeconds, r.Span)
	r.BusyMean = over(r.BusySeconds, r.Span)
	r.StartingMean = over(r.startingSeconds, r.Span)
	r.IdleShare = max(0, over(r.InstanceSeconds-r.BusySeconds-r.startingSeconds, r.InstanceSeconds))
	r.WaitMean = over(r.waitedSeconds, float64(r.Served))
	r.StartMean = over(r.delaySeconds, float64(r.Started))
}

// over is a quotient, 0 where there is nothing to divide by.
func over(sum, n float64) float64 {
	if n == 0 {
		return 0
	}
	return sum / n
}

// doubts adds the standard error, if there is one, and what is to be doubted.
func (e *engine) doubts(r *Result) {
	r.Warnings = []Warning{}
	add := func(w *Warning) {
		if w != nil {
			r.Warnings = append(r.Warnings, *w)
		}
	}
	if e.interrupted {
		add(warn(WasInterrupted, "interrupted after %d requests: figures are of these", e.came))
	}
	add(e.doubt)
	if r.Requests == 0 {
		add(warn(NoRequests, "no request came after the warm-up of %s", units.FormatDuration(e.warm)))
	}
	if n := r.outOfRange; n > 0 {
		add(warn(OutOfRange, "%d response times are longer than %s and in no quantile or mean", n, units.FormatDuration(hist.Highest)))
	}
	if r.Unserved > 0 {
		add(warn(Unserved, "%d requests waited for ever: nothing could start an instance for them", r.Unserved))
	}
	se, length, ok := e.timeline.coldError()
	if !ok {
		return
	}
	r.PColdStderr = &se
	if life := e.options.longestLife(); life > 0 && length < 3*min(life, never/3) {
		add(warn(ShortBatches, "the standard error is from batches of %s, shorter than three keep-alives: it may be too small", units.FormatDuration(length)))
	}
}
