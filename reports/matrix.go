package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Matrix is a scenario's figures on several platforms as they are shown.
type Matrix struct {
	Title    string
	Document *matrix.Document
	Lines    []MatrixLine // platform by platform, all phases together
	Phases   []MatrixLine // the same by phase; empty where there is one
	Curves   []Bundle     // cold and warm, where they were
}

// MatrixLine is a row of a platform, with what stands beside it.
type MatrixLine struct {
	matrix.Row
	Platform   string
	Kind       string // of start, and that it is emulated where it is
	PerMillion string // of the platform; "-" where it has no price
}

// Bundle is the latencies of one start kind on each platform that has them.
type Bundle struct {
	Start     sample.Start
	Platforms []string
	Latencies []Distribution // as many
}

// MatrixOf is what a matrix has found so far.
func MatrixOf(m *matrix.Matrix) *Matrix {
	d := &m.Document
	var names []string
	for _, p := range d.Platforms {
		names = append(names, p.Name)
	}
	out := &Matrix{Title: d.Scenario + " on " + and(names), Document: d}
	for _, p := range d.Platforms {
		out.Lines = append(out.Lines, matrixLines(&p, p.Rows)...)
		out.Phases = append(out.Phases, matrixLines(&p, p.Phases)...)
	}
	for _, start := range []sample.Start{sample.Cold, sample.Warm} {
		b := Bundle{Start: start}
		for _, name := range names {
			if h := m.Pooled(name).Latency(summary.Selection{Start: start.String()}); h.N() > 0 {
				b.Platforms, b.Latencies = append(b.Platforms, name), append(b.Latencies, DistributionOf(start, h))
			}
		}
		if len(b.Platforms) > 0 {
			out.Curves = append(out.Curves, b)
		}
	}
	return out
}

func matrixLines(p *matrix.Platform, rows []matrix.Row) (lines []MatrixLine) {
	for _, r := range rows {
		kind := StartOf(&summary.Run{EmulatedStarts: p.EmulatedStarts}, &r.Group)
		line := MatrixLine{r, p.Name, kind, "-"}
		if price, ok := perMillion(p.Cost); ok {
			line.PerMillion = price.String()
		}
		lines = append(lines, line)
	}
	return lines
}

// perMillion is what a million such requests cost on AWS Lambda, where the
// platform tells how long they ran.
func perMillion(c *summary.Cost) (price units.USD, ok bool) {
	if c == nil {
		return 0, false
	}
	for _, o := range Priced(c) {
		if o.Option == "aws/lambda" && o.PerMillion != nil {
			return *o.PerMillion, true
		}
	}
	return 0, false
}

// Answer is the matrix in sentences: who failed, then who waits how long for a
// cold and for a warm start on each platform, in the order of the wait.
func (m *Matrix) Answer() []string {
	var out []string
	for _, p := range m.Document.Platforms {
		switch {
		case p.Failure != "":
			out = append(out, MatrixFailure(&p))
		case p.Invalid != nil:
			out = append(out, fmt.Sprintf("The figures of %s cannot be used: %s.", p.Name, strings.Join(p.Invalid, "; ")))
		}
	}
	if m.Document.State != matrix.Complete {
		out = append(out, fmt.Sprintf("It did not come to its end: %d of %d runs were made.", m.runsMade(), len(m.Document.Runs)))
	}
	functions := m.functions()
	for _, f := range functions {
		of := ""
		if len(functions) > 1 {
			of = " of " + f
		}
		for _, start := range []sample.Start{sample.Cold, sample.Warm} {
			if waits := m.waits(f, start); waits != "" {
				out = append(out, fmt.Sprintf("A caller%s who comes %s waits (p50) %s.", of, start, waits))
			}
		}
	}
	for _, p := range m.Document.Platforms {
		if p.Sent > p.Errors && p.Known == 0 {
			out = append(out, fmt.Sprintf("How requests on %s started is unknown: nothing there tells.", p.Name))
		}
	}
	return out
}

