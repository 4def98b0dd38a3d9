package study

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Need is traffic and what is to be held for it.
type Need struct {
	// Rates are the load, one stretch after the other; a single one is a
	// constant load. The arrivals in a stretch are taken as Poisson.
	Rates []Stretch
	CPU   CPUTime // of a request on one whole vCPU of the shape; of [CPUOf]
	// Idle is what a request takes in addition without using a CPU, waiting for
	// others. The default is 0.
	Idle time.Duration

	Goal queue.Goal // response time with its quantile, timeout and error budget

	MinInstances int         // for availability; the default is 1
	BaseMemory   units.Bytes // that an instance takes without requests
	PerRequest   units.Bytes // that a request in an instance takes in addition
}

// Stretch is a time of constant load.
type Stretch struct {
	Length time.Duration // above 0
	Rate   units.Rate
}

// CPUTime is the CPU time of a request, ready to size with.
type CPUTime struct {
	draws   dist.Distribution
	service queue.Service
}

// CPUOf prepares a distribution of CPU times, once for any number of sizings.
// All but exponential ones are taken by 81 of their quantiles, close together
// at the top, with the mean kept.
func CPUOf(d dist.Distribution) (CPUTime, error) {
	if d == nil || d.Mean() <= 0 {
		return CPUTime{}, errors.New("cpu time: its mean is not above 0")
	}
	switch v := d.(type) {
	case dist.Exponential:
		return CPUTime{d, queue.Exponential(d.Mean())}, nil
	case dist.Constant:
		return CPUTime{d, queue.Constant(time.Duration(v))}, nil
	}
	var points []queue.Point
	low, sum := 0.0, 0.0
	add := func(high float64, n int) {
		for i := range n {
			width := (high - low) / float64(n)
			at := d.Quantile(low + (float64(i)+.5)*width)
			points = append(points, queue.Point{Time: at, Weight: width})
			sum += at.Seconds() * width
		}
		low = high
	}
	add(.9, 32)
	add(.99, 24)
	add(.999, 24)
	// What is above takes the rest of the mean, so that the load is exact.
	rest := (d.Mean().Seconds() - sum) / .001
	last := max(d.Quantile(.9995).Seconds(), rest)
	points = append(points, queue.Point{Time: time.Duration(last * 1e9), Weight: .001})
	service, err := queue.Discrete(points)
	if err != nil {
		return CPUTime{}, fmt.Errorf("cpu time %v: %w", d, err)
	}
	return CPUTime{d, service}, nil
}

// Shape is a machine.
type Shape struct {
	Name string
	// VCPU is how many it has, above 0. Part of one is a vCPU that is as much
	// slower.
	VCPU   float64
	Memory units.Bytes // 0 is not known, and no bound
	Burst  Burst       // of machines whose CPU is theirs for a share of the time
}

// Burst is the rule of machines that earn CPU credits, such as AWS's T family.
type Burst struct {
	// Baseline is the share of each vCPU that it may use all the time, 0 to 1; 0
	// is a machine without such a rule.
	Baseline float64
	// Credits is the most CPU time of one whole vCPU that it can save up. It
	// begins with none.
	Credits time.Duration
	// Unlimited is a machine that may use more than it has earned, for a price:
	// the rule then costs money, and bounds nothing.
	Unlimited bool
}

// SizeOptions say how to size.
type SizeOptions struct {
	// Balancing is whether a request waits for any instance, or for the one that
	// it was given to by chance. The default, Pooled, is the best that a
	// balancer can do, Split about the worst.
	Balancing Balancing
	// Follow has the number of instances follow the load from stretch to stretch
	// without delay. The default is as many as the busiest stretch takes, always.
	Follow bool
	// Autoscaling has the number follow the utilisation, with the delays of the
	// metric and of boots, and is sized by simulation in place of queueing
	// theory; Follow is without effect then. The default is none.
	Autoscaling *Autoscaling
}

// bounds says that the rule keeps a machine from using all of its CPU.
func (b Burst) bounds() bool { return b.Baseline > 0 && b.Baseline < 1 && !b.Unlimited }

// Balancing is who waits for whom.
type Balancing uint8

