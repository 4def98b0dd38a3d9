package study

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// CurveSchema is the version of a curve's JSON form.
const CurveSchema = "coldcurve.curve/v1"

// Over is what a curve's costs are drawn over.
type Over string

const (
	OverRate     Over = "rate"     // requests a second, all month
	OverDuty     Over = "duty"     // share of the month in which requests come at a rate
	OverMemory   Over = "memory"   // of an instance
	OverDuration Over = "duration" // of a request, its CPU time in proportion
)

// Comparison is options to have the same work done, held to the same target.
type Comparison struct {
	Book    *prices.Book
	Options []string // the first is what the others are set against
	Terms   cost.Terms

	// Work is a month of the work; its Requests and Fleet are of no account.
	Work cost.Work
	Rate units.Rate // of the requests, where it is not the axis
	// CPU is the mean CPU time of a request on one vCPU, and CPUBasis how it is
	// known: "given", "measured by runs/x". Requests that take longer than others
	// use as much more of it. 0 is not known: then no fleet can be sized.
	CPU      time.Duration
	CPUBasis string
	// Goal is of the response time, for all options. The default is none: fleets
	// need only carry the load, and p99 is what is told of them.
	Goal queue.Goal
	// MinInstances of a fleet, for availability; the default is 2, so that the
	// failure of one, or of its zone, leaves another.
	MinInstances int
	// Concurrency is the most requests that the account may have under way in
	// functions; 0 is the product's quota.
	Concurrency uint64
	Disk        units.Bytes // of each instance of a fleet
	Address     bool        // each has a public IPv4 address
	Sizing      SizeOptions

	Over     Over
	From, To float64 // requests a second, a share, bytes or seconds; 0 < From < To
	At       float64 // the place of Tradeoffs; the default is halfway, on a logarithmic axis
	Points   int     // on the curve, evenly spaced on a logarithmic axis; the default is 121
}

// Validate gives all faults.
func (c *Comparison) Validate() error {
	var f faults
	f.when(!(c.From > 0 && c.To > c.From) || math.IsInf(c.To, 1), "%s from %v to %v: must be above 0 and ascend", c.Over, c.From, c.To)
	f.when(c.Over == OverDuty && c.To > 1, "duty to %v: at most 1, which is all the time", c.To)
	f.when(c.Over != OverRate && !(c.Rate > 0), "rate: over %s it must be above 0", c.Over)
	f.when(c.Points < 0 || c.Points == 1 || c.Points > 100_000, "points: %d: at least 2 and at most 100,000", c.Points)
	f.when(c.At < 0 || math.IsInf(c.At, 1), "at %v: must be above 0", c.At)
	return errors.Join(c.validateWork(), errors.Join(f...))
}

// validateWork gives the faults of everything but the axis.
func (c *Comparison) validateWork() error {
	var f faults
	f.when(len(c.Options) == 0, "options: there are none")
	f.when(c.Work.Durations == nil, "work: no durations")
	f.when(c.CPU < 0, "cpu time: %v is below 0", c.CPU)
	f.when(c.MinInstances < 0, "instances: %d for availability are below 0", c.MinInstances)
	return errors.Join(errors.Join(f...), c.goal().Validate())
}

// faults are what is wrong with a value.
type faults []error

