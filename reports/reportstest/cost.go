package reportstest

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/coldcurve/coldcurve/reports"
)

// day is whose prices hold, so that newer ones change no golden file.
func day() prices.Date {
	on, err := prices.ParseDate("2026-10-01")
	must(err)
	return on
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("a value for tests cannot be made: %v", err))
	}
}

func option(name string, free bool) cost.Option {
	o, err := cost.New(prices.Open(), name, cost.Terms{On: day(), FreeTier: free})
	must(err)
	return o
}

func bill(w cost.Work, free bool, names ...string) *reports.Cost {
	var options []cost.Option
	for _, name := range names {
		options = append(options, option(name, free))
	}
	priced, err := cost.Price(options, func(cost.Option) []*cost.Work { return []*cost.Work{&w} })
	must(err)
	return &reports.Cost{Traffic: cost.TrafficOf("flags", []cost.Work{w}), FreeTier: free, Priced: priced}
}

// Bill is a single bill with a free tier and a gateway, shared out by consumer.
func Bill() *reports.Cost {
	c := bill(cost.Work{Requests: 3e6, Durations: cost.Constant(120 * time.Millisecond), Memory: 1536 * units.MB}, true, "aws/lambda+aws/api-gateway-http")
	var users []cost.User
	for consumer, requests := range map[string]uint64{"shop": 2e6, "": 1e6} {
		users = append(users, cost.User{Entry: usage.Entry{Key: usage.Key{Function: "f", Consumer: consumer}, Usage: usage.Usage{Requests: requests, Billed: time.Duration(requests) * 120 * time.Millisecond}}})
	}
	var err error
	c.Attribution, err = cost.Attribute(c.Priced[0].Bill, users, cost.ByConsumer, cost.Rules{Idle: cost.Proportional, Shared: cost.Proportional})
	must(err)
	return c
}

// Bills are several for the same traffic, one of which cannot be.
func Bills() *reports.Cost {
	durations, err := cost.Groups(cost.Group{Low: 20 * time.Millisecond, High: 21 * time.Millisecond, Count: 9}, cost.Group{Low: 20 * time.Minute, High: 20 * time.Minute, Count: 1})
	must(err)
	return bill(cost.Work{Requests: 1e6, Durations: durations, Memory: 2 * units.GB, Fleet: cost.Always(3)}, false, "aws/lambda", "aws/ec2/c7g.large", "aws/fargate", "gcp/cloud-run")
}

// KeepWarm is four ways, of which one holds the share.
func KeepWarm() *study.KeepWarm {
	each := func(m units.Money) *units.Money { return &m }
	return &study.KeepWarm{
		Schema: study.KeepWarmSchema, Option: "aws/lambda", Requests: 26_280, Cold: 4_200, Share: .16, Target: .01, Held: "1 instance kept ready", PaysAt: .6,
		Ways: []study.Warmer{
			{Name: "a ping every 5m to 1 instance", Month: 310_000_000, Extra: -20_000_000, Cold: 900, Share: .034, Avoided: 3300, Each: each(-6_060)},
			{Name: "1 instance kept ready", Month: 5_730_000_000, Extra: 5_400_000_000, Cold: 12, Share: .0005, Avoided: 4188, Each: each(1_289_398), Holds: true},
			{Name: "nothing", Month: 330_000_000, Cold: 4_200, Share: .16},
		},
		Unable: "aws/lambda: restores from snapshots are not asked for", Notes: []string{"one function"}, Sources: []string{"a price list, 2026-09-19"},
	}
}

// MemorySizes is a function that is faster with more memory up to a size, and a
// size that the product does not have.
func MemorySizes() *cost.MemoryDocument {
	works := []cost.Work{
		{Name: "small", Memory: 128 * units.MB, Requests: 10, Durations: cost.Constant(400 * time.Millisecond)},
		{Name: "large", Memory: 512 * units.MB, Requests: 10, Durations: cost.Constant(100 * time.Millisecond)},
		{Name: "more", Memory: 1024 * units.MB, Requests: 10, Durations: cost.Constant(100 * time.Millisecond)},
		{Name: "huge", Memory: 20 * units.GB, Requests: 10, Durations: cost.Constant(time.Millisecond)},
	}
	tuned, err := cost.Tune(option("aws/lambda", false), works, .5)
	must(err)
	return cost.NewMemoryDocument("aws/lambda", .5, works, tuned, []string{"A note."})
}

// Outlook is two options in two situations, of which one is beyond functions.
func Outlook() reports.Outlook {
	c := study.Comparison{
		Work: cost.Work{Requests: 1, Durations: cost.Constant(100 * time.Millisecond), Memory: 1769 * units.MB},
		CPU:  100 * time.Millisecond, CPUBasis: "given", Goal: queue.Goal{Quantile: .99, Within: 300 * time.Millisecond}, MinInstances: 2,
	}
	list, following := study.UsualSituations()
	o := reports.Outlook{Outlook: &study.Outlook{Comparison: c, Following: following}, Doubts: []string{"aws/lambda: cold starts are simulated."}}
	host, err := cost.HostOf(prices.Open(), "aws/ec2/c7g.large", c.Work.Memory, 0)
	must(err)
	for i, s := range []study.Situation{list[0], list[2]} {
		k := study.Case{Situation: s, Requests: cost.PerMonth(s.Mean())}
		work := c.Work.Times(k.Requests)
		calls := study.Served{Option: "aws/lambda", Err: &cost.Impossible{Product: "aws/lambda", Limit: "the account may have 1,000 calls under way", Have: "2,000 are on average"}}
		if i == 0 {
			calls = study.Served{Option: "aws/lambda", Response: 400 * time.Millisecond, Late: .02, Cold: .03, Utilisation: .00166, Mean: 1.04, Peak: 3,
				Bill: bill(work, false, "aws/lambda").Priced[0].Bill}
		}
		work.Fleet = cost.Always(uint64(2 + i))
		work.Fleet.Basis = "sized"
		machines := study.Served{Option: "aws/ec2/c7g.large", Host: host, Response: 112 * time.Millisecond, Late: .00001, Holds: true, Cold: -1, Utilisation: .32,
			Mean: 2 + .8*float64(i), Peak: 2 + 12*i, Bill: bill(work, false, "aws/ec2/c7g.large").Priced[0].Bill}
		k.Served = []study.Served{calls, machines}
		o.Cases = append(o.Cases, k)
	}
	return o
}
