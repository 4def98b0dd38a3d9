package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Cost is priced traffic: what the renderers need of it.
type Cost struct {
	Traffic     cost.Traffic
	FreeTier    bool
	Priced      []cost.Priced     // in the order that was asked for
	Attribution *cost.Attribution // of the only bill; nil for none
}

// Answer is what the bills say, in sentences: the bill and what makes it, or
// the cheapest of several and what lies between it and the next.
func (c *Cost) Answer() []string {
	ranked := c.Ranked()
	if len(ranked) == 0 {
		return []string{fmt.Sprintf("Nothing that was asked for can be priced for %s.", c.Work())}
	}
	best := ranked[0].Bill
	if len(c.Priced) == 1 {
		return []string{fmt.Sprintf("%s cost %s a month %s%s: %s.", c.Work(), best.Total, at(best), c.perMillion(best), c.makeup(best))}
	}
	first := fmt.Sprintf("%s is the cheapest of %d for %s: %s a month%s", best.Option, len(ranked), c.Work(), best.Total, c.perMillion(best))
	if len(ranked) == 1 {
		first = fmt.Sprintf("Only %s can be priced for %s: %s a month%s", best.Option, c.Work(), best.Total, c.perMillion(best))
	} else {
		next := ranked[1].Bill
		first += fmt.Sprintf("; %s costs %s", next.Option, next.Total)
	}
	return []string{first + ".", "Of " + best.Option + " it is " + c.makeup(best) + "."}
}

// Ranked are the options with a bill, the cheapest first.
func (c *Cost) Ranked() []cost.Priced {
	var with []cost.Priced
	for _, p := range c.Priced {
		if p.Bill != nil {
			with = append(with, p)
		}
	}
	slices.SortStableFunc(with, func(a, b cost.Priced) int { return cmp.Compare(a.Bill.Total, b.Bill.Total) })
	return with
}

// Work is what was priced: "3,000,000 requests of 120 ms with 1536 MB".
func (c *Cost) Work() string {
	t := c.Traffic
	text := units.FormatNoun(t.Requests, "request")
	if t.Functions > 1 {
		text += fmt.Sprintf(" to %d functions", t.Functions)
	}
	if t.Mean > 0 && t.Requests > 0 {
		text += " of " + units.FormatDuration(t.Mean)
	}
	if t.Memory > 0 {
		text += fmt.Sprintf(" with %v", t.Memory)
	}
	return text
}

func at(b *cost.Bill) string {
	if b.Region == "" || b.Region == "global" {
		return "on " + b.Option
	}
	return "on " + b.Option + " in " + b.Region
}

func (c *Cost) perMillion(b *cost.Bill) string {
	if c.Traffic.Requests == 0 {
		return ""
	}
	return fmt.Sprintf(", %v a million", b.PerMillion(c.Traffic.Requests))
}

// CostPart is a driver and what it is called.
type CostPart struct {
	Driver cost.Driver
	Name   string
}

// CostParts are the drivers in the order in which they are shown.
func CostParts() []CostPart {
	return []CostPart{
		{cost.ByRequests, "requests"}, {cost.ByCompute, "compute"}, {cost.ByProvisioned, "provisioned"},
		{cost.ByTransfer, "transfer"}, {cost.Idle, "instances"}, {cost.Shared, "shared"},
	}
}

// makeup is what share of a bill is what, the greatest first.
func (c *Cost) makeup(b *cost.Bill) string {
	if b.Total == 0 {
		return "nothing of it is paid"
	}
	parts := CostParts()
	slices.SortStableFunc(parts, func(x, y CostPart) int { return cmp.Compare(b.Of(y.Driver), b.Of(x.Driver)) })
	var out []string
	for _, p := range parts {
		if amount := b.Of(p.Driver); amount > 0 {
			out = append(out, units.FormatShare(float64(amount)/float64(b.Total))+" "+p.Name)
		}
	}
	return strings.Join(out, ", ")
}

// Notes are what a reader of the bills must know, once each.
func (c *Cost) Notes() []string {
	notes := slices.Clone(c.Traffic.Notes)
	add := func(s string) {
		if !slices.Contains(notes, s) {
			notes = append(notes, s)
		}
	}
	if c.Traffic.Repeated > 0 {
		add(fmt.Sprintf("%s of traffic, scaled to a month of %s.",
			units.FormatDuration(c.Traffic.Repeated), units.FormatDuration(cost.Month)))
	}
	for _, p := range c.Priced {
		if p.Bill == nil {
			add(p.Err.Error() + ".")
			continue
		}
		if p.Bill.Doubt > 0 {
			add(fmt.Sprintf("%s: up to %v less, for durations that are known by their histogram's bar.", p.Option, p.Bill.Doubt))
		}
		for _, n := range p.Bill.Notes {
			add(n)
		}
	}
	return notes
}

// UnitPrice is a line's price as its list has it: "$0.20 per 1,000,000".
func UnitPrice(l *cost.Line) string {
	price := l.ListPrice()
	if l.Free {
		price = "free"
	}
	if l.Per > 1 && !l.Free {
		return price + " per " + units.FormatCount(l.Per)
	}
	return price
}

// priceOf is a line's price with what it is the price of.
func priceOf(l *cost.Line) string {
	if l.Per > 1 && !l.Free {
		return UnitPrice(l) + " " + l.Unit + "s"
	}
	return UnitPrice(l) + " per " + l.Unit
}
