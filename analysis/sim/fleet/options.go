package fleet

import (
	"errors"
	"fmt"
	"time"
)

// Options is a fleet and its rules.
type Options struct {
	Service Sampler // how long a request keeps a worker; the queue comes on top
	// Instances is how many take requests from the start: all there ever are
	// without autoscaling. The default is the autoscaling's minimum, else 1.
	Instances int
	// Workers is how many requests an instance serves at a time: its vCPUs for
	// work that computes, more for work that waits. The default is 1.
	Workers   int
	Balancing Balancing // who gets a request; the default is SharedQueue
	// QueueLimit is how many requests may wait, in all or, without a shared
	// queue, for one instance; more are errors. The default is no limit.
	QueueLimit int
	// QueueTimeout is how long a request waits for a worker before it is an
	// error. The default is for ever.
	QueueTimeout time.Duration

	Autoscaling *Autoscaling // nil is a fleet of constant size
	Boot        Sampler      // from an instance's start until it takes requests; nil is at once
	// MTBF is the mean time between the failures of one instance that takes
	// requests, exponentially distributed. Its requests are errors, and another
	// instance is started in its place. The default is that none fails.
	MTBF time.Duration
	// DrainTimeout is how long an instance that is to stop may go on with the
	// requests that it has; what is left then are errors. The default is as long
	// as it takes.
	DrainTimeout time.Duration

	Billing Billing
	Target  time.Duration // response times above it are misses; the default is none
	// Warmup is the time from the start that no figure is about: requests that
	// arrive in it, and the instances' time.
	Warmup time.Duration
	// Span is the time from the start until the figures end, at least the last
	// arrival's and above Warmup. The default is the last arrival's.
	Span time.Duration
	Seed uint64
	// Observe is told of each change of the fleet's size, in order; nil is nobody.
	Observe func(Change)
}

// Balancing is how requests come to instances.
type Balancing string

// The policies. All but SharedQueue give a request to an instance when it
// arrives; where all of its workers are busy, the request waits for that
// instance, even while others have become free.
const (
	SharedQueue      Balancing = "shared-queue"      // one queue: whoever is free takes the next, the least busy instance first
	RoundRobin       Balancing = "round-robin"       // in turns
	LeastOutstanding Balancing = "least-outstanding" // the one with the fewest requests, by chance among equals
	RandomTwo        Balancing = "random-two"        // the better of two by chance (Mitzenmacher 2001)
	Random           Balancing = "random"            // by chance
)

// Balancings are all policies.
func Balancings() []Balancing {
	return []Balancing{SharedQueue, RoundRobin, LeastOutstanding, RandomTwo, Random}
}

// Autoscaling keeps the utilisation of a fleet near a target: at the end of
// each period it wants
//
//	ceil(instances that take requests x utilisation / target)
//
// with utilisation the mean share of busy workers in that period, as target
// tracking of EC2 Auto Scaling and Kubernetes' Horizontal Pod Autoscaler do.
type Autoscaling struct {
	Target float64       // above 0, at most 1
	Period time.Duration // of the metric; the default is 1 minute
	Delay  time.Duration // from a period's end until its metric is acted on; the default is 0
	// OutAfter and InAfter are how many periods in a row must want more, or
	// less, before that is done. The default is 1.
	OutAfter, InAfter int
	// OutCooldown is how long after instances were added none is added, and
	// InCooldown how long after any change none is taken away. The default is 0.
	OutCooldown, InCooldown time.Duration
	// Min and Max bound the number of instances that boot or take requests. Min
	// is what availability asks for too: what fails is replaced. The default of
	// Min is 1; Max has none and is at least Min.
	Min, Max int
}

// Billing is how an instance's life is rounded to what is paid.
type Billing struct {
	Step    time.Duration // lives are rounded up to a multiple; the default is 1 second
	Minimum time.Duration // of one life; the default is 0
}

// withDefaults is o with what was left out.
func (o Options) withDefaults() Options {
	o.Workers = orDefault(o.Workers, 1)
	if o.Balancing == "" {
		o.Balancing = SharedQueue
	}
	o.Billing.Step = orDefault(o.Billing.Step, time.Second)
	if o.Autoscaling != nil {
		a := *o.Autoscaling
		a.Period = orDefault(a.Period, time.Minute)
		a.OutAfter, a.InAfter, a.Min = orDefault(a.OutAfter, 1), orDefault(a.InAfter, 1), orDefault(a.Min, 1)
		o.Autoscaling = &a
		o.Instances = orDefault(o.Instances, a.Min)
	}
	o.Instances = orDefault(o.Instances, 1)
	return o
}

func orDefault[T comparable](v, usual T) T {
	var zero T
	if v == zero {
		return usual
	}
	return v
}

// Validate gives all faults.
func (o Options) Validate() error {
	o = o.withDefaults()
	var faults []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	want(o.Service != nil, "service: there is none")
	const most = 1_000_000
	want(o.Instances > 0 && o.Instances <= most, "instances %d are outside 1 to %d", o.Instances, most)
	want(o.Workers > 0 && o.Workers <= most, "workers %d are outside 1 to %d", o.Workers, most)
	want(o.Balancing.known(), "balancing %q is none of %q", o.Balancing, Balancings())
	want(o.QueueLimit >= 0, "queue limit %d is below 0", o.QueueLimit)
	want(o.Span == 0 || o.Span > o.Warmup, "span %v is not above the warm-up of %v", o.Span, o.Warmup)
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"queue timeout", o.QueueTimeout}, {"mtbf", o.MTBF}, {"drain timeout", o.DrainTimeout}, {"target", o.Target},
		{"warm-up", o.Warmup}, {"span", o.Span}, {"billing step", o.Billing.Step}, {"billing minimum", o.Billing.Minimum},
	} {
		want(d.value >= 0, "%s %v is below 0", d.name, d.value)
	}
	if a := o.Autoscaling; a != nil {
		faults = append(faults, a.validate(o.Instances, most))
	}
	return errors.Join(faults...)
}

func (a *Autoscaling) validate(instances, most int) error {
	var faults []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("autoscaling: "+format, args...))
		}
	}
	want(a.Target > 0 && a.Target <= 1, "target %v is not above 0 and at most 1", a.Target)
	want(a.Period > 0, "period %v is not above 0", a.Period)
	want(a.Delay >= 0 && a.OutCooldown >= 0 && a.InCooldown >= 0, "delay %v, cooldowns %v and %v: one is below 0", a.Delay, a.OutCooldown, a.InCooldown)
	want(a.OutAfter > 0 && a.InAfter > 0, "%d and %d periods in a row: one is below 1", a.OutAfter, a.InAfter)
	want(a.Min > 0 && a.Min <= a.Max && a.Max <= most, "min %d and max %d are not in order from 1 to %d", a.Min, a.Max, most)
	want(instances >= a.Min && instances <= a.Max, "%d instances at the start are outside min %d to max %d", instances, a.Min, a.Max)
	return errors.Join(faults...)
}

func (b Balancing) known() bool {
	for _, known := range Balancings() {
		if b == known {
			return true
		}
	}
	return false
}
