package text

import (
	"fmt"
	"io"
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

// Simulation writes what a simulated traffic meets: the answer in a sentence,
// the figures, the functions with most requests (top of them), and the doubts.
func Simulation(w io.Writer, o Options, s *study.Simulation, top int) error {
	return onPage(w, o, func(p *page) {
		p.line(p.paint(bold, clean(s.Traffic.Name)+" simulated"))
		if !s.Complete {
			p.line(p.paint(red, "INCOMPLETE"))
		}
		p.wrap(answer(s), "")
		p.line("")
		p.figures(&s.Result)
		if b := s.Bill; b != nil && b.Why == "" {
			p.wrap(b.Total.String()+" on "+b.Option, fmt.Sprintf("%-14s", "a month"))
		}
		p.functions(s, top)
		p.prediction(s)
		var notes []string
		for _, warning := range s.Warnings {
			if warning.Functions > 1 {
				warning.Text += fmt.Sprintf(" (as in %s)", units.FormatNoun(warning.Functions, "function"))
			}
			notes = append(notes, warning.Text)
		}
		p.notes(slices.Concat(notes, billNotes(s.Bill), s.Notes))
	})
}

// answer is the cold starts in a sentence.
func answer(s *study.Simulation) string {
	of := units.FormatNoun(s.Requests, "request")
	if s.Functions != 1 {
		of += " of " + units.FormatNoun(s.Functions, "function")
	}
	sentence := fmt.Sprintf("%s of %s are cold: %s%s.", units.FormatCount(s.Cold), of, shareOf(s.PCold), margin(s))
	took := fmt.Sprintf(" Simulated by %s in %s", s.Engine, units.FormatDuration(wall(s.Wall)))
	if s.Engine == sim.EngineEvents { // the others do not look at requests
		took += fmt.Sprintf(", %s requests a second", units.FormatCount(uint64(s.Rate)))
	}
	return sentence + took + "."
}

func wall(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// margin is how far off the share of cold starts may be.
func margin(s *study.Simulation) string {
	switch {
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

// figures are a result's, a line each; those of which there are none are left out.
func (p *page) figures(r *sim.Result) {
	var names, values []string
	add := func(name, format string, args ...any) {
		names, values = append(names, name), append(values, fmt.Sprintf(format, args...))
	}
	requests := units.FormatCount(r.Requests)
	if r.Warmup > 0 {
		requests += fmt.Sprintf(", and %s in the warm-up of %s, which is left out", units.FormatCount(r.WarmupRequests), units.FormatDuration(wall(r.Warmup)))
	}
	add("requests", "%s", requests)
	add("instances", "mean %s, peak %s, idle %s of the time", number(r.InstancesMean), units.FormatCount(r.InstancesPeak), shareOf(r.IdleShare))
	add("busy", "mean %s", number(r.BusyMean))
	if h := r.Response; h != nil && h.N() > 0 {
		add("response time", "%smost %s", quantiles(h), units.FormatDuration(h.Max()))
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
	for i, name := range names {
		p.wrap(values[i], fmt.Sprintf("%-14s", name))
	}
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

// functions is a row for each of the first functions.
func (p *page) functions(s *study.Simulation, top int) {
	rows := s.ByFunction[:min(top, len(s.ByFunction))]
	if len(rows) < 1 || len(s.ByFunction) < 2 {
		return
	}
	p.line("")
	if len(rows) < len(s.ByFunction) {
		p.line(fmt.Sprintf("The %d of %s with most requests", len(rows), units.FormatNoun(len(s.ByFunction), "function")))
	}
	cells := func(of func(*sim.Result) string) []string { return cellsOf(rows, of) }
	dropped := p.table([]column{
		{head: "function", left: true, cells: cells(func(r *sim.Result) string { return clean(r.Name) })},
		{head: "requests", keep: 9, cells: cells(func(r *sim.Result) string { return units.FormatCount(r.Requests) })},
		{head: "cold", keep: 8, cells: cells(func(r *sim.Result) string { return units.FormatCount(r.Cold) })},
		{head: "cold share", keep: 7, cells: cells(func(r *sim.Result) string { return shareOf(r.PCold) })},
		{head: "instances", keep: 6, cells: cells(func(r *sim.Result) string { return number(r.InstancesMean) })},
		{head: "peak", keep: 4, cells: cells(func(r *sim.Result) string { return units.FormatCount(r.InstancesPeak) })},
		{head: "idle", keep: 5, cells: cells(func(r *sim.Result) string { return shareOf(r.IdleShare) })},
		{head: "throttled", keep: 3, cells: cells(func(r *sim.Result) string { return units.FormatCount(r.Throttled) })},
	})
	if len(dropped) > 0 {
		p.line("(not shown for want of width: " + strings.Join(dropped, ", ") + ")")
	}
}

// notes are numbered sentences below the tables.
func (p *page) notes(notes []string) {
	for i, n := range notes {
		if i == 0 {
			p.line("")
		}
		p.wrap(clean(n), fmt.Sprintf("[%d] ", i+1))
	}
}
