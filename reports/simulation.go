package reports

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Simulated is a simulation or a sweep as every renderer shows it: in words,
// the figures formatted.
type Simulated struct {
	Title    string
	Complete bool
	Answer   string // in a sentence; "" where the table is the answer
	Figures  []Fact
	Tables   []Table
	Notes    []string // what to keep in mind
	Method   []Fact   // how it was simulated
	Files    []File   // of the result directory
}

// Table is columns of equal length below a title.
type Table struct {
	Title   string // "" for none
	Columns []Column
	Foot    string // "" for none
}

// Column is a column of a table.
type Column struct {
	Head  string
	Left  bool // aligned left; numbers stand right
	Keep  int  // columns of the lowest Keep go first where the width is short; 0 never goes
	Cells []string
}

// OfSimulation shows what a simulated traffic meets: the answer in a sentence,
// the figures, the functions with most requests (top of them), and the doubts.
func OfSimulation(s *study.Simulation, top int) *Simulated {
	r := &Simulated{Title: s.Traffic.Name + " simulated", Complete: s.Complete, Answer: answerOf(s), Figures: figuresOf(&s.Result)}
	if b := s.Bill; b != nil && b.Why == "" {
		r.Figures = append(r.Figures, Fact{"a month", b.Total.String() + " on " + b.Option + ", " + b.Region})
	}
	if f, ok := targetOf(s.Target); ok {
		r.Figures = append(r.Figures, f)
	}
	if t, ok := fleetOf(s); ok {
		r.Tables = append(r.Tables, t)
	}
	if t, ok := rowsOf(s, top); ok {
		r.Tables = append(r.Tables, t)
	}
	if t, ok := predictionOf(s); ok {
		r.Tables = append(r.Tables, t)
	}
	var notes []string
	for _, warning := range s.Warnings {
		if warning.Functions > 1 {
			warning.Text += fmt.Sprintf(" (as in %s)", units.FormatNoun(warning.Functions, "function"))
		}
		notes = append(notes, warning.Text)
	}
	r.Notes = slices.Concat(notes, billNotes(s.Bill), fleetNotes(s.Fleet), s.Notes)
	r.Method = append(methodOf(&s.Traffic, s.Seed), Fact{"service", s.Serving})
	for _, key := range slices.Sorted(maps.Keys(s.Policy)) {
		r.Method = append(r.Method, Fact{key, s.Policy[key]})
	}
	r.Method = append(r.Method, fleetMethod(s.Fleet)...)
	return r
}

// methodOf is what was simulated.
func methodOf(t *study.Traffic, seed uint64) []Fact {
	facts := []Fact{
		{"traffic", fmt.Sprintf("%s (%s), %s", t.Name, t.Format, units.FormatNoun(t.Functions, "function"))},
		{"seed", strconv.FormatUint(seed, 10)},
	}
	if t.Span > 0 {
		facts = append(facts, Fact{"traffic lasts", units.FormatDuration(wall(t.Span))})
	}
	return facts
}

// answerOf is the cold starts in a sentence.
func answerOf(s *study.Simulation) string {
	of := units.FormatNoun(s.Requests, "request")
	if s.Functions != 1 {
		of += " of " + units.FormatNoun(s.Functions, "function")
	}
	sentence := fmt.Sprintf("%s of %s are cold: %s%s.", units.FormatCount(s.Cold), of, shareOf(s.PCold), margin(s))
	engine := string(s.Engine)
	if s.Engine == sim.EngineMixed {
		engine = "levels and events"
	}
	took := fmt.Sprintf(" Simulated by %s in %s", engine, units.FormatDuration(wall(s.Wall)))
	if s.Engine == sim.EngineEvents { // the others do not look at requests
		took += fmt.Sprintf(", %s requests a second", units.FormatCount(uint64(s.Rate)))
	}
	return sentence + took + "."
}

