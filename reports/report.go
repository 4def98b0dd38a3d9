// Package reports owns the report, the one value that text, chart and html render.
//
// In: a run's summary, its samples and instances as they are read, and facts
// about where it was made. Out: a [Report], a pure value of bounded size
// however long the run was, and the answer in sentences. It reads no
// directory, renders nothing and computes no figure of its own: what it prints
// is the summary's, what it draws is counted or thinned, never smoothed.
package reports

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Report is everything that a renderer needs.
type Report struct {
	Document summary.Document
	Runs     []Run // of the same length and order as Document.Runs
}

// Run is what a report shows of a run beside its summary. Every field may be
// empty; what is missing is not shown.
type Run struct {
	Description string // the scenario's own words
	Started     time.Time
	Version     string // of coldcurve

	Environment []Fact // machine, kernel, limits, in the order to be read
	Method      []Fact // platform, pacing, clock, in-flight cap: how it was measured
	Files       []File // of the run directory, by relative path

	Points        []Point        // warm-up included
	Distributions []Distribution // by start kind, warm-up left out, successes only
	InFlight      []Level        // requests under way, warm-up included
	Instances     []Level        // instances alive; empty where the platform does not tell
}

// Fact is a line of a list of facts.
type Fact struct{ Name, Value string }

// File is a file of the run directory and what it holds.
type File struct{ Path, Holds string }

// Point is one dot of the latency chart: the slowest of Count requests that
// came at nearly the same time, took nearly as long, started the same way and
// ended alike.
type Point struct {
	At      time.Duration // intended time, from the run's origin
	Latency time.Duration // 0 or less only by a broken clock
	Start   sample.Start
	Failed  bool
	Count   uint64 // at least 1
}

// Distribution is the latencies of one start kind.
type Distribution struct {
	Start sample.Start
	N     uint64
	// Curve holds order statistics at plotting position rank/(N+1), ascending;
	// at most a few hundred.
	Curve []Quantile
	Bars  []Bar // ascending, without gaps in between only where there were latencies
}

// Quantile is a point of a distribution's curve.
type Quantile struct {
	Share     float64 // in (0, 1)
	Latency   time.Duration
	Supported bool // both ends of its 95% interval exist
}

// Bar counts the latencies in [Low, High).
type Bar struct {
	Low, High time.Duration
	Count     uint64
}

// Level is the height of a step curve from At to the next level's At.
type Level struct {
	At    time.Duration
	Value float64
}
