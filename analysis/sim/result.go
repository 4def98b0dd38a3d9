package sim

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// Schema is the version of a result's JSON form.
const Schema = "coldcurve.simulation/v1"

// Engine is how a result was come by.
type Engine string

const (
	EngineEvents Engine = "events" // each request followed
	EngineLevels Engine = "levels" // from the counts of each minute, by the law of level crossings
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
	Pings     uint64 `json:"pings"`   // invocations to keep instances warm, in no other count but Usage's
	Started   uint64 `json:"started"` // instances

	PCold       float64  `json:"p_cold"`        // Cold / Served; 0 where nothing was served
	PColdStderr *float64 `json:"p_cold_stderr"` // by batch means; null where there are too few batches
	// ColdError bounds what the model, not chance, may have Cold off by, as a share
	// of it: 0.1 is 10%. 0 for the event engine, which has no model.
	ColdError float64 `json:"cold_model_error"`

	InstancesMean float64 `json:"instances_mean"` // starting, idle, paused or busy, over time
	InstancesPeak int     `json:"instances_peak"` // functions' peaks, summed
	BusyMean      float64 `json:"busy_mean"`      // of them: serving
	StartingMean  float64 `json:"starting_mean"`  // of them: not ready yet
	IdleShare     float64 `json:"idle_share"`     // of instance time: ready and serving nobody; 0 where there was none
	// InstanceSeconds, and of those the ones that serve: what instance-based billing counts.
	InstanceSeconds float64 `json:"instance_s"`
	BusySeconds     float64 `json:"busy_s"`

	ServiceMean float64 `json:"service_mean_s"` // of requests served
	WaitMean    float64 `json:"wait_mean_s"`    // from arrival to the begin of service, of all requests served
	StartMean   float64 `json:"start_mean_s"`   // start delay of cold requests

	Usage    usage.Usage `json:"usage"` // billed by whole milliseconds, pings included
	Warnings []Warning   `json:"warnings"`

	// Response is from arrival to answer, Service is the part of it that the
	// instance works: of all requests served. Nil by levels and, in [Run], for
	// single functions.
	Response *hist.Histogram `json:"-"`
	Service  *hist.Histogram `json:"-"`
	// Timeline is the load over time, in even steps; nil by [Run] for many functions.
	Timeline []Step `json:"timeline,omitempty"`
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
}

// Codes of warnings.
const (
	ShortWarmup    = "short-warmup"    // the warm-up is shorter than three keep-alives
	NoRequests     = "no-requests"     // none came after the warm-up
	ShortBatches   = "short-batches"   // batches are shorter than keep-alives, so the standard error is too small
	WasInterrupted = "interrupted"     // the context ended it
	LowRate        = "low-rate"        // the level engine left the function to the event engine
	OutOfRange     = "out-of-range"    // durations longer than a histogram takes
	ClosedForm     = "levels-estimate" // what the level engine cannot tell
)