// MatrixFailure says why a platform failed, and what to do.
func MatrixFailure(p *matrix.Platform) string {
	words := p.Name + " failed: " + p.Failure
	if p.Hint != "" {
		words += "; " + p.Hint
	}
	return strings.TrimRight(words, ".") + "."
}

func (m *Matrix) runsMade() (n int) {
	for _, r := range m.Document.Runs {
		if r.Made {
			n++
		}
	}
	return n
}

func (m *Matrix) functions() []string {
	var names []string
	for _, l := range m.Lines {
		if !slices.Contains(names, l.Function) {
			names = append(names, l.Function)
		}
	}
	return names
}

// waits are the medians of a function and start kind, the shortest first.
func (m *Matrix) waits(function string, start sample.Start) string {
	var of []*MatrixLine
	for i := range m.Lines {
		if l := &m.Lines[i]; l.Function == function && l.Start == start.String() && l.Latency.P50 != nil {
			of = append(of, l)
		}
	}
	slices.SortStableFunc(of, func(a, b *MatrixLine) int { return int(*a.Latency.P50 - *b.Latency.P50) })
	var parts []string
	for _, l := range of {
		limited := ""
		if l.LimitedAt("p50") {
			limited = ", " + generatorLimited
		}
		parts = append(parts, fmt.Sprintf("%s on %s (%s%s)", nanos(*l.Latency.P50), l.Platform, l.Grade, limited))
	}
	return and(parts)
}

// Order is which platform was measured when, round by round:
// "lambda, reference; reference, lambda".
func (m *Matrix) Order() string {
	var rounds []string
	for round := 1; round <= m.Document.Rounds; round++ {
		var names []string
		for _, r := range m.Document.Runs {
			if r.Round == round {
				names = append(names, r.Platform)
			}
		}
		rounds = append(rounds, strings.Join(names, ", "))
	}
	return strings.Join(rounds, "; ")
}

// Notes are what a reader must know: how the runs were made, what prices are
// of, and the doubts about each platform.
func (m *Matrix) Notes() []string {
	d := m.Document
	back := ""
	if d.Rounds > 1 {
		back = ", each even round in the reverse of the one before"
	}
	notes := []string{fmt.Sprintf("%s of %s each, one after the other in an order of chance (seed %d)%s: %s",
		units.FormatNoun(len(d.Runs), "run"), units.FormatDuration(d.Length), d.Seed, back, m.Order())}
	if slices.ContainsFunc(d.Platforms, func(p matrix.Platform) bool { _, ok := perMillion(p.Cost); return ok }) {
		notes = append(notes, "on Lambda: what AWS Lambda would ask for a million such requests, each billed for as long as the platform says that it ran; coldcurve cost RUN has other products' prices")
	}
	for _, r := range d.Runs {
		if len(r.Invalid) > 0 {
			notes = append(notes, fmt.Sprintf("run %d, on %s, is not used: %s", r.Number, r.Platform, strings.Join(r.Invalid, "; ")))
		}
	}
	for _, p := range d.Platforms {
		for _, c := range Causes(p.Causes, p.Hint) {
			notes = append(notes, p.Name+": "+c)
		}
		for _, w := range p.Doubts {
			if w.Code != summary.QuantileUnsupported {
				notes = append(notes, p.Name+": "+Doubt(w))
			}
		}
	}
	return notes
}

// Checks are the budgets, platform by platform.
func (m *Matrix) Checks() []summary.Check {
	var all []summary.Check
	for _, p := range m.Document.Platforms {
		for _, c := range p.Expect {
			c.Message = p.Name + ": " + c.Message
			all = append(all, c)
		}
	}
	return all
}

// TakenApart are the lines whose starts are told part by part.
func (m *Matrix) TakenApart() []MatrixLine {
	var lines []MatrixLine
	for _, l := range m.Lines {
		if l.Group.TakenApart() {
			lines = append(lines, l)
		}
	}
	return lines
}
