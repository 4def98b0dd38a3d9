package study

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Measurement is what a run says of a month of such traffic, and what it does
// not. What is not known is not made up: the option that rests on it has a
// reason in place of a price.
type Measurement struct {
	Book *prices.Book
	On   prices.Date   // whose prices and rules hold; 0 is the newest
	Span time.Duration // that Works are of, without warm-up
	// Works are what each function did; at least one. Told says that the platform
	// told how long calls ran: else their durations are callers' waits, and only
	// machines are priced.
	Works []cost.Work
	Told  bool
	Arch  string // of the machine that was measured: "amd64", "arm64"

	// CPU is the mean CPU time of a request by function, "" for all others; nil
	// is not known: where calls' durations are, it is taken to be all of them, the
	// most that one thread can use. Basis says how it is known.
	CPU   map[string]time.Duration
	Basis string
	// Resident is the memory that the servers take together; 0 is their
	// functions' memory.
	Resident units.Bytes
	// Target is what p99 of the machines must be within, and TargetBasis whose it
	// is; 0 is not known.
	Target      time.Duration
	TargetBasis string
}

// AllOfACall is the basis of a CPU time that nobody has measured.
const AllOfACall = "all of a call's own time, the most that one thread can use, for it was not measured (--cpu-time says it, platform server measures it)"

// standby is how many machines there are at least, so that one can fail.
const standby = 2

// common is a type of machine that many have, of the architecture that was
// measured: a current one with 2 vCPUs and 2 GB each.
func (m *Measurement) common() (functions, machine string) {
	if m.Arch == "arm64" {
		return "arm64", "aws/ec2/c7g.large"
	}
	return "x86_64", "aws/ec2/c7i.large"
}

// Month prices the traffic at its mean rate all month, as functions and on
// machines; nil where neither can be.
func (m *Measurement) Month() (*summary.Cost, error) {
	if len(m.Works) == 0 || m.Span <= 0 || !m.Told && m.CPU == nil {
		return nil, nil
	}
	works := cost.InMonth(m.Works, m.Span)
	c := &summary.Cost{Span: int64(m.Span), Options: []summary.CostOption{}}
	for _, w := range m.Works {
		c.Rate += float64(w.Requests) / m.Span.Seconds()
	}
	for _, w := range works {
		c.Requests += w.Requests
	}
	c.Notes = []string{fmt.Sprintf("%s of traffic, scaled to a month of %s; list prices on demand, no free tier.",
		units.FormatDuration(m.Span), units.FormatDuration(cost.Month))}
	arch, machine := m.common()
	if m.Told {
		for i := range works {
			works[i].Arch = arch
		}
		if err := m.price(c, "aws/lambda", works, summary.CostOption{Serves: serving(works)}); err != nil {
			return nil, err
		}
	}
	return c, m.machines(c, machine, works)
}

// serving is what the functions are, in words.
func serving(works []cost.Work) string {
	t := cost.TrafficOf("", works)
	text := units.FormatNoun(uint64(len(works)), "function")
	if t.Memory > 0 {
		text += " with " + t.Memory.String()
	}
	if t.Requests > 0 {
		text += ", " + units.FormatShare(float64(t.Cold)/float64(t.Requests)) + " cold"
	}
	return text
}

// price adds an option with its bill, or with why there is none.
func (m *Measurement) price(c *summary.Cost, name string, works []cost.Work, o summary.CostOption) error {
	option, err := cost.New(m.Book, name, cost.Terms{On: m.On})
	if err != nil {
		return err
	}
	pointers := make([]*cost.Work, len(works))
	for i := range works {
		pointers[i] = &works[i]
	}
	priced, err := cost.Price([]cost.Option{option}, func(cost.Option) []*cost.Work { return pointers })
	if err != nil {
		return err
	}
	o.Option = name
	if b := priced[0].Bill; b != nil {
		o.Region, o.Month, o.PerMillion = b.Region, new(units.USD(b.Total)), new(units.USD(b.PerMillion(c.Requests)))
		o.Sources = sources(b)
		c.Notes = append(c.Notes, b.Notes...)
	} else {
		o.Why = priced[0].Err.Error()
	}
	c.Options = append(c.Options, o)
	return nil
}