// The two ends.
const (
	Pooled Balancing = iota
	Split
)

// Fleet is machines that hold a need.
type Fleet struct {
	Instances     int     `json:"instances"` // most at a time
	InstanceHours float64 `json:"instance_hours"`
	Span          float64 `json:"span_s"`
	Utilisation   float64 `json:"utilisation"` // of the vCPUs, over the span
	// Response is the goal's quantile in the stretch where it is longest, and
	// ErrorShare the share of all requests beyond the timeout.
	Response   time.Duration `json:"response_ns"`
	ErrorShare float64       `json:"error_share"`
	Late       float64       `json:"late_share"` // of all requests: beyond the goal's response time
	Bound      Bound         `json:"bound"`      // what the number of the busiest stretch follows from
	Steps      []FleetStep   `json:"steps"`      // one a stretch; null with autoscaling

	// With autoscaling: the least minimum that holds the goal, and what came of
	// it. Response and ErrorShare are then of all requests of the span.
	Minimum    int           `json:"minimum,omitempty"`
	Simulation *fleet.Result `json:"simulation,omitempty"`
	sizes      []size        // of the simulation, ascending
}

// Mean is how many instances there are on average.
func (f *Fleet) Mean() float64 { return f.InstanceHours * time.Hour.Seconds() / f.Span }

// FleetStep is the fleet in one stretch.
type FleetStep struct {
	Rate       float64       `json:"rate_per_s"`
	Length     time.Duration `json:"length_ns"`
	Instances  int           `json:"instances"`
	Bound      Bound         `json:"bound"`
	Response   time.Duration `json:"response_ns"`
	ErrorShare float64       `json:"error_share"`
}

// Bound is what a number of instances follows from.
type Bound string

// The bounds.
const (
	ByTarget       Bound = "target"
	ByMemory       Bound = "memory"
	ByCredits      Bound = "cpu-credits"
	ByAvailability Bound = "availability"
	ByPeak         Bound = "busiest stretch"
)

// MemoryError says that a machine is too small for one instance of the server.
type MemoryError struct {
	Shape      string
	Has, Needs units.Bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s has %v of memory, and one server with one request needs %v", e.Shape, e.Has, e.Needs)
}

// Validate gives all faults.
func (n Need) Validate() error {
	var faults []error
	if len(n.Rates) == 0 {
		faults = append(faults, errors.New("rates: there are none"))
	}
	for i, s := range n.Rates {
		if s.Length <= 0 || !(s.Rate >= 0) || math.IsInf(float64(s.Rate), 1) {
			faults = append(faults, fmt.Errorf("stretch %d: length %v and rate %v are not above 0 and at least 0", i, s.Length, float64(s.Rate)))
		}
	}
	if n.CPU.draws == nil {
		faults = append(faults, errors.New("cpu time: it is not known; measure it (coldcurve run capacity) or give it"))
	}
	if n.Idle < 0 || n.MinInstances < 0 || n.BaseMemory < 0 || n.PerRequest < 0 {
		faults = append(faults, fmt.Errorf("idle %v, %d instances for availability, memory %d and %d a request: one is below 0", n.Idle, n.MinInstances, n.BaseMemory, n.PerRequest))
	}
	if n.Goal.Within > 0 && n.Idle >= n.Goal.Within {
		faults = append(faults, fmt.Errorf("idle %v leaves nothing of the target of %v", n.Idle, n.Goal.Within))
	}
	if n.Goal.Timeout > 0 && n.Idle >= n.Goal.Timeout {
		faults = append(faults, fmt.Errorf("idle %v leaves nothing of the timeout of %v", n.Idle, n.Goal.Timeout))
	}
	return errors.Join(append(faults, n.Goal.Validate())...)
}

// Validate gives all faults.
func (s Shape) Validate() error {
	var faults []error
	if !(s.VCPU > 0) || s.VCPU > 1e6 {
		faults = append(faults, fmt.Errorf("shape %s: %v vCPUs are not above 0", s.Name, s.VCPU))
	}
	if s.Memory < 0 {
		faults = append(faults, fmt.Errorf("shape %s: memory %d is below 0", s.Name, s.Memory))
	}
	if b := s.Burst; !(b.Baseline >= 0 && b.Baseline <= 1) || b.Credits < 0 {
		faults = append(faults, fmt.Errorf("shape %s: baseline %v is not from 0 to 1, or credits %v are below 0", s.Name, b.Baseline, b.Credits))
	}
	return errors.Join(faults...)
}

