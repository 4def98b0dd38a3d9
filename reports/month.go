package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Month is what a run's traffic costs all month, in a sentence: the cheapest
// option first.
func Month(c *summary.Cost) string {
	all := fmt.Sprintf("At the run's rate all month (%s, %s)", units.FormatRate(units.Rate(c.Rate)), units.FormatNoun(c.Requests, "request"))
	priced := Priced(c)
	if len(priced) == 0 {
		return all + " nothing can be priced."
	}
	slices.SortStableFunc(priced, func(a, b summary.CostOption) int { return int(max(-1, min(1, *a.Month-*b.Month))) })
	var parts []string
	for i, o := range priced {
		part := fmt.Sprintf("%s costs %v", o.Option, *o.Month)
		if i == 0 {
			part += fmt.Sprintf(", %v a million", *o.PerMillion)
		}
		parts = append(parts, part)
	}
	return all + " " + strings.Join(parts, "; ") + "."
}

// Priced are the options with a price, in their order.
func Priced(c *summary.Cost) []summary.CostOption {
	return slices.DeleteFunc(slices.Clone(c.Options), func(o summary.CostOption) bool { return o.Month == nil })
}

// MonthNotes are what a reader of a run's cost must know: what is not priced
// and why, how it was computed, and whose the prices are.
func MonthNotes(c *summary.Cost) []string {
	var notes, sources []string
	for _, o := range c.Options {
		if o.Why != "" {
			notes = append(notes, o.Option+" is not priced: "+o.Why+".")
		}
		for _, s := range o.Sources {
			if !slices.Contains(sources, s) {
				sources = append(sources, s)
			}
		}
	}
	notes = append(notes, c.Notes...)
	if len(sources) > 0 {
		notes = append(notes, "Prices: "+strings.Join(sources, "; ")+".")
	}
	return notes
}