func (f *faults) when(wrong bool, format string, args ...any) {
	if wrong {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// goal is the goal, or one that whatever carries the load holds.
func (c *Comparison) goal() queue.Goal {
	if c.Goal == (queue.Goal{}) {
		return queue.Goal{Quantile: .99, Within: 100 * 24 * time.Hour}
	}
	return c.Goal
}

// spot is one place on the axis: what there is to do.
type spot struct {
	x        float64
	rate     units.Rate // while requests come
	requests uint64     // in the month
	work     cost.Work
	cpu      CPUTime
	idle     time.Duration // of a request, mean
	// day is the load of a day that repeats, whose mean is rate, and scaling how
	// fleets follow it; nil for a constant load.
	day     []Stretch
	scaling *Autoscaling
}

// ticks are the whole numbers that the axis is made of, so that solving for a
// place ends: requests a month, MB or microseconds.
func (c *Comparison) tick(x float64) uint64 {
	switch c.Over {
	case OverDuty:
		x *= float64(c.Rate) * cost.Month.Seconds()
	case OverMemory:
		x /= float64(units.MB)
	case OverDuration:
		x *= 1e6
	default:
		x *= cost.Month.Seconds()
	}
	return uint64(max(1, math.Round(x)))
}

func (c *Comparison) value(tick uint64) float64 {
	switch v := float64(tick); c.Over {
	case OverDuty:
		return v / (float64(c.Rate) * cost.Month.Seconds())
	case OverMemory:
		return v * float64(units.MB)
	case OverDuration:
		return v / 1e6
	default:
		return v / cost.Month.Seconds()
	}
}

// spot is what there is to do at a tick.
func (c *comparison) spot(tick uint64) (spot, error) {
	s := spot{x: c.value(tick), rate: c.Rate, cpu: c.cpu, idle: c.idle, work: c.Work}
	s.requests = cost.PerMonth(c.Rate)
	switch c.Over {
	case OverRate:
		s.rate, s.requests = units.Rate(s.x), tick
	case OverDuty:
		s.requests = tick
	case OverMemory:
		s.work.Memory = units.Bytes(tick) * units.MB
	case OverDuration:
		factor := s.x / c.Work.Durations.Mean().Seconds()
		longer, err := c.Work.Durations.Scaled(factor)
		if err != nil {
			return s, err
		}
		s.work.Durations, s.idle = longer, time.Duration(float64(c.idle)*factor)
		if c.CPU > 0 {
			s.cpu, err = cpuLike(longer, max(1, time.Duration(float64(c.CPU)*factor)))
		}
		if err != nil {
			return s, err
		}
	}
	s.work = s.work.Times(s.requests)
	return s, nil
}

// share is a part of the requests, whose times have a mean and are spread as
// their durations are.
type share struct {
	durations *cost.Durations
	mean      time.Duration
}

// spread is the times of all shares together, each of as many requests as it has
// durations.
func spread(shares ...share) (dist.Distribution, error) {
	h := hist.New()
	for _, s := range shares {
		ratio := float64(s.mean) / float64(max(1, s.durations.Mean()))
		for g := range s.durations.Each {
			h.RecordN(time.Duration(math.Round(float64(g.High)*ratio)), g.Count)
		}
	}
	if h.Min() == h.Max() {
		return dist.Constant(h.Max()), nil
	}
	return dist.NewEmpirical(h)
}

// cpuLike is CPU times of a mean that are spread as durations are.
func cpuLike(d *cost.Durations, mean time.Duration) (CPUTime, error) {
	like, err := spread(share{d, mean})
	if err != nil {
		return CPUTime{}, err
	}
	return CPUOf(like)
}

// comparison is a Comparison under way.
type comparison struct {
	*Comparison
	cpu     CPUTime
	idle    time.Duration
	options []*candidate
}

// candidate is one option.
type candidate struct {
	name   string
	option cost.Option
	host   *cost.Host   // nil where calls are billed
	quota  *prices.Fact // of calls under way; nil for none
	err    error        // it cannot do the work at all
}

// begin prepares what is the same at every place.
func (c *Comparison) begin() (*comparison, error) {
	if err := c.validateWork(); err != nil {
		return nil, err
	}
	run := &comparison{Comparison: c, idle: max(0, c.Work.Durations.Mean()-c.CPU)}
	c.MinInstances = cmp.Or(c.MinInstances, 2)
	if c.CPU > 0 {
		var err error
		if run.cpu, err = cpuLike(c.Work.Durations, c.CPU); err != nil {
			return nil, err
		}
	}
	for _, name := range c.Options {
		o, err := run.candidate(name)
		if err != nil {
			return nil, err
		}
		run.options = append(run.options, o)
	}
	return run, nil
}

// UnknownCapacity says that nobody knows what a fleet's instances carry.
type UnknownCapacity struct{ Option string }

func (e *UnknownCapacity) Error() string {
	return fmt.Sprintf("how many requests an instance of %s carries is not known", e.Option)
}

func (c *comparison) candidate(name string) (*candidate, error) {
	option, err := cost.New(c.Book, name, c.Terms)
	if err != nil {
		return nil, err
	}
	o := &candidate{name: name, option: option}
	o.host, err = cost.HostOf(c.Book, name, c.Work.Memory, c.Work.MilliCPU)
	if _, impossible := errors.AsType[*cost.Impossible](err); impossible {
		o.err = err
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	if o.host != nil && c.CPU == 0 {
		return nil, &UnknownCapacity{name}
	}
	if o.host == nil {
		o.quota = quotaOf(c.Book, name, c.Terms.On)
	}
	return o, nil
}

// quotaOf is how many calls an account may have under way, where the book says.
func quotaOf(book *prices.Book, name string, on prices.Date) *prices.Fact {
	first, _, _ := strings.Cut(name, "+")
	p, err := book.Product(first)
	if err != nil {
		return nil
	}
	if f, err := p.Fact("account_concurrency", on); err == nil {
		return &f
	}
	return nil
}

// priced is one option at one place.
type priced struct {
	bill  *cost.Bill
	err   error // [*cost.Impossible], [*cost.Missing]
	fleet Fleet
	total units.Money // of the bill
	p99   time.Duration
}

// at prices an option at a place. An error is neither impossible nor missing.
func (c *comparison) at(o *candidate, tick uint64) (priced, error) {
	s, err := c.spot(tick)
	if err != nil {
		return priced{}, err
	}
	if o.err != nil {
		return priced{err: o.err}, nil
	}
	p := priced{}
	if o.host != nil {
		p = c.hosted(o, &s)
	}
	if p.err == nil {
		p.bill, p.err = o.option.Bill(&s.work)
	}
	if p.err == nil && o.host == nil {
		p.p99 = responses(&s.work, c.goal().Quantile)
		p.err = c.beyond(o, &s, p.p99)
	}
	switch {
	case p.err == nil:
		p.total = p.bill.Total
	case answer(p.err):
		p.bill = nil
	default:
		return p, p.err
	}
	return p, nil
}

func answer(err error) bool {
	_, impossible := errors.AsType[*cost.Impossible](err)
	_, missing := errors.AsType[*cost.Missing](err)
	return impossible || missing
}

// beyond holds an option that bills calls to the target and to its quota.
func (c *comparison) beyond(o *candidate, s *spot, took time.Duration) error {
	if took > c.goal().Within {
		return &cost.Impossible{Product: o.name, Limit: c.goalText(),
			Have: "of the calls' own time it is " + units.FormatDuration(took)}
	}
	return c.overQuota(o, s)
}

// overQuota holds the calls under way at the highest rate to what the account
// may have.
func (c *comparison) overQuota(o *candidate, s *spot) error {
	if o.quota == nil {
		return nil
	}
	most, _ := o.quota.Number.Rat().Float64()
	if c.Concurrency > 0 {
		most = float64(c.Concurrency)
	}
	highest := s.rate
	for _, part := range s.day {
		highest = max(highest, part.Rate)
	}
	there := float64(highest) * s.work.Durations.Mean().Seconds()
	if there <= most {
		return nil
	}
	return &cost.Impossible{Product: o.name, Origin: o.quota.Origin,
		Limit: fmt.Sprintf("the account may have %s calls under way (%s)", units.FormatCount(uint64(most)), cmp.Or(o.quota.Note, "its quota")),
		Have:  fmt.Sprintf("%s are on average", units.FormatCount(uint64(there+.5)))}
}

// goalText is the target in words: "p99 must be within 300 ms".
func (c *Comparison) goalText() string {
	if c.Goal == (queue.Goal{}) {
		return "it must carry the load"
	}
	g := c.Goal
	return fmt.Sprintf("p%g must be within %s", 100*g.Quantile, units.FormatDuration(g.Within))
}

// responses is a quantile of how long calls take: cold ones with their init.
func responses(w *cost.Work, q float64) time.Duration {
	if w.Cold == 0 || w.Init == nil || w.Requests == 0 {
		return w.Durations.Quantile(q)
	}
	share := float64(w.Cold) / float64(w.Requests)
	cold, err := cost.Together(w.Durations, w.Init)
	if err != nil {
		return w.Durations.Quantile(q)
	}
	// The least time that leaves at most 1-q above, of both kinds together.
	low, high := time.Duration(0), cold.Max()
	for high-low > 1 {
		if t := low + (high-low)/2; (1-share)*upTo(w.Durations, t)+share*upTo(cold, t) >= q {
			high = t
		} else {
			low = t
		}
	}
	return high
}

func upTo(d *cost.Durations, t time.Duration) float64 {
	n := uint64(0)
	for g := range d.Each {
		if g.High <= t {
			n += g.Count
		}
	}
	return float64(n) / float64(d.N())
}

// hosted sizes the fleet of an option that bills instances.
func (c *comparison) hosted(o *candidate, s *spot) priced {
	host := o.host
	if c.Over == OverMemory {
		var err error
		if host, err = cost.HostOf(c.Book, o.name, s.work.Memory, s.work.MilliCPU); err != nil {
			return priced{err: err}
		}
	}
	sizing := c.Sizing
	if s.scaling != nil {
		sizing.Autoscaling = s.scaling
	}
	f, err := Size(c.need(s), shapeOf(host), sizing)
	if err != nil {
		return priced{err: &cost.Impossible{Product: host.Product, Limit: c.goalText(), Have: inWords(err), Origin: host.Origin}}
	}
	return priced{fleet: f, p99: f.Response, err: c.house(&s.work, host, f, s)}
}

func (c *comparison) need(s *spot) Need {
	n := Need{
		Rates: []Stretch{{Length: cost.Month, Rate: s.rate}}, CPU: s.cpu, Idle: s.idle,
		Goal: c.goal(), MinInstances: c.MinInstances, BaseMemory: s.work.Memory,
	}
	if s.day != nil {
		n.Rates = s.day
	}
	if s.work.MemoryUsed > 0 {
		n.BaseMemory = s.work.MemoryUsed
	}
	return n
}

func shapeOf(h *cost.Host) Shape {
	return Shape{Name: h.Product, VCPU: float64(h.MilliCPU) / 1000, Memory: h.Memory, Burst: Burst{Baseline: h.Baseline, Credits: h.Credits, Unlimited: h.Unlimited}}
}

// house puts a fleet into the work that it does.
func (c *comparison) house(w *cost.Work, host *cost.Host, f Fleet, s *spot) error {
	w.Fleet = cost.Always(uint64(f.Instances))
	w.Fleet.Basis = "sized by queueing theory, CPU time " + c.CPUBasis
	if f.Simulation != nil {
		lives, err := f.monthOfLives()
		if err != nil {
			return err
		}
		w.Fleet = &cost.Fleet{Lives: lives, Basis: "sized by simulation, CPU time " + c.CPUBasis}
	}
	w.Fleet.Disk, w.Fleet.Address = c.Disk, c.Address
	w.Fleet.CPU = max(1, time.Duration(s.cpu.service.Mean().Seconds()*float64(s.requests)/float64(w.Fleet.Lives.N())*1e9))
	if !host.Machine {
		w.Memory, w.MilliCPU = host.Memory, host.MilliCPU
	}
	// An instance serves nobody for a share of exp(-requests in it), as Poisson
	// arrivals have it.
	there := f.Mean()
	each := float64(s.rate) * s.work.Durations.Mean().Seconds() / there
	share := float64(s.requests) / max(1, float64(s.rate)*cost.Month.Seconds())
	busy := float64(cost.Month) * there * -math.Expm1(-each) * min(1, share)
	w.Fleet.Busy = max(1, time.Duration(min(busy, math.MaxInt64/2)))
	return nil
}

// inWords is why no fleet will do.
func inWords(err error) string {
	if e, ok := errors.AsType[*queue.UnreachableError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*MemoryError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*queue.TooManyError](err); ok {
		return e.Error()
	}
	return err.Error()
}

// spaced are the ticks of the curve's points, ascending, each once.
func (c *comparison) spaced() []uint64 {
	first, last := c.tick(c.From), c.tick(c.To)
	ratio := math.Log(c.To / c.From)
	var out []uint64
	for i := range c.Points {
		t := c.tick(c.From * math.Exp(ratio*float64(i)/float64(c.Points-1)))
		out = append(out, min(max(t, first), last))
	}
	return slices.Compact(out)
}