// Size gives the least fleet of a shape that holds a need, by queueing theory:
// in each stretch a steady state, with what package queue says of its error.
// A sizing takes microseconds a stretch. With autoscaling it is simulated,
// whole, for each number that is tried.
func Size(n Need, s Shape, o SizeOptions) (Fleet, error) {
	if err := errors.Join(n.Validate(), s.Validate()); err != nil {
		return Fleet{}, fmt.Errorf("size a fleet: %w", err)
	}
	if o.Autoscaling != nil {
		f, err := autoscaled(n, s, o)
		if err != nil {
			return Fleet{}, fmt.Errorf("size a fleet of %s with autoscaling: %w", s.Name, err)
		}
		return f, nil
	}
	z := newSizing(n, s, o)
	for _, stretch := range n.Rates {
		step, err := z.step(stretch)
		if err != nil {
			return Fleet{}, fmt.Errorf("size a fleet of %s for %v: %w", s.Name, stretch.Rate, err)
		}
		z.fleet.Steps = append(z.fleet.Steps, step)
	}
	if !o.Follow {
		z.level()
	}
	z.credits()
	return z.finish(), nil
}

// sizing is one run of Size.
type sizing struct {
	Need
	shape   Shape
	options SizeOptions
	service queue.Service // on a worker of the shape
	workers int           // of an instance
	goal    queue.Goal    // of what remains beside the idle time
	fleet   Fleet
}

func newSizing(n Need, s Shape, o SizeOptions) *sizing {
	z := &sizing{Need: n, shape: s, options: o, service: n.CPU.service, workers: max(1, int(s.VCPU)), goal: n.Goal}
	if s.VCPU < 1 {
		z.service = z.service.Scaled(1 / s.VCPU)
	}
	z.goal.Within -= n.Idle
	if z.goal.Timeout > 0 {
		z.goal.Timeout -= n.Idle
	}
	return z
}

// system is a queue as one request sees it.
func (z *sizing) system(rate units.Rate, instances int) queue.System {
	s := queue.System{Rate: float64(rate), Service: z.service, Servers: instances * z.workers}
	if z.options.Balancing == Split {
		s.Rate, s.Servers = s.Rate/float64(instances), z.workers
	}
	return s
}

// step sizes one stretch: the first bound that asks for the most is named.
func (z *sizing) step(stretch Stretch) (FleetStep, error) {
	count, err := z.forTarget(stretch.Rate)
	if err != nil {
		return FleetStep{}, err
	}
	step := FleetStep{Rate: float64(stretch.Rate), Length: stretch.Length, Instances: count, Bound: ByTarget}
	more := func(n int, why Bound) {
		if n > step.Instances {
			step.Instances, step.Bound = n, why
		}
	}
	memory, err := z.forMemory(stretch.Rate, count)
	if err != nil {
		return FleetStep{}, err
	}
	more(memory, ByMemory)
	more(max(1, z.MinInstances), ByAvailability)
	return step, nil
}

