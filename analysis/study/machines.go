package study

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Machines are a fleet of virtual machines or containers that meets the same
// requests as a plan's functions: the same arrivals and, unless Service says
// otherwise, the same service times.
type Machines struct {
	Host    cost.Host         // what each is
	Option  cost.Option       // whose prices a month is billed by; nil for no bill
	Service dist.Distribution // how long a request keeps a worker; nil is as long as an instance of its function
	// Fleet are the rules. Service, Target, Warmup and Span are the plan's, and
	// Seed where it is 0.
	Fleet fleet.Options
}

// Machinery is what the requests would meet on a fleet, as part of [Simulation].
type Machinery struct {
	Product string      `json:"product"`
	VCPU    float64     `json:"vcpu"` // of an instance
	Memory  units.Bytes `json:"memory_bytes"`
	Workers int         `json:"workers"` // requests that an instance serves at once
	// Rules are the keys of the fleet that were given, by name.
	Rules   map[string]string `json:"rules"`
	Serving string            `json:"service"` // how long a request keeps a worker; "" as long as an instance of its function
	fleet.Result
	P50  time.Duration `json:"response_p50_ns"` // of all served
	P99  time.Duration `json:"response_p99_ns"`
	P999 time.Duration `json:"response_p999_ns"`
	Max  time.Duration `json:"response_max_ns"`
	Bill *Bill         `json:"bill,omitempty"` // of a month of such traffic
}

// mostTogether is the most functions whose requests are brought into one order
// of time: each is held with what is read ahead of it.
const mostTogether = 10_000

// TogetherError says that a fleet is to serve more functions than can be
// brought into one order of time.
type TogetherError struct{ Functions int }

func (e *TogetherError) Error() string {
	return fmt.Sprintf("a fleet that serves %d functions: the most is %d", e.Functions, mostTogether)
}

// machinery simulates the plan's fleet.
func (p *Plan) machinery(ctx context.Context) (*Machinery, error) {
	m := p.Machines
	requests, failed, err := p.requests(ctx)
	if err != nil {
		return nil, err
	}
	o := m.Fleet
	o.Warmup, o.Target, o.Seed = max(0, p.Options.Warmup), p.Target.Within, cmp.Or(o.Seed, p.Options.Seed)
	if p.Options.Requests == 0 {
		o.Span = p.span()
	}
	if o.Span > 0 && o.Span <= o.Warmup {
		return nil, &fleet.WarmupError{Ends: o.Span, Warmup: o.Warmup}
	}
	last := new(carried)
	o.Service = last
	if m.Service != nil {
		o.Service = m.Service
	}
	result, err := fleet.Run(ctx, func(yield func(time.Duration) bool) {
		told := p.telling()
		for at, service := range requests {
			last.service = service
			told(at)
			if !yield(at) {
				return
			}
		}
	}, o)
	if err == nil && !result.Interrupted {
		err = failed()
	}
	if err != nil {
		return nil, err
	}
	return m.machinery(result), nil
}

func (m *Machines) machinery(r *fleet.Result) *Machinery {
	out := &Machinery{
		Product: m.Host.Product, VCPU: float64(m.Host.MilliCPU) / 1000, Memory: m.Host.Memory,
		Workers: max(1, m.Fleet.Workers), Rules: map[string]string{}, Result: *r,
		P50: r.Response.Quantile(.5), P99: r.Response.Quantile(.99), P999: r.Response.Quantile(.999), Max: r.Response.Longest(),
	}
	if m.Service != nil {
		out.Serving = m.Service.String()
	}
	if m.Option != nil {
		out.Bill = billOf(m.Option, func() (*cost.Bill, error) { return m.month(r) })
	}
	return out
}

