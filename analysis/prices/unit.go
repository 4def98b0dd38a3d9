package prices

import (
	"slices"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Units are what quantities are counted in, in the providers' own words. GB is
// binary throughout, and GiB its other spelling. A new unit is a new line here.
func Units() []string {
	return []string{
		"request", "message", "operation", "connection-minute",
		"second", "hour", "month",
		"GB-second", "GiB-second", "GB-hour", "GB-month", "GB", "GiB",
		"vCPU-second", "vCPU-hour", "GHz-second", "CPU-ms",
		"LCU-hour", "NLCU-hour", "IOPS-month", "MBps-month",
		"USD", // of another price, of which this one is a fraction
	}
}

// perUnit is what a price is for: "GB-second", "1,000,000 requests".
func perUnit(per int64, unit string) string {
	if per == 1 {
		return unit
	}
	return units.FormatCount(per) + " " + plural(unit)
}

// UnitPrice is a tier's price for reading: "$0.20 per 1,000,000 requests".
func (p *Price) UnitPrice(t Tier) string {
	return "$" + cents(t.USD) + " per " + perUnit(p.Per, p.Unit)
}

// cents is a number of dollars with every digit that it has and at least cents.
func cents(d Decimal) string {
	places, _ := d.rat().FloatPrec()
	return d.rat().FloatString(max(places, 2))
}

// number is a number for reading, with commas.
func number(d Decimal) string {
	if n := d.rat(); n.IsInt() && n.Num().IsInt64() {
		return units.FormatCount(n.Num().Int64())
	}
	return d.String()
}

// Quantity is a quantity of the price's unit for reading: "21,000,000,000
// GB-second".
func (p *Price) Quantity(q Decimal) string { return number(q) + " " + plural(p.Unit) }

// Range is the quantities of a tier for reading: "up to 6,000,000,000", "all".
func (t Tier) Range() string {
	switch {
	case t.From.IsZero() && t.To.IsZero():
		return "all"
	case t.To.IsZero():
		return "above " + number(t.From)
	case t.From.IsZero():
		return "up to " + number(t.To)
	}
	return number(t.From) + " to " + number(t.To)
}

// Example is a quantity that reaches every tier, and what it costs.
type Example struct {
	Quantity Decimal
	Amount   Amount
}

// Example is a computation with the price, for people to check by hand.
func (p *Price) Example() (Example, error) {
	last := p.Tiers[len(p.Tiers)-1].From
	quantity := Whole(p.Per * 3)
	if !last.IsZero() {
		quantity = decimal(last.Rat().Add(last.rat(), p.Tiers[0].To.rat()))
	}
	amount, err := p.Amount(quantity.rat())
	return Example{quantity, amount}, err
}

// Text says what is rounded up: "each invocation's time up to a multiple of
// 1 ms"; "" for nothing.
func (r Rounding) Text() string {
	if r.Each == "" {
		return ""
	}
	text, and := "each "+r.Each+"'s", ""
	add := func(what, step, least string, zeroStep, zeroLeast bool) {
		if zeroStep && zeroLeast {
			return
		}
		text += and + " " + what
		if !zeroStep {
			text += " up to a multiple of " + step
		}
		if !zeroLeast {
			text += ", at least " + least
		}
		and = "; its"
	}
	add("time", units.FormatExactDuration(r.Time), units.FormatExactDuration(r.LeastTime), r.Time == 0, r.LeastTime == 0)
	add("size", units.FormatBytes(r.Size), units.FormatBytes(r.LeastSize), r.Size == 0, r.LeastSize == 0)
	return text
}

// Text says what is free: "400,000 GB-second a month".
func (a *Allowance) Text() string {
	return number(a.Quantity) + " " + plural(a.Unit) + " a " + a.Each
}

func plural(unit string) string {
	if slices.Contains([]string{"request", "message", "operation", "connection-minute"}, unit) {
		return unit + "s"
	}
	return unit
}