func (z *sizing) forTarget(rate units.Rate) (int, error) {
	servers, err := queue.Smallest(queue.System{Rate: float64(rate), Service: z.service}, z.goal)
	if err != nil {
		return 0, err
	}
	count := (servers + z.workers - 1) / z.workers
	if z.options.Balancing == Pooled {
		return count, nil
	}
	// Apart, instances hold less than together: up from there, in doubling
	// steps, then between the last two.
	low, high := count, count
	for step := 1; !z.goal.Holds(z.system(rate, high)); step *= 2 {
		if low, high = high+1, high+step; high > queue.MostServers {
			return 0, &queue.TooManyError{Load: float64(rate) * z.service.Mean().Seconds()}
		}
	}
	for low < high {
		if middle := low + (high-low)/2; z.goal.Holds(z.system(rate, middle)) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return high, nil
}

// forMemory is how many instances hold the requests that are there at a time:
// their mean by Little's law and four times its root, which a Poisson number
// exceeds less than once in 10,000.
func (z *sizing) forMemory(rate units.Rate, atLeast int) (int, error) {
	if z.shape.Memory == 0 {
		return 0, nil
	}
	needs := z.BaseMemory + z.PerRequest
	if needs > z.shape.Memory {
		return 0, &MemoryError{Shape: z.shape.Name, Has: z.shape.Memory, Needs: needs}
	}
	if z.PerRequest == 0 {
		return 0, nil
	}
	took := z.system(rate, atLeast).MeanWait() + z.service.Mean() + z.Idle
	there := float64(rate) * took.Seconds()
	room := float64((z.shape.Memory - z.BaseMemory) / z.PerRequest)
	return int(math.Ceil((there + 4*math.Sqrt(there)) / room)), nil
}

// level gives all stretches what the busiest takes.
func (z *sizing) level() {
	most := z.most()
	for i := range z.fleet.Steps {
		z.raise(i, most, ByPeak)
	}
}

func (z *sizing) most() (most int) {
	for _, s := range z.fleet.Steps {
		most = max(most, s.Instances)
	}
	return most
}

func (z *sizing) raise(i, to int, why Bound) {
	if s := &z.fleet.Steps[i]; to > s.Instances {
		s.Instances, s.Bound = to, why
	}
}

// credits adds instances until no stretch uses more CPU credits than were saved
// up before it. Where the fleet follows the load, only the stretch that would
// run out gets more; an instance that joins has what the others have.
func (z *sizing) credits() {
	if !z.shape.Burst.bounds() {
		return
	}
	base := z.shape.Burst.Baseline
	saved := 0.0 // seconds of one vCPU, of each instance
	for i := range z.fleet.Steps {
		s := &z.fleet.Steps[i]
		earns, length := base*z.shape.VCPU, s.Length.Seconds()
		work := s.Rate * z.CPU.service.Mean().Seconds()
		if work > 0 {
			// each uses work/n a second, and may use what it earns and has saved
			z.raise(i, int(math.Ceil(work/(earns+saved/length)-1e-9)), ByCredits)
		}
		if !z.options.Follow {
			if most := z.most(); most > z.fleet.Steps[0].Instances {
				z.levelBy(most, i)
				z.credits() // from the beginning, with more that save up
				return
			}
		}
		saved += (earns - work/float64(s.Instances)) * length
		saved = max(0, min(saved, z.shape.Burst.Credits.Seconds()))
	}
}

// levelBy gives all stretches what one of them takes for its credits.
func (z *sizing) levelBy(most, because int) {
	for i := range z.fleet.Steps {
		why := ByPeak
		if i == because {
			why = ByCredits
		}
		z.raise(i, most, why)
	}
}

// finish computes what holds with the numbers found.
func (z *sizing) finish() Fleet {
	f := &z.fleet
	requests, failed, late, busy, there := 0.0, 0.0, 0.0, 0.0, 0.0
	for i := range f.Steps {
		s := &f.Steps[i]
		system := z.system(units.Rate(s.Rate), s.Instances)
		s.Response = system.ResponseQuantile(z.goal.Quantile) + z.Idle
		if z.goal.Timeout > 0 {
			s.ErrorShare = system.ResponseTail(z.goal.Timeout)
		}
		length := s.Length.Seconds()
		f.Span += length
		f.InstanceHours += float64(s.Instances) * s.Length.Hours()
		requests += s.Rate * length
		failed += s.Rate * length * s.ErrorShare
		late += s.Rate * length * system.ResponseTail(z.goal.Within)
		busy += s.Rate * z.CPU.service.Mean().Seconds() * length
		there += float64(s.Instances) * z.shape.VCPU * length
		f.Response = max(f.Response, s.Response)
		if s.Instances > f.Instances {
			f.Instances, f.Bound = s.Instances, s.Bound
		} else if s.Instances == f.Instances && f.Bound == ByPeak {
			f.Bound = s.Bound
		}
	}
	f.Utilisation = busy / there
	if requests > 0 {
		f.ErrorShare, f.Late = failed/requests, late/requests
	}
	return *f
}
