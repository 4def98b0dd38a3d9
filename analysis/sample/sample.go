// Package sample owns the record of one invocation as the harness saw it.
//
// In: what the driver stamped and what the platform told. Out: a [Sample], and
// its line in samples.jsonl. It does not judge (that is summary's work), it
// does not know platforms, and it never guesses a start kind from a latency.
//
// A line is one JSON object. Durations and offsets are integer nanoseconds;
// what is 0, empty, unknown or none is left out. Its keys:
//
//	seq      position in the schedule
//	phase    scenario phase
//	fn       function
//	for      consumer
//	stage    the consumer's stage
//	via      trigger: url, async, schedule, folder; none for a direct invocation
//	at       intended time, offset from the run's origin
//	sent     handed to the platform adapter, offset
//	first    first byte of the response, offset
//	done     whole response, or the error, offset
//	start    start kind: warm, cold, queued, prewarmed, provisioned, restored
//	grade    evidence: inferred, beacon, observed, attested
//	inst     instance
//	trig queue prov boot init handler    the parts of the breakdown
//	billed   billed duration
//	err      error kind: dropped, throttled, timeout, handler, init, crash, oom,
//	         payload, refused, platform, network, cancelled
package sample

import "time"

// Start says how the instance that served a request came to be. Only evidence
// sets it; without evidence it stays Unknown.
type Start uint8

const (
	// Unknown: nothing that can be believed says how the request was served.
	Unknown Start = iota
	// Warm: an instance that had served or stood idle before took the request at once.
	Warm
	// Cold: the request had an instance started for it and waited for that start.
	Cold
	// Queued: the request started nothing and waited for an instance, be it for
	// somebody else's start or for a busy instance to come free.
	Queued
	// Prewarmed: an instance of a generic pool was specialised for the request.
	Prewarmed
	// Provisioned: provisioned concurrency or a minimum instance, booted ahead of demand.
	Provisioned
	// Restored: the instance came from a snapshot, a fork of a zygote or an unpause.
	Restored
	numStarts
)

// Grade says who vouches for the start kind, from nobody to the platform itself.
type Grade uint8

const (
	// NoGrade goes with Unknown: there is no evidence.
	NoGrade Grade = iota
	// Inferred evidence is a conclusion, not a statement; it never enters a figure.
	Inferred
	// Beacon evidence comes from inside the function (process nonce and ordinal).
	Beacon
	// Observed evidence comes from whoever started the instance.
	Observed
	// Attested evidence is the platform's own statement.
	Attested
	numGrades
)

// Occasion says what made a cold start necessary. Only what the platform tells
// of its instances' lives sets it; without that it stays [UnknownOccasion].
type Occasion uint8

const (
	// UnknownOccasion: nobody says, or the request was not cold.
	UnknownOccasion Occasion = iota
	// Forced: the version had never had an instance, or had them evicted.
	Forced
	// Idle: those that there had been were put away for being idle.
	Idle
	// Scaled: those that there were had other requests to serve.
	Scaled
	// Replaced: the one before crashed, ran out of memory or time, or failed to start.
	Replaced
	numOccasions
)

// ErrorKind is what went wrong with one request, as its caller could see it.
type ErrorKind uint8

const (
	// NoError: the function answered and did not report an error.
	NoError ErrorKind = iota
	// Dropped: never sent, because the in-flight cap was reached.
	Dropped
	// Throttled: refused by the platform for want of concurrency (429).
	Throttled
	// Timeout: the function's time limit, or the caller's, ran out.
	Timeout
	// Handler: the function ran and reported an error.
	Handler
	// Init: the instance could not be made ready (its init failed or took too long).
	Init
	// Crash: the instance died while it held the request.
	Crash
	// OutOfMemory: the instance was killed for exceeding its memory.
	OutOfMemory
	// Payload: the request or the response exceeds the platform's size limit.
	Payload
	// Refused: the platform rejected the request (another 4xx), or sent whoever
	// asked elsewhere (3xx).
	Refused
	// Platform: the platform itself failed (5xx, a sandbox that did not start).
	Platform
	// Network: no answer could be had (connection refused, reset, malformed reply).
	Network
	// Cancelled: the run ended before the answer came.
	Cancelled
	numErrorKinds
)

// Breakdown takes a request's wait apart. Every part is a duration of at least
// 0; 0 means that the phase did not happen or that the platform does not tell
// it apart. The parts do not overlap; what the network and the front end cost
// is the rest up to Service.
type Breakdown struct {
	Trigger   time.Duration `json:"trigger,omitempty"`   // from the trigger's firing (the file is there, the event is accepted, the schedule is due) to the request's arrival at the platform
	Queue     time.Duration `json:"queue,omitempty"`     // from the request's arrival at the platform to an instance (or the start of one) being assigned
	Provision time.Duration `json:"provision,omitempty"` // from the decision to start to a running sandbox (process forked and executed, container created)
	Boot      time.Duration `json:"boot,omitempty"`      // from there to the language runtime's first own instruction
	Init      time.Duration `json:"init,omitempty"`      // from there to readiness: imports, handler loading, the function's own init
	Handler   time.Duration `json:"handler,omitempty"`   // the function's handler, from hand-over to its reply
}

// Sample is one intended arrival and what became of it. Intended, Sent,
// FirstByte and Done are offsets from the run's monotonic origin; those that
// did not happen (a drop has only Intended) are 0.
type Sample struct {
	Seq      uint64 // position in the schedule, from 0; unique in a run
	Phase    string // scenario phase whose schedule holds Intended
	Function string // logical function name
	Consumer string // who the request is accounted to; "" for nobody in particular
	Stage    string // which of the consumer's environments; "" for none in particular
	Trigger  string // by what it reached the function: one of [Triggers]; "" is a direct invocation

	Intended  time.Duration // when the schedule wanted it sent
	Sent      time.Duration // when the driver handed it to the platform adapter
	FirstByte time.Duration // when the response's first byte arrived; 0 where the adapter cannot tell
	Done      time.Duration // when the whole response had arrived, or the error

	Start     Start
	Grade     Grade
	Instance  string // the platform's name for the instance; "" where it gives none
	Breakdown Breakdown
	Billed    time.Duration // billed duration; 0 where the platform does not say
	Err       ErrorKind
}

// Latency is what the caller waited: Done - Intended.
func (s *Sample) Latency() time.Duration { return s.Done - s.Intended }

// Service is what the platform took: Done - Sent.
func (s *Sample) Service() time.Duration { return s.Done - s.Sent }

// Lag is the load generator's own delay: Sent - Intended.
func (s *Sample) Lag() time.Duration { return s.Sent - s.Intended }

// Worked is how long an instance worked for the request, and whether that can be
// told: the handler's time where the platform gives it, else a warm request's
// time at the platform, network included.
func (s *Sample) Worked() (time.Duration, bool) {
	switch {
	case s.Err != NoError:
		return 0, false
	case s.Breakdown.Handler > 0:
		return s.Breakdown.Handler, true
	case s.Believed() == Warm:
		return s.Service(), true
	}
	return 0, false
}

// Believed is the start kind that may enter a figure: Start where somebody
// saw it, Unknown where nobody did or where it is only inferred.
func (s *Sample) Believed() Start {
	if s.Grade <= Inferred {
		return Unknown
	}
	return s.Start
}
