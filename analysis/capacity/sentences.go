package capacity

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Sentences are the capacity in words, for a reader of a table of its steps.
func (c *Capacity) Sentences() []string {
	var list []string
	if c.CPUPerRequest != nil {
		text := "A request takes " + duration(*c.CPUPerRequest)
		if c.CPUStderr != nil {
			text += " +- " + duration(2**c.CPUStderr)
		}
		text += fmt.Sprintf(" of CPU time: one vCPU is full at %s.", rate(*c.Ceiling))
		if c.CPUStderr == nil {
			text += " Fewer than three steps tell it, so its error is not known."
		}
		list = append(list, text)
	}
	if c.Target == 0 {
		return append(list, "No target is set (platform: {name: server, target: 50ms}), so how much it carries within one is not known.")
	}
	list = append(list, c.Answer())
	if n := c.starvedSteps(); n > 0 {
		list = append(list, fmt.Sprintf("Other work had the processors in %s that did not keep the target: they say nothing of the server. Measure on a machine that does nothing else.", units.FormatNoun(n, "step")))
	}
	return list
}

// Answer is how much one vCPU carried within the target; "" where none is set.
func (c *Capacity) Answer() string {
	if c.Target == 0 {
		return ""
	}
	of, target := " of "+c.Function, "p99 within "+duration(float64(c.Target))
	switch {
	case c.Held != nil && c.Broken != nil:
		return fmt.Sprintf("One vCPU carried %s%s with %s; at %s that broke.", rate(*c.Held), of, target, rate(*c.Broken))
	case c.Held != nil:
		return fmt.Sprintf("One vCPU carried %s%s with %s; no higher step is known to have broken that.", rate(*c.Held), of, target)
	case c.Broken != nil:
		return fmt.Sprintf("No step%s kept %s: the lowest is %s a vCPU.", of, target, rate(*c.Broken))
	}
	return fmt.Sprintf("Whether any step%s kept %s is not known.", of, target)
}

// starvedSteps counts the steps that would have broken the target, had the
// server had its processors.
func (c *Capacity) starvedSteps() (n int) {
	for i := range c.Steps {
		if f := &c.Steps[i]; f.Kept == nil && f.starved() && !f.Limited {
			n++
		}
	}
	return n
}

func duration(ns float64) string { return units.FormatDuration(time.Duration(ns)) }

func rate(v float64) string { return units.FormatRate(units.Rate(v)) }
