// Package rundir owns the run directory, the only thing that commands hand to
// each other.
//
// In: a [Manifest] and samples, as they come. Out: a directory that can be
// read at any instant of its making, however that ended: manifest.json,
// scenario.yaml, samples.jsonl.zst, latency.hlog, *.hgrm, instances.jsonl, logs/,
// summary.json, charts/, report.html. It computes no figure and draws nothing.
//
// A [Writer] makes the directory while the run goes on, a [Dir] reads it. What
// a Flush has returned from is there for a reader even if the process is
// killed at the next instruction: samples.jsonl.zst is a sequence of whole
// zstd frames of whole lines (package sample says what a line is), so at most
// its last frame can be torn. The histograms, latency.hlog second by second and
// latency.hgrm over all, hold the latency of successes outside warm-up phases,
// tagged with the start kind that the evidence supports.
package rundir

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
)

// Schema names manifest.json.
const Schema = "coldcurve.run/v1"

// Manifest says what a run was and where it was made.
type Manifest struct {
	Schema      string  `json:"schema"`
	Version     string  `json:"coldcurve"` // coldcurve's version
	Scenario    string  `json:"scenario"`
	Source      string  `json:"source"` // scenario file
	Description string  `json:"description,omitempty"`
	Seed        uint64  `json:"seed"`
	Scale       float64 `json:"scale"`
	TimeScale   float64 `json:"time_scale"`
	// Flags are those of the command line that changed the scenario, by name
	// and without secrets: scenario.yaml is the file as it was before.
	Flags map[string]string `json:"flags,omitempty"`

	Platform  platform.Description `json:"platform"`
	Phases    []Phase              `json:"phases"`
	Functions []string             `json:"functions"`
	Tiers     map[string]string    `json:"tiers,omitempty"` // by function: how its instances are isolated and started, where that is not the same for all
	Offered   uint64               `json:"offered"`         // arrivals in the whole schedule
	InFlight  InFlight             `json:"in_flight"`
	Expect    []budget.Budget      `json:"expect,omitempty"`
	Capacity  *Capacity            `json:"capacity,omitempty"` // of servers; nil on other platforms

	Started         time.Time `json:"started"`
	MonotonicOrigin int64     `json:"monotonic_origin_ns"` // CLOCK_MONOTONIC at offset 0
	Ended           time.Time `json:"ended,omitzero"`
	// Complete is false until the last sample is on disk: a directory whose
	// making was killed stays incomplete. Interrupted says that it was ended
	// on request.
	Complete    bool `json:"complete"`
	Interrupted bool `json:"interrupted"`
	// Failure is what became of the platform where it did not end as it was
	// told to: the samples are all there, and not to be trusted.
	Failure string `json:"failure,omitempty"`

	Host      Host      `json:"host"`
	Generator Generator `json:"generator"`
	Warnings  []string  `json:"warnings"`
	// SoFar is what the platform said after the run of all that it had done since
	// it was set up, runs before this one included.
	SoFar []string `json:"platform_so_far,omitempty"`
	// EmulatedStarts is whether starts took as long as a published distribution
	// has it, and not this machine.
	EmulatedStarts bool `json:"emulated_starts,omitempty"`
	// Causes say why requests failed, one a function and kind of failure.
	Causes []Cause `json:"causes,omitempty"`
}

// Cause is the first failure of a function and kind, in the platform's words.
type Cause struct {
	Function string           `json:"function"`
	Kind     sample.ErrorKind `json:"kind"`
	N        uint64           `json:"n"`              // failures of that function and kind
	Message  string           `json:"message"`        // one line
	Hint     string           `json:"hint,omitempty"` // what the reader can do about it
}

// InFlight is the cap on requests under way and what happens to an arrival at it.
type InFlight struct {
	Max  int    `json:"max"`
	When string `json:"when"` // "drop" or "wait"
}

// Capacity is what a run's servers had, and what they were to hold.
type Capacity struct {
	VCPUs  int           `json:"vcpus"`               // of each server
	Target time.Duration `json:"target_ns,omitempty"` // p99 latency; 0 is none
}

// Phase is a phase's place in the schedule.
type Phase struct {
	Name    string        `json:"name"`
	Start   time.Duration `json:"start_ns"`
	End     time.Duration `json:"end_ns"`
	Warmup  bool          `json:"warmup,omitempty"`
	Offered uint64        `json:"offered"`
	Gap     time.Duration `json:"gap_ns,omitempty"` // of its idle probe; 0 where it has none
}

// Host is the machine, as far as it bears on the figures. What cannot be told
// is 0 or "".
type Host struct {
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	Kernel      string `json:"kernel"`
	CPU         string `json:"cpu"`          // model name
	Cores       int    `json:"cores"`        // that this process may use
	MemoryBytes int64  `json:"memory_bytes"` // of the machine
	Governor    string `json:"governor"`     // CPU frequency governor; "" where there is none
	Go          string `json:"go"`
	GOMAXPROCS  int    `json:"gomaxprocs"`
	Container   string `json:"container"` // limits of the cgroup that the harness itself runs in; "" for none
	Virtual     string `json:"virtual"`   // hypervisor, where the CPU flags tell; "" for none
}

// Generator is the load generator's own health over the run. Nothing here is
// subtracted from a figure.
type Generator struct {
	Backlog int `json:"peak_in_flight"`
	// PeakBacklog is the most arrivals that were due and not yet sent when a
	// request went out more than 1 ms late; 0 where none did.
	PeakBacklog uint64 `json:"peak_backlog"`
	// Held counts arrivals sent late because they waited at the in-flight cap,
	// as the scenario asked for.
	Held     uint64 `json:"held"`
	Realtime bool   `json:"realtime"` // it ran at real-time priority, because it was allowed to

	Span       time.Duration `json:"span_ns"` // over which the following was measured
	GCPauses   uint64        `json:"gc_pauses"`
	GCPauseMax time.Duration `json:"gc_pause_max_ns"` // the top of the runtime's bucket, up to a quarter above the longest pause
	CPU        time.Duration `json:"cpu_ns"`          // user and system time of the harness
	Steal      time.Duration `json:"steal_ns"`        // taken by the hypervisor from all cores
	Throttled  time.Duration `json:"throttled_ns"`    // the harness's own cgroup was held back
	ThrottledN uint64        `json:"throttled_periods"`
}
