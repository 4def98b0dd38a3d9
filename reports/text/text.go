// Package text writes a report for a terminal or a pipe.
//
// In: a [reports.Report] and what is known of the other end. Out: the answer in
// sentences, tables and footnotes; plain ASCII into a pipe, lines and colour on
// a terminal that has them. No string from outside moves the cursor, colours or
// turns what is written. It asks the environment nothing: that the caller does.
package text

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Options say what is at the other end. The zero value is a pipe.
type Options struct {
	// Width is the terminal's, in columns. The default, 0, is no limit for
	// tables and pipeWidth for sentences.
	Width int
	// Terminal draws box lines and writes µs; else all is ASCII, but for what
	// the scenario itself has named otherwise.
	Terminal bool
	// Color marks start kinds and faults.
	Color bool
}

// pipeWidth is where sentences wrap when the width is not known.
const pipeWidth = 100

// For gives the options of a stream: terminal and its width as the caller has
// found out, and the environment, of which NO_COLOR (any value but "") and
// TERM=dumb take the colour away.
func For(terminal bool, width int, getenv func(string) string) Options {
	if !terminal {
		return Options{}
	}
	return Options{
		Width:    width,
		Terminal: true,
		Color:    getenv("NO_COLOR") == "" && getenv("TERM") != "dumb",
	}
}

// Write writes the report, one run after the other.
func Write(w io.Writer, r *reports.Report, o Options) error {
	b := bufio.NewWriter(w)
	p := page{w: b, o: o}
	for i := range r.Document.Runs {
		if i > 0 {
			p.line("")
		}
		p.run(cleanRun(&r.Document.Runs[i]))
	}
	if p.err != nil {
		return fmt.Errorf("write report: %w", p.err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// page writes and remembers the first failure.
type page struct {
	w   io.Writer
	o   Options
	err error
}

func (p *page) run(r *summary.Run) {
	p.line(p.paint(bold, reports.Title(r)))
	if r.Condemned {
		p.line(p.paint(red, verdict(r)))
	}
	for i, s := range reports.Answer(r) {
		if i == 0 && !r.Valid && !r.Condemned {
			p.wrap(s, p.paint(yellow, "LIMITED: "))
			continue
		}
		p.wrap(s, "")
	}
	if len(r.Groups) > 0 {
		p.line("")
		p.latencies(r)
	}
	p.starts(r)
	if len(r.Phases) > 0 {
		p.line("")
		p.phases(r)
	}
	p.usage(r)
	p.capacity(r)
	p.month(r.Cost)
	p.checks(r.Expect)
	p.footnotes(r)
}

// verdict is the mark of a run whose figures are not to be used.
func verdict(r *summary.Run) string {
	if !r.Complete {
		return "INCOMPLETE"
	}
	return "INVALID"
}

func (p *page) checks(list []summary.Check) {
	if len(list) == 0 {
		return
	}
	p.line("")
	for _, c := range list {
		mark, color := "held:   ", green
		if !c.Held {
			mark, color = "broken: ", red
		}
		p.wrap(c.Message, p.paint(color, mark))
	}
}

// footnotes are what became of the platform, the failures by kind, their causes,
// and the doubts.
func (p *page) footnotes(r *summary.Run) {
	var notes []string
	if r.Failure != "" {
		notes = append(notes, "the platform's failure in full: "+r.Failure)
	}
	for _, g := range r.Groups {
		if g.Errors == 0 {
			continue
		}
		var kinds []string
		for _, k := range slices.Sorted(maps.Keys(g.ErrorKinds)) {
			kinds = append(kinds, units.FormatCount(g.ErrorKinds[k])+" "+k)
		}
		notes = append(notes, fmt.Sprintf("%s/%s in %s: %s of %s failed: %s", g.Function, g.Start, g.Phase,
			units.FormatCount(g.Errors), units.FormatCount(g.N), strings.Join(kinds, ", ")))
	}
	notes = append(notes, reports.Causes(r.Causes)...)
	for _, w := range r.Warnings {
		// The dash in the table has a footnote of its own.
		if w.Code != summary.QuantileUnsupported {
			notes = append(notes, reports.Doubt(w))
		}
	}
	for i, n := range notes {
		if i == 0 {
			p.line("")
		}
		p.wrap(n, fmt.Sprintf("[%d] ", i+1))
	}
}

func (p *page) line(s string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, p.plain(s))
	}
}

// plain keeps what this program writes to ASCII where it must be.
func (p *page) plain(s string) string {
	if p.o.Terminal {
		return s
	}
	return strings.ReplaceAll(s, "µ", "u")
}

// wrap writes a sentence behind lead, broken at spaces, later lines indented to it.
func (p *page) wrap(s, lead string) {
	limit := p.o.Width
	if limit <= 0 {
		limit = pipeWidth
	}
	indent := width(lead)
	for i, line := range Wrap(s, limit-indent) {
		if i > 0 {
			lead = strings.Repeat(" ", indent)
		}
		p.line(lead + line)
	}
}

// Wrap breaks a sentence at spaces into lines of at most limit columns. A word
// that is longer has a line of its own.
func Wrap(s string, limit int) []string {
	var lines []string
	line, used := "", 0
	for i, word := range words(s) {
		n := width(word)
		switch {
		case i == 0:
		case used+1+n > limit:
			lines = append(lines, line)
			line, used = "", 0
		default:
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}

// words are what a line may break between: a unit stays with its number.
func words(s string) []string {
	var out []string
	for _, w := range strings.Fields(s) {
		switch strings.Trim(w, ",.;:()") {
		case "ns", "µs", "ms", "s":
			if n := len(out); n > 0 {
				out[n-1] += " " + w
				continue
			}
		}
		out = append(out, w)
	}
	return out
}