func wall(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// margin is how far off the share of cold starts may be; where that is one thing
// for some functions and another for the others, a warning says both.
func margin(s *study.Simulation) string {
	switch {
	case s.Engine == sim.EngineMixed:
	case s.ColdError > 0:
		return fmt.Sprintf(", off by at most %s of that by the model", shareOf(s.ColdError))
	case s.PColdStderr != nil:
		return fmt.Sprintf(", standard error %s", shareOf(*s.PColdStderr))
	}
	return ""
}

// share is a share of 1 with three significant digits, also of rare things.
func shareOf(x float64) string { return strconv.FormatFloat(100*x, 'g', 3, 64) + "%" }

func number(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

// figuresOf are a result's, a line each; those of which there are none are left out.
func figuresOf(r *sim.Result) []Fact {
	var facts []Fact
	add := func(name, format string, args ...any) {
		facts = append(facts, Fact{name, fmt.Sprintf(format, args...)})
	}
	requests := units.FormatCount(r.Requests)
	if r.Warmup > 0 {
		requests += fmt.Sprintf(", and %s in the warm-up of %s, which is left out", units.FormatCount(r.WarmupRequests), units.FormatDuration(wall(r.Warmup)))
	}
	add("requests", "%s", requests)
	mean := number(r.InstancesMean)
	if r.InstancesError > 0 && r.Engine != sim.EngineMixed {
		mean += fmt.Sprintf(" (off by at most %s by the model)", shareOf(r.InstancesError))
	}
	peak := "peak " + units.FormatCount(r.InstancesPeak)
	if r.PeakSummed {
		peak = "peak at most " + units.FormatCount(r.InstancesPeak) + " (functions' peaks, summed)"
	}
	add("instances", "mean %s, %s, idle %s of the time", mean, peak, shareOf(r.IdleShare))
	add("busy", "mean %s", number(r.BusyMean))
	if h := r.Response; h != nil && h.N() > 0 {
		add("response time", "%smost %s", quantiles(h), units.FormatDuration(h.Longest()))
	}
	for _, c := range []struct {
		name string
		n    uint64
		what string
	}{
		{"queued", r.Queued, "waited for an instance that they had not started"},
		{"resumed", r.Resumed, "had their instance thawed"},
		{"ahead", r.Ahead, "met an instance that was started ahead"},
		{"throttled", r.Throttled, "were refused"},
		{"unserved", r.Unserved, "waited for ever"},
		{"pings", r.Pings, "invocations to keep instances warm"},
	} {
		if c.n > 0 {
			add(c.name, "%s %s (%s of requests)", units.FormatCount(c.n), c.what, shareOf(float64(c.n)/math.Max(1, float64(r.Requests))))
		}
	}
	if r.Usage.MemoryTime > 0 {
		add("billed", "%s GB-s", strconv.FormatFloat(r.Usage.GBSeconds(), 'f', 3, 64))
	}
	return facts
}

// quantiles are those that so many requests support.
func quantiles(h *hist.Histogram) string {
	var b strings.Builder
	for _, q := range []float64{.5, .99, .999} {
		if h.N() >= stats.MinSamples(q, .95) {
			fmt.Fprintf(&b, "p%g %s, ", 100*q, units.FormatDuration(h.Quantile(q)))
		}
	}
	return b.String()
}

// rowsOf is a row for each of the first functions.
func rowsOf(s *study.Simulation, top int) (t Table, ok bool) {
	rows := s.ByFunction[:min(top, len(s.ByFunction))]
	if len(rows) < 1 || len(s.ByFunction) < 2 {
		return t, false
	}
	if len(rows) < len(s.ByFunction) {
		t.Title = fmt.Sprintf("The %d of %s with most requests", len(rows), units.FormatNoun(len(s.ByFunction), "function"))
	}
	cells := func(of func(*sim.Result) string) []string { return Cells(rows, of) }
	t.Columns = []Column{
		{Head: "function", Left: true, Cells: cells(func(r *sim.Result) string { return r.Name })},
		{Head: "requests", Keep: 9, Cells: cells(func(r *sim.Result) string { return units.FormatCount(r.Requests) })},
		{Head: "cold", Keep: 8, Cells: cells(func(r *sim.Result) string { return units.FormatCount(r.Cold) })},
		{Head: "cold share", Keep: 7, Cells: cells(func(r *sim.Result) string { return shareOf(r.PCold) })},
		{Head: "instances", Keep: 6, Cells: cells(func(r *sim.Result) string { return number(r.InstancesMean) })},
		{Head: "peak", Keep: 4, Cells: cells(func(r *sim.Result) string { return units.FormatCount(r.InstancesPeak) })},
		{Head: "idle", Keep: 5, Cells: cells(func(r *sim.Result) string { return shareOf(r.IdleShare) })},
		{Head: "throttled", Keep: 3, Cells: cells(func(r *sim.Result) string { return units.FormatCount(r.Throttled) })},
	}
	return t, true
}

// Cells are a column's cells, one for each item.
func Cells[T any](items []T, of func(*T) string) []string {
	cells := make([]string, len(items))
	for i := range items {
		cells[i] = of(&items[i])
	}
	return cells
}