// sources are where a bill's prices are from, each once.
func sources(b *cost.Bill) []string {
	var list []string
	for _, l := range b.Lines {
		if s := fmt.Sprintf("%s, %v", l.Source, l.AsOf); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// machines adds the fleet that carries the same traffic.
func (m *Measurement) machines(c *summary.Cost, name string, works []cost.Work) error {
	if m.Target <= 0 {
		c.Options = append(c.Options, summary.CostOption{Option: name, Why: "too few requests for a p99 that machines could be held to"})
		return nil
	}
	bound := *m
	if bound.CPU == nil {
		bound.CPU, bound.Basis = allOfIt(m.Works), AllOfACall
	}
	cpu, mean, err := bound.cpu()
	if err != nil {
		return err
	}
	instance, err := m.Book.Instance(name)
	if err != nil {
		return err
	}
	fleet, err := Size(m.need(c, cpu, mean), Shape{Name: name, VCPU: float64(instance.VCPU), Memory: instance.Memory}, SizeOptions{})
	if err != nil {
		c.Options = append(c.Options, summary.CostOption{Option: name, Why: err.Error()})
		return nil
	}
	housed := cost.Work{Requests: c.Requests, Durations: works[0].Durations, Fleet: cost.Always(uint64(fleet.Instances))}
	housed.Fleet.Basis = "sized to a target"
	c.Notes = append(c.Notes, fmt.Sprintf("Machines are sized by queueing theory to hold p99 within %s (%s) with %s of CPU time a request, %s; at least %d, so that one can fail; the number follows from the %s, and %s of them is busy. Balancer, disks and addresses are not in it.",
		units.FormatDuration(m.Target), m.TargetBasis, units.FormatDuration(mean), bound.Basis, standby, fleet.Bound, units.FormatShare(fleet.Utilisation)))
	serves := units.FormatNoun(uint64(fleet.Instances), "instance")
	if m.CPU == nil && fleet.Instances > standby {
		serves += " at most"
	}
	return m.price(c, name, []cost.Work{housed}, summary.CostOption{Instances: fleet.Instances,
		Serves: serves + ", p99 " + units.FormatDuration(fleet.Response)})
}

// allOfIt takes calls to compute all the time that they take.
func allOfIt(works []cost.Work) map[string]time.Duration {
	each := make(map[string]time.Duration)
	for _, w := range works {
		if w.Durations != nil {
			each[w.Name] = w.Durations.Mean()
		}
	}
	return each
}

func (m *Measurement) need(c *summary.Cost, cpu CPUTime, mean time.Duration) Need {
	n := Need{
		Rates: []Stretch{{Length: cost.Month, Rate: units.Rate(c.Rate)}}, CPU: cpu,
		Goal: queue.Goal{Quantile: .99, Within: m.Target}, MinInstances: standby, BaseMemory: m.Resident,
	}
	if m.Told {
		n.Idle = max(0, cost.TrafficOf("", m.Works).Mean-mean)
	}
	if n.BaseMemory == 0 {
		for _, w := range m.Works {
			n.BaseMemory += w.Memory
		}
	}
	return n
}

// cpu is the CPU time of a request of any function, and its mean. Where calls'
// durations are known, it is spread as they are; else exponentially.
func (m *Measurement) cpu() (CPUTime, time.Duration, error) {
	var shares []share
	sum, n := 0.0, 0.0
	for _, w := range m.Works {
		each, ok := m.CPU[w.Name]
		if !ok {
			each = m.CPU[""]
		}
		sum += each.Seconds() * float64(w.Requests)
		n += float64(w.Requests)
		shares = append(shares, share{w.Durations, each})
	}
	mean := time.Duration(math.Round(sum / n * 1e9))
	var like dist.Distribution = dist.Exponential(mean)
	if m.Told {
		var err error
		if like, err = spread(shares...); err != nil {
			return CPUTime{}, 0, err
		}
	}
	cpu, err := CPUOf(like)
	return cpu, mean, err
}
