package reports

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Outlook is what options cost in several situations, in words.
type Outlook struct {
	*study.Outlook
	Doubts []string // what a reader must know of how functions are kept and started
}

// Answer is the cheapest option of each situation, in a sentence.
func (o Outlook) Answer() []string {
	var parts, broken []string
	for i := range o.Cases {
		k := &o.Cases[i]
		best := k.Cheapest()
		if best == nil {
			broken = append(broken, k.Title)
			continue
		}
		parts = append(parts, fmt.Sprintf("with %s %s at %v", k.Title, o.Label(best), best.Bill.Total))
	}
	var out []string
	if len(parts) > 0 {
		out = append(out, fmt.Sprintf("The cheapest month that %s: %s.", o.holds(), strings.Join(parts, "; ")))
	}
	if len(broken) > 0 {
		out = append(out, fmt.Sprintf("Nothing that was compared %s with %s.", o.holds(), and(broken)))
	}
	return out
}

// Label is an option with the number of its instances.
func (o Outlook) Label(s *study.Served) string {
	if s.Host == nil {
		return s.Option
	}
	if s.Mean == float64(s.Peak) {
		return Instances(s.Option, s.Peak, s.Peak)
	}
	return fmt.Sprintf("up to %d x %s", s.Peak, s.Option)
}

// holds is the target in words.
func (o Outlook) holds() string {
	if o.Goal.Within == 0 {
		return "carries the load"
	}
	return fmt.Sprintf("holds %s within %s", quantileName(&o.Comparison), units.FormatDuration(o.Goal.Within))
}

// row is an option in a situation, or the situation's head.
type row struct {
	*study.Served
	name     string
	cheapest bool
	requests uint64
}

func (r *row) told() bool { return r.Served != nil && r.Err == nil }

// Sheet is one table of all options in all situations, with the same columns.
func (o Outlook) Sheet() *Sheet {
	var notes footnotes
	var rows cellsBy[row]
	for i := range o.Cases {
		k := &o.Cases[i]
		best := k.Cheapest()
		rows = append(rows, row{name: fmt.Sprintf("%s %s", k.Name, notes.mark(definition(&k.Situation)))})
		for j := range k.Served {
			s := &k.Served[j]
			rows = append(rows, row{Served: s, name: "  " + s.Option, cheapest: s == best, requests: k.Requests})
		}
	}
	cell := func(of func(*row) string) func(*row) string {
		return func(r *row) string {
			if !r.told() {
				return ""
			}
			return of(r)
		}
	}
	return &Sheet{
		Title: "What it costs in each situation", Answer: o.Answer(), Notes: o.notes(), Footnotes: append(notes, o.sources()...),
		Tables: []Table{{
			Title: "A month in each situation; * is the cheapest that " + o.holds() + ", ! does not.",
			Columns: []Column{
				rows.name("situation, option", 0, func(r *row) string { return r.name }),
				rows.column("a month", 0, o.month),
				rows.column("a million", 1, cell(func(r *row) string { return r.Bill.PerMillion(r.requests).String() })),
				rows.column(quantileName(&o.Comparison), 7, cell(func(r *row) string { return units.FormatDuration(r.Response) })),
				rows.column("late", 5, cell(func(r *row) string { return smallShare(r.Late) })),
				rows.column("cold", 4, cell(func(r *row) string {
					if r.Cold < 0 {
						return none
					}
					return smallShare(r.Cold)
				})),
				rows.column("busy", 2, cell(func(r *row) string { return smallShare(r.Utilisation) })),
				rows.column("mean", 6, cell(func(r *row) string { return fmt.Sprintf("%.3g", r.Mean) })),
				rows.column("peak", 6, cell(func(r *row) string { return units.FormatCount(r.Peak) })),
			},
		}},
	}
}

// month is a cost with its mark.
func (o Outlook) month(r *row) string {
	switch {
	case r.Served == nil:
		return ""
	case r.Err != nil:
		return "cannot "
	case r.cheapest:
		return r.Bill.Total.String() + "*"
	case !r.Holds:
		return r.Bill.Total.String() + "!"
	}
	return r.Bill.Total.String() + " "
}

// smallShare is a share in few digits.
func smallShare(v float64) string {
	if v > 0 && v < .0001 {
		return "<0.01%"
	}
	return units.FormatShare(v)
}

// definition is a situation's load, and where it is from.
func definition(s *study.Situation) string {
	text := fmt.Sprintf("%s: Poisson at %v", sentenceOf(s.Title), units.FormatRate(s.Rate))
	if s.Peak > 0 {
		text += fmt.Sprintf(", %s a day at %v for %s, up to it and down in %s each: %v on average", units.FormatNoun(uint64(s.Peaks), "peak"),
			units.FormatRate(s.Peak), units.FormatDuration(s.Lasts), units.FormatDuration(s.Rise), units.FormatRate(s.Mean()))
	}
	return fmt.Sprintf("%s. Source: %s, %s.", text, s.Source, s.AsOf)
}

// notes are what a reader of the table must know.
func (o Outlook) notes() []string {
	notes := []string{
		fmt.Sprintf("A request takes %s with %v. Late: the share of requests beyond the target, or lost. Cold: that start an instance. Busy: the share of the instances' time, of a fleet's vCPUs', that serves. Mean and peak: instances.",
			units.FormatDuration(o.Work.Durations.Mean()), o.Work.Memory),
	}
	if o.some(func(s *study.Served) bool { return s.Host != nil }) {
		notes = append(notes, fleetsOf(&o.Comparison))
	}
	if o.some(func(s *study.Served) bool { return s.Host != nil && s.Mean < float64(s.Peak) }) {
		f := &o.Following
		notes = append(notes, fmt.Sprintf(
			"Where the load changes, fleets follow it and are sized by simulation: %s of the vCPUs busy, looked at each %s; more instances after %d such periods in a row, fewer after %d and %s after any change; a container takes requests %s after its start, a machine %s. Source: %s, %s.",
			units.FormatShare(f.Utilisation), units.FormatDuration(f.Period), f.OutAfter, f.InAfter, units.FormatDuration(f.InCooldown),
			units.FormatDuration(f.BootContainers), units.FormatDuration(f.BootMachines), f.Source, f.AsOf))
	}
	notes = append(notes, o.Doubts...)
	add := func(n string) {
		if !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	for i := range o.Cases {
		for j := range o.Cases[i].Served {
			s := &o.Cases[i].Served[j]
			if s.Err != nil {
				add(fmt.Sprintf("%s cannot do it with %s: %s.", s.Option, o.Cases[i].Title, reasonOf(s.Err)))
				continue
			}
			for _, n := range s.Bill.Notes {
				add(n)
			}
		}
	}
	return notes
}

func (o Outlook) some(has func(*study.Served) bool) bool {
	return slices.ContainsFunc(o.Cases, func(k study.Case) bool {
		return slices.ContainsFunc(k.Served, func(s study.Served) bool { return has(&s) })
	})
}

// sources are where the prices are from, each once.
func (o Outlook) sources() []string {
	var out []string
	for i := range o.Cases {
		for j := range o.Cases[i].Served {
			if s := &o.Cases[i].Served[j]; s.Err == nil {
				out = addSources(out, s.Bill, s.Host)
			}
		}
	}
	for i := range out {
		out[i] += "."
	}
	return out
}

// reasonOf is why an option cannot do the work, with who says so.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*cost.Impossible](err); ok {
		return e.Reason()
	}
	return err.Error()
}