// month is the bill of a month of such traffic. Instances that were there
// throughout are so all month; the others come and go as often as they did.
func (m *Machines) month(r *fleet.Result) (*cost.Bill, error) {
	if r.Span <= 0 {
		return nil, errNothingCame
	}
	times := cost.Month.Seconds() / r.Span.Seconds()
	var lives []cost.Group
	add := func(life time.Duration, n float64) {
		if count := uint64(math.Round(n)); count > 0 && life > 0 {
			lives = append(lives, cost.Group{Low: life, High: life, Count: count})
		}
	}
	add(cost.Month, float64(r.Throughout))
	if others := float64(r.Started) - float64(r.Throughout); others > 0 {
		hours := r.AliveHours - float64(r.Throughout)*r.Span.Hours()
		add(time.Duration(hours/others*float64(time.Hour)), others*times)
	}
	fleetLives, err := cost.Groups(lives...)
	if err != nil {
		return nil, err
	}
	w := cost.Work{
		Memory: m.Host.Memory, MilliCPU: m.Host.MilliCPU, Requests: uint64(math.Round(float64(r.Served) * times)),
		Fleet: &cost.Fleet{
			Lives: fleetLives, Basis: "simulated",
			// Whoever is free and least busy takes the next request, so that as
			// many instances work as workers do, as far as there are so many.
			Busy: time.Duration(min(r.BusyMean, r.InstancesMean) * float64(cost.Month)),
			CPU:  max(1, time.Duration(r.BusyMean*m.workerCPU()*float64(cost.Month)/float64(fleetLives.N()))),
		},
	}
	if r.Response.N() > 0 {
		if w.Durations, err = cost.FromHistogram(r.Response); err != nil {
			return nil, err
		}
	}
	bill, err := m.Option.Bill(&w)
	if err == nil && m.Host.Baseline > 0 {
		bill.Notes = append(bill.Notes, fmt.Sprintf("Of the fleet's month %s are surplus credits; a worker that serves is taken to use %s of a vCPU.",
			bill.Of(cost.ByCompute).Cents(), units.FormatShare(m.workerCPU())))
	}
	return bill, err
}

// workerCPU is how much of a vCPU a worker uses while it serves, as far as
// anybody knows: all of one, or its share where there are more workers than vCPUs.
func (m *Machines) workerCPU() float64 {
	return min(1, float64(m.Host.MilliCPU)/1000/float64(max(1, m.Fleet.Workers)))
}

// carried is the service time that comes with the arrival that was yielded last:
// [fleet.Run] asks for it before it asks for the next arrival.
type carried struct{ service time.Duration }

func (c *carried) Sample(*rand.Rand) time.Duration { return c.service }

// telling tells now and then how far arrivals are.
func (p *Plan) telling() func(at time.Duration) {
	const each = 1 << 16
	span, all := p.span(), p.Source.About().Requests
	if most := float64(p.Options.Requests) * float64(p.Source.About().Functions); most > 0 && (all == 0 || most < all) {
		all = most
	}
	n := 0
	return func(at time.Duration) {
		if n++; n%each != 0 || p.Progress == nil {
			return
		}
		share := 0.
		if all > 0 {
			share = float64(n) / all
		}
		if span > 0 {
			share = max(share, float64(at)/float64(span))
		}
		p.Progress(min(share, 1))
	}
}

// requests are those of all functions in one order of time, each with how long
// it is served, as the functions' own simulation meets them. failed says
// afterwards what ended them early.
func (p *Plan) requests(ctx context.Context) (requests iter.Seq2[time.Duration, time.Duration], failed func() error, err error) {
	if n := p.Source.About().Functions; n > mostTogether {
		return nil, nil, &TogetherError{n}
	}
	var each []iter.Seq2[time.Duration, time.Duration]
	var ends []func() error
	for f, err := range p.Source.Functions(ctx) {
		if err != nil {
			return nil, nil, err
		}
		load, options, err := p.load(f)
		if err != nil {
			return nil, nil, err
		}
		each = append(each, sim.Requests(load, options))
		ends = append(ends, f.Err)
	}
	failed = func() error {
		for _, end := range ends {
			if err := end(); err != nil {
				return err
			}
		}
		return nil
	}
	if len(each) == 1 {
		return each[0], failed, nil
	}
	return inOrder(each), failed, nil
}

// inOrder merges sequences that ascend. Of requests at one instant the one of
// the sequence that stands first comes first.
func inOrder(each []iter.Seq2[time.Duration, time.Duration]) iter.Seq2[time.Duration, time.Duration] {
	return func(yield func(at, service time.Duration) bool) {
		var q callers
		for place, requests := range each {
			next, stop := iter.Pull2(requests)
			defer stop()
			if c := (&caller{next: next, place: place}); c.fetch() {
				q = append(q, c)
			}
		}
		heap.Init(&q)
		for len(q) > 0 {
			first := q[0]
			if !yield(first.at, first.service) {
				return
			}
			if first.fetch() {
				heap.Fix(&q, 0)
			} else {
				heap.Pop(&q)
			}
		}
	}
}

// caller is one function's requests, the next one at hand.
type caller struct {
	at, service time.Duration
	place       int
	next        func() (at, service time.Duration, ok bool)
}

func (c *caller) fetch() (ok bool) {
	c.at, c.service, ok = c.next()
	return ok
}

// callers are a heap, the one whose request comes first at its top.
type callers []*caller

func (q callers) Len() int { return len(q) }
func (q callers) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].place < q[j].place
}
func (q callers) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *callers) Push(c any)   { *q = append(*q, c.(*caller)) }
func (q *callers) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
