package gate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Basis is a traffic, how it is served and whose prices are paid: all that a
// cost takes beside what a run has measured, and the same for each run. The zero
// value is a week of nasa on aws/lambda at the newest prices.
type Basis struct {
	Trace     string        // a file's path, or what coldcurve ships; "" is nasa
	Until     time.Duration // cuts the traffic off there; 0 is 7 days
	KeepAlive time.Duration // of idle instances; 0 is 10 minutes
	Memory    units.Bytes   // of an instance; 0 is what the run's had
	Product   string        // whose prices; "" is aws/lambda
	On        prices.Date   // prices and rules of that day; 0 is the newest
	Seed      int           // of the traffic's and the durations' random choices; 0 is 1
}

// Filled is the basis with its defaults.
func (b Basis) Filled() Basis {
	return Basis{
		Trace: cmp.Or(b.Trace, "nasa"), Until: cmp.Or(b.Until, 7*24*time.Hour), KeepAlive: cmp.Or(b.KeepAlive, 10*time.Minute),
		Memory: b.Memory, Product: cmp.Or(b.Product, "aws/lambda"), On: b.On, Seed: cmp.Or(b.Seed, 1),
	}
}

// Cost is what a month of a basis' traffic costs, and a million of its requests.
type Cost struct{ Month, Million units.Money }

// Costs says whether a rule is about money, so that the policy needs its basis.
func (p *Policy) Costs() bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.costs() })
}

// costs says whether the rule is about money.
func (r *Rule) costs() bool { return metric.Metric(r.Metric).Unit() == metric.Money }

func basisFields() strict.Fields[nothing, Basis] {
	const longest = 10 * 365 * 24 * time.Hour
	return strict.Fields[nothing, Basis]{
		strict.NewField("trace", strict.Texts[nothing](), func(b *Basis) *string { return &b.Trace },
			"recorded traffic: a file's path, or the name of what coldcurve ships").Defaults("nasa"),
		strict.NewField("until", strict.Durations[nothing]("7d", time.Minute, longest), func(b *Basis) *time.Duration { return &b.Until },
			"the traffic is cut off there, and a month is in proportion").Defaults("7d"),
		strict.NewField("keep_alive", strict.Durations[nothing]("10m", time.Millisecond, longest), func(b *Basis) *time.Duration { return &b.KeepAlive },
			"how long an idle instance lives").Defaults("10m"),
		strict.NewField("memory", strict.Sizes[nothing]("512MB", units.MB, 1024*units.GB), func(b *Basis) *units.Bytes { return &b.Memory },
			"memory of an instance; the default is what the run's had"),
		strict.NewField("product", products(), func(b *Basis) *string { return &b.Product },
			"whose prices, as coldcurve prices lists them; several that serve together are joined by +").Defaults("aws/lambda"),
		strict.NewField("on", days(), func(b *Basis) *prices.Date { return &b.On },
			"prices and rules of that day; the default is the newest that coldcurve knows"),
		strict.NewField("seed", strict.Counts[nothing](1, math.MaxInt32), func(b *Basis) *int { return &b.Seed },
			"of what of the traffic is left to chance").Defaults(1),
	}
}

// products are what a bill can be made by.
func products() strict.Form[nothing, string] {
	return strict.Form[nothing, string]{
		Read: func(_ nothing, v strict.Value) (string, bool) {
			name, ok := v.Text()
			if !ok {
				return "", false
			}
			if _, err := cost.New(prices.Open(), name, cost.Terms{}); err != nil {
				v.Fault(err.Error(), "coldcurve prices lists the products")
				return "", false
			}
			return name, true
		},
		Example: "aws/lambda",
		Schema:  strict.Schema{"type": "string"},
	}
}

func days() strict.Form[nothing, prices.Date] {
	const example = "2026-11-01"
	return strict.Form[nothing, prices.Date]{
		Read: func(_ nothing, v strict.Value) (prices.Date, bool) {
			text, ok := v.Quantity("a day", example)
			if !ok {
				return 0, false
			}
			d, err := prices.ParseDate(text)
			if err != nil || !d.IsDay() {
				v.Fault(strict.Quote(text)+" is not a day", "write it as "+example)
				return 0, false
			}
			return d, true
		},
		Example: example,
		Schema:  strict.Schema{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`},
	}
}
