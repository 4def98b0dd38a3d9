package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// sides are the rows of a table of functions beside a fleet.
type sides struct{ names, functions, fleet []string }

func (t *sides) add(name, functions, fleet string) {
	if functions == "" && fleet == "" {
		return
	}
	for _, cell := range []*string{&functions, &fleet} {
		if *cell == "" {
			*cell = "-"
		}
	}
	t.names, t.functions, t.fleet = append(t.names, name), append(t.functions, functions), append(t.fleet, fleet)
}

// fleetOf is what the requests meet on the fleet, beside what they meet on
// functions, where there is a fleet.
func fleetOf(s *study.Simulation) (t Table, ok bool) {
	f := s.Fleet
	if f == nil {
		return t, false
	}
	var rows sides
	rows.add("requests", units.FormatCount(s.Requests), units.FormatCount(f.Requests))
	if failed := s.Throttled + s.Unserved; failed+f.Errors > 0 {
		rows.add("failed", units.FormatCount(failed), units.FormatCount(f.Errors))
	}
	rows.add("cold", shareOf(s.PCold), "")
	rows.add("had to wait", "", shareOf(f.Delayed))
	for _, q := range []float64{.5, .99, .999} {
		rows.add(fmt.Sprintf("p%g", 100*q), quantileOf(s.Response, q), quantileOf(f.Response, q))
	}
	rows.add("longest", longest(s.Response), longest(f.Response))
	if t := s.Target; t != nil {
		rows.add("beyond "+units.FormatDuration(t.Within), missesOf(t.Functions), missesOf(t.Fleet))
		rows.add(fmt.Sprintf("p%g held", 100*t.Quantile), heldOf(t.Functions), heldOf(t.Fleet))
	}
	rows.add("instances", number(s.InstancesMean), number(f.InstancesMean))
	rows.add("at most", units.FormatCount(s.InstancesPeak), units.FormatCount(f.InstancesPeak))
	rows.add("instance-hours", number(s.InstanceSeconds/3600), number(f.InstanceHours))
	rows.add("in use", shareOf(1-s.IdleShare), shareOf(f.Utilisation))
	rows.add("a month", monthOf(s.Bill), monthOf(f.Bill))
	t = Table{
		Title: fmt.Sprintf("The same requests on %s, %s", f.Product, sizeOf(f)),
		Columns: []Column{
			{Head: "", Left: true, Cells: rows.names},
			{Head: "functions", Cells: rows.functions},
			{Head: "fleet", Cells: rows.fleet},
		},
		Foot: "In use is of the functions' instance time, and of the fleet's workers. " + servedAs(f),
	}
	return t, true
}

// sizeOf is how many instances, and what each does.
func sizeOf(f *study.Machinery) string {
	size := units.FormatNoun(f.InstancesPeak, "instance")
	if _, scales := f.Rules["autoscale"]; scales {
		size = "autoscaled"
	}
	return size + " with " + units.FormatNoun(f.Workers, "worker") + " each"
}

func servedAs(f *study.Machinery) string {
	if f.Serving == "" {
		return "On the fleet a request keeps a worker as long as it keeps an instance of its function (--fleet-service says otherwise)."
	}
	return "On the fleet a request keeps a worker for " + f.Serving + "."
}

// quantileOf is a quantile where so many requests support it.
func quantileOf(h *hist.Histogram, q float64) string {
	if h == nil || h.N() < stats.MinSamples(q, .95) {
		return ""
	}
	return units.FormatDuration(h.Quantile(q))
}

func longest(h *hist.Histogram) string {
	if h == nil || h.Longest() == 0 {
		return ""
	}
	return units.FormatDuration(h.Longest())
}

func missesOf(k *study.Kept) string {
	if k == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s)", shareOf(k.Share), units.FormatCount(k.Misses))
}

func heldOf(k *study.Kept) string {
	switch {
	case k == nil:
		return ""
	case k.Holds:
		return "yes"
	}
	return "no"
}

func monthOf(b *study.Bill) string {
	if b == nil || b.Why != "" {
		return ""
	}
	return b.Total.String()
}

// targetOf is how many requests of functions alone miss the target.
func targetOf(t *study.Target) (Fact, bool) {
	if t == nil || t.Functions == nil {
		return Fact{}, false
	}
	holds := "which holds"
	if !t.Functions.Holds {
		holds = "which does not hold"
	}
	return Fact{"target", fmt.Sprintf("p%g within %s, %s: %s later or failed", 100*t.Quantile, units.FormatDuration(t.Within), holds, missesOf(t.Functions))}, true
}

// fleetNotes are what a reader of the fleet's figures must know.
func fleetNotes(f *study.Machinery) []string {
	if f == nil {
		return nil
	}
	var notes []string
	switch b := f.Bill; {
	case b == nil:
	case b.Why != "":
		notes = append(notes, "the fleet is not priced: "+b.Why)
	default:
		notes = append(notes, "the fleet's month is 730 hours on "+b.Option+" in "+b.Region+" at list prices: instances from start to end, at their mean length")
		notes = append(notes, b.Notes...)
	}
	if f.InstancesMean > 0 && f.Utilisation > .999 {
		notes = append(notes, "the fleet is full: requests wait longer the longer the traffic lasts, and its response times say nothing of a steady state")
	}
	return notes
}

// fleetMethod is the fleet's rules in a line.
func fleetMethod(f *study.Machinery) []Fact {
	if f == nil {
		return nil
	}
	rules := []string{fmt.Sprintf("%s with %g vCPU and %v", f.Product, f.VCPU, f.Memory)}
	for _, key := range slices.Sorted(maps.Keys(f.Rules)) {
		rules = append(rules, key+" "+f.Rules[key])
	}
	return []Fact{{"fleet", strings.Join(rules, ", ")}}
}
