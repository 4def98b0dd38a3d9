// Package ci writes a gate's findings in the forms that continuous integration
// reads: JUnit XML, Markdown for comments and step summaries, GitHub's
// annotations, a badge, and Go's benchmark format.
//
// In: a [gate.Document]. Out: text; no name or reason from outside leaves the
// place that it is written to. It judges nothing, speaks to no server and reads
// no environment.
//
//	junit.go      JUnit: a test case a rule, with its statistics as properties
//	markdown.go   Markdown: the answer, a table, what so many runs can tell
//	github.go     Annotations: ::error and ::warning
//	badge.go      Badge: a shields.io endpoint
//	benchfmt.go   Benchmarks: each run's figures, for benchstat
package ci

import (
	"github.com/coldcurve/coldcurve/analysis/gate"
)

// effect is what a verdict does to a build.
type effect uint8

const (
	passes effect = iota
	warns         // it is said, and the build goes on
	fails         // something got worse
	stops         // it cannot be told
)

func effectOf(d *gate.Document, f *gate.Record) effect {
	switch {
	case f.Holds():
		return passes
	case f.Severity == gate.Warn.String():
		return warns
	case f.Verdict == gate.Regressed:
		return fails
	case d.UndecidedWarns:
		return warns
	}
	return stops
}
