package text

import (
	"strings"
	"unicode"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/usage"
)

// clean makes a string from outside harmless on a terminal: whatever is not a
// visible character or a plain space, so every control and escape sequence,
// newline and sign that turns the direction of writing, becomes U+FFFD. It
// comes before paint, whose own sequences it would break.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func cleanAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = clean(s)
	}
	return out
}

// cleanRun is a copy of r, all of whose strings are clean: they are a
// platform's, a function's or those of a run directory from elsewhere.
func cleanRun(r *summary.Run) *summary.Run {
	c := *r
	c.Scenario, c.Platform, c.Dir = clean(r.Scenario), clean(r.Platform), clean(r.Dir)
	c.Invalid, c.Failure = cleanAll(r.Invalid), clean(r.Failure)
	c.Phases = cleanEach(r.Phases, func(p *summary.Phase) { p.Name = clean(p.Name) })
	c.Groups = cleanEach(r.Groups, cleanGroup)
	c.Expect = cleanEach(r.Expect, func(c *summary.Check) {
		c.Metric, c.Start, c.Phase, c.Function = clean(c.Metric), clean(c.Start), clean(c.Phase), clean(c.Function)
		c.Max, c.Min, c.Message = clean(c.Max), clean(c.Min), clean(c.Message)
	})
	c.Warnings = cleanEach(r.Warnings, func(w *summary.Warning) {
		w.Code, w.Phase, w.Group, w.Message = clean(w.Code), clean(w.Phase), clean(w.Group), clean(w.Message)
	})
	c.Causes = cleanEach(r.Causes, func(c *summary.Cause) {
		c.Function, c.Kind, c.Message, c.Hint = clean(c.Function), clean(c.Kind), clean(c.Message), clean(c.Hint)
	})
	c.Capacity = cleanEach(r.Capacity, func(c *capacity.Capacity) {
		c.Function, c.Definition, c.HeldPhase = clean(c.Function), clean(c.Definition), clean(c.HeldPhase)
		c.Steps = cleanEach(c.Steps, func(f *capacity.Figure) { f.Phase = clean(f.Phase) })
	})
	if r.Usage != nil {
		c.Usage = &usage.Account{Total: r.Usage.Total, Entries: cleanEach(r.Usage.Entries, func(e *usage.Entry) {
			k := &e.Key
			k.Function, k.Version, k.Consumer, k.Stage = clean(k.Function), clean(k.Version), clean(k.Consumer), clean(k.Stage)
		})}
	}
	return &c
}

func cleanGroup(g *summary.Group) {
	g.Phase, g.Function, g.Start, g.Grade = clean(g.Phase), clean(g.Function), clean(g.Start), clean(g.Grade)
	g.Tier = clean(g.Tier)
	g.Limited = cleanAll(g.Limited)
	kinds := make(map[string]uint64, len(g.ErrorKinds))
	for k, n := range g.ErrorKinds {
		kinds[clean(k)] += n
	}
	g.ErrorKinds = kinds
}

// cleanEach cleans a copy of each element.
func cleanEach[T any](list []T, one func(*T)) []T {
	out := make([]T, len(list))
	for i, v := range list {
		one(&v)
		out[i] = v
	}
	return out
}
