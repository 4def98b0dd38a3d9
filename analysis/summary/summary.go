// Package summary owns the figures of a run.
//
// In: samples, and what the run was meant to do. Out: a [Run], the element of
// the coldcurve.summary/v1 document, whose quantiles carry their intervals and
// whose doubts are warnings. It keeps no figure that the sample cannot
// support, mixes no inferred evidence into any, and passes no judgement
// against a budget (that is gate's).
package summary

import (
	"cmp"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// Schema names the document that `coldcurve run --json` prints.
const Schema = "coldcurve.summary/v1"

// Document is what `coldcurve run --json` prints and summary.json holds.
type Document struct {
	Schema string `json:"schema"`
	Runs   []Run  `json:"runs"`
}

// Run is one scenario on one platform. Durations are integer nanoseconds,
// counts integers. No figure and no count includes warm-up phases, except in
// Phases, where they are marked. Offered = Sent + Dropped in a valid run or one
// that is invalid only for its drops; Sent is the sum of the groups' N.
type Run struct {
	Scenario string `json:"scenario"`
	Platform string `json:"platform"`
	Dir      string `json:"dir"`
	Seed     uint64 `json:"seed"`
	// Valid is false when figures must not be used, and Invalid says why, in
	// words. All of them where the run is Condemned: arrivals were dropped, it
	// was interrupted or is incomplete, or its platform failed. Else only those
	// that the load generator limits, which are in the groups' Limited. Drops in
	// a warm-up phase, a run without a success and a phase in which arrivals
	// waited at the in-flight cap, so that its lag could not be checked, leave it
	// true and are warnings: dropped_in_warmup, no_success, held_back.
	Valid     bool     `json:"valid"`
	Condemned bool     `json:"condemned"`
	Invalid   []string `json:"invalid"`
	Complete  bool     `json:"complete"`
	// Failure is what became of the platform in full, where Invalid has it cut short.
	Failure string `json:"failure,omitempty"`
	// EmulatedStarts is whether starts took as long as a published distribution
	// has it: then no figure of what waited for one is this machine's.
	EmulatedStarts bool `json:"emulated_starts,omitempty"`

	Offered  uint64 `json:"offered"`     // arrivals in the schedule (reached by the run's end)
	Sent     uint64 `json:"sent"`        // handed to the platform
	Dropped  uint64 `json:"dropped"`     // not sent: the in-flight cap was reached
	Errors   uint64 `json:"errors"`      // sent, and not answered with success
	Duration int64  `json:"duration_ns"` // from the run's origin to its last answer, at least the whole schedule if complete

	Phases []Phase `json:"phases"`
	Groups []Group `json:"groups"` // one a phase, function and start kind that occurred; no totals, no warm-up

	Lag         Lag            `json:"lag_ns"`         // Sent - Intended over all that was sent
	Backlog     int            `json:"peak_in_flight"` // this and the next two with warm-up
	PeakBacklog uint64         `json:"peak_backlog"`   // most arrivals that were due and not yet sent, as sends more than 1 ms late found it
	Held        uint64         `json:"held"`           // sent late because they waited at the in-flight cap, as the scenario asked for
	Cold        uint64         `json:"cold"`           // samples with start kind cold, warm-up left out
	Known       uint64         `json:"known"`          // samples with evidence
	Unknown     uint64         `json:"unknown"`        // samples without, or with no more than an inference
	ColdShare   *float64       `json:"cold_share"`
	OutOfRange  uint64         `json:"out_of_range"` // latencies beyond the histogram, counted apart
	Expect      []Check        `json:"expect,omitempty"`
	Warnings    []Warning      `json:"warnings"`
	Usage       *usage.Account `json:"usage,omitempty"`  // the platform's own account, warm-up included
	Causes      []Cause        `json:"causes,omitempty"` // why requests failed, one a function and kind
	// Capacity is how many requests one vCPU carries, one a function; of platform server only.
	Capacity []capacity.Capacity `json:"capacity,omitempty"`
	Cost     *Cost               `json:"cost,omitempty"` // a month of such traffic; left out where nothing was billed or sized
}

// NoSuccess says that requests were sent and none was answered with success.
func (r *Run) NoSuccess() bool { return r.Sent > 0 && r.Errors == r.Sent }

// Silence says that none of so many requests was answered with success, with the
// first cause that there is, and what can be done.
func Silence(sent uint64, causes []Cause) (words, hint string) {
	words, hint = "none of "+units.FormatNoun(sent, "request")+" was answered with success", "see that it answers, or leave it out"
	if len(causes) == 0 {
		return words, hint
	}
	return words + ": " + causes[0].Message, cmp.Or(causes[0].Hint, hint)
}

// Phase is what one phase offered and achieved, warm-up phases included.
type Phase struct {
	Name         string   `json:"phase"`
	Start        int64    `json:"start_ns"`
	Duration     int64    `json:"duration_ns"`
	Warmup       bool     `json:"warmup,omitempty"`
	Gap          int64    `json:"gap_ns,omitempty"` // between the probes of an idle probe; left out for any other traffic
	Offered      uint64   `json:"offered"`
	Sent         uint64   `json:"sent"`
	Dropped      uint64   `json:"dropped"`
	Errors       uint64   `json:"errors"`
	OfferedRate  float64  `json:"offered_per_s"`
	AchievedRate float64  `json:"achieved_per_s"` // sent, over the time it took to send them
	Cold         uint64   `json:"cold"`
	Known        uint64   `json:"known"`
	ColdShare    *float64 `json:"cold_share"` // cold / known; null when nothing is known
}

// Group is the samples of one phase, function and start kind. N counts them
// all, Errors those that failed; every latency figure is of successes only.
type Group struct {
	Phase    string `json:"phase"`
	Function string `json:"function"`
	Tier     string `json:"tier,omitempty"` // how the function's instances are isolated and started, where there is a choice
	Start    string `json:"start"`
	Grade    string `json:"grade"` // the weakest evidence grade in the group
	N        uint64 `json:"n"`
	Errors   uint64 `json:"errors"`

	ErrorKinds map[string]uint64 `json:"errors_by_kind,omitempty"`

	Latency   Figures   `json:"latency_ns"`  // Done - Intended: what callers waited
	Interval  Intervals `json:"interval_ns"` // of the latency quantiles, two-sided 95%, distribution-free
	Service   Figures   `json:"service_ns"`  // Done - Sent: what the platform took
	Lag       Lag       `json:"lag_ns"`
	Breakdown Breakdown `json:"breakdown_ns"` // means over successes with a breakdown, so that parts add up
	Billed    *int64    `json:"billed_ns"`    // sum of billed durations, errors included; null where the platform does not say
	BilledN   uint64    `json:"billed_n"`     // requests that were billed
	// Limited names the latency quantiles that the load generator's own lag
	// moved by more than 5%: "p99", ...
	Limited []string `json:"generator_limited,omitempty"`
}

// Figures are quantiles, nil where the sample cannot support them; Max and
// Mean are nil only when there was no success.
type Figures struct {
	P50  *int64 `json:"p50"`
	P90  *int64 `json:"p90"`
	P95  *int64 `json:"p95"`
	P99  *int64 `json:"p99"`
	P999 *int64 `json:"p999"`
	Max  *int64 `json:"max"`
	Mean *int64 `json:"mean"`
}

// Intervals are the ends of each quantile's interval, nil with the quantile.
type Intervals struct {
	P50  *[2]int64 `json:"p50"`
	P90  *[2]int64 `json:"p90"`
	P95  *[2]int64 `json:"p95"`
	P99  *[2]int64 `json:"p99"`
	P999 *[2]int64 `json:"p999"`
}

// Lag is from the intended time to the send: the load generator's own delay,
// and what arrivals waited at the in-flight cap where the scenario asks for
// that. Its quantiles are nil where the sample cannot support them; Max is 0
// where nothing was sent.
type Lag struct {
	P50  *int64 `json:"p50"`
	P99  *int64 `json:"p99"`
	P999 *int64 `json:"p999"`
	Max  int64  `json:"max"`
}

// TakenApart says whether the group is worth showing part by part: it waited for
// a start, or for its trigger.
func (g *Group) TakenApart() bool {
	b := &g.Breakdown
	return b.N > 0 && (g.Start != sample.Warm.String() || b.Trigger != nil || b.Provision != nil || b.Init != nil)
}

// Breakdown is a start taken apart; a part that the platform does not tell is nil.
type Breakdown struct {
	N         uint64 `json:"n"` // samples that carry a breakdown
	Trigger   *int64 `json:"trigger"`
	Queue     *int64 `json:"queue"`
	Provision *int64 `json:"provision"`
	Boot      *int64 `json:"boot"`
	Init      *int64 `json:"init"`
	Handler   *int64 `json:"handler"`
	Rest      *int64 `json:"rest"` // mean service less the parts: network and front end; below 0 only with a warning
}

// Warning is a doubt that travels with the result.
type Warning struct {
	Code    string `json:"code"` // stable: quantile_unsupported, cold_faster_than_warm, unknown_share, ...
	Phase   string `json:"phase,omitempty"`
	Group   string `json:"group,omitempty"` // "function/start"
	Message string `json:"message"`
}

// Check is the outcome of one budget of the scenario.
type Check struct {
	Metric   string   `json:"metric"`
	Start    string   `json:"start,omitempty"`
	Phase    string   `json:"phase,omitempty"`
	Function string   `json:"function,omitempty"`
	Max      string   `json:"max,omitempty"`
	Min      string   `json:"min,omitempty"`
	Value    *float64 `json:"value"` // in the metric's own unit; null when it has no value
	Held     bool     `json:"held"`
	Message  string   `json:"message"`
}
