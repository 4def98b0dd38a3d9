package cli

import (
	"fmt"
	"math"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// besideFlags are what the same requests meet beside the functions, and what
// both sides are held against.
type besideFlags struct {
	Fleet      string `placeholder:"PRODUCT" help:"Have machines or containers meet the same requests beside the functions: aws/ec2/c7g.large, aws/fargate, aws/ec2/c7g.large+aws/alb. They are billed unless --price is empty."`
	fleetFlags `embed:"" prefix:"fleet-"`
	Target     targetFlag `placeholder:"p99=300ms" help:"Response time that functions and fleet are held against; what is later, or fails, is a miss."`
}

// fleetFlags are the rules of a fleet.
type fleetFlags struct {
	Instances   countFlag `placeholder:"N" help:"Instances: all there are, or with --fleet-autoscale those at the start. The default is 1, or the minimum."`
	Workers     countFlag `placeholder:"N" help:"Requests that an instance serves at once; others wait. The default is its vCPUs."`
	Service     distFlag  `placeholder:"DIST" help:"How long a request keeps a worker. The default is as long as an instance of its function works for it."`
	Memory      bytesFlag `placeholder:"SIZE" help:"Memory of a container; the default is --memory."`
	VCPU        float64   `name:"vcpu" placeholder:"N" help:"vCPUs of a container; the default is the fewest from 1 on that the product has with the memory."`
	Balancing   string    `enum:",shared-queue,round-robin,least-outstanding,random-two,random" default:"" placeholder:"WHO" help:"Who gets a request: shared-queue (whoever is free takes the next, the default), round-robin, least-outstanding, random-two, random."`
	Queue       countFlag `placeholder:"N" help:"Most requests that wait, in all or, without a shared queue, for one instance. The default is no limit."`
	Timeout     duration  `placeholder:"DURATION" help:"Longest wait for a worker. The default is for ever."`
	MTBF        duration  `name:"mtbf" placeholder:"DURATION" help:"Mean time between failures of an instance; its requests fail, and another is started. The default is that none fails."`
	Boot        distFlag  `placeholder:"DIST" help:"From an instance's start until it takes requests, such as 90s. The default is at once."`
	Autoscale   shareFlag `placeholder:"SHARE" help:"Have the number of instances follow their utilisation, to hold such as 60%."`
	Min         countFlag `placeholder:"N" help:"Fewest instances that are kept. The default is 1."`
	Max         countFlag `placeholder:"N" help:"Most instances. The default is 100."`
	Period      duration  `placeholder:"DURATION" help:"How long utilisation is averaged over before it is acted on. The default is 1m."`
	Delay       duration  `placeholder:"DURATION" help:"How late after its period a metric is acted on. The default is at once."`
	OutAfter    countFlag `placeholder:"N" help:"So many periods in a row must want more instances. The default is 1."`
	InAfter     countFlag `placeholder:"N" help:"So many periods in a row must want fewer. The default is 1."`
	OutCooldown duration  `placeholder:"DURATION" help:"How long after instances were added none is. The default is 0."`
	InCooldown  duration  `placeholder:"DURATION" help:"How long after any change none is taken away. The default is 0."`
	Drain       duration  `placeholder:"DURATION" help:"How long an instance that stops may go on with what it has. The default is as long as it takes."`
}

// mostInstances is as far as an autoscaler goes where nobody says.
const mostInstances = 100

// rule is a flag of a fleet that was given.
type rule struct {
	key, value  string
	autoscaling bool // it means nothing without
}

// rules are the flags that were given, in the order of the help, as keys.
func (f *fleetFlags) rules() []rule {
	var given []rule
	add := func(key string, is bool, autoscaling bool, value string) {
		if is {
			given = append(given, rule{key, value, autoscaling})
		}
	}
	count := func(key string, c countFlag, autoscaling bool) {
		add(key, c.given, autoscaling, fmt.Sprint(c.value))
	}
	span := func(key string, d duration, autoscaling bool) {
		if d.value != nil {
			add(key, true, autoscaling, units.FormatDuration(*d.value))
		}
	}
	count("instances", f.Instances, false)
	count("workers", f.Workers, false)
	if f.Service.given {
		add("service", true, false, f.Service.value.String())
	}
	add("memory", f.Memory.given, false, f.Memory.value.String())
	add("vcpu", f.VCPU != 0, false, fmt.Sprint(f.VCPU))
	add("balancing", f.Balancing != "", false, f.Balancing)
	count("queue", f.Queue, false)
	span("timeout", f.Timeout, false)
	span("mtbf", f.MTBF, false)
	if f.Boot.given {
		add("boot", true, false, f.Boot.value.String())
	}
	add("autoscale", f.Autoscale.given, false, units.FormatShare(f.Autoscale.value))
	count("min", f.Min, true)
	count("max", f.Max, true)
	span("period", f.Period, true)
	span("delay", f.Delay, true)
	count("out-after", f.OutAfter, true)
	count("in-after", f.InAfter, true)
	span("out-cooldown", f.OutCooldown, true)
	span("in-cooldown", f.InCooldown, true)
	span("drain", f.Drain, true)
	return given
}

// machines are the fleet that the flags describe; nil for none.
func (c *simulateCmd) machines() (*study.Machines, error) {
	rules := c.rules()
	if c.Target.given {
		if err := c.Target.value.Validate(); err != nil {
			return nil, usage("--target: %w", err)
		}
	}
	switch {
	case c.Fleet == "" && len(rules) > 0:
		return nil, usage("--fleet-%s without --fleet: write what the fleet is made of, such as --fleet aws/ec2/c7g.large", rules[0].key)
	case c.Fleet == "":
		return nil, nil
	case len(c.Sweep) > 0:
		return nil, usage("--fleet with --sweep: leave one out: a policy of functions changes nothing for machines")
	}
	if err := c.possible(rules); err != nil {
		return nil, err
	}
	host, err := c.host()
	if err != nil {
		return nil, err
	}
	m := &study.Machines{Host: *host, Service: c.fleetFlags.Service.value, Fleet: c.fleetOptions(host)}
	whole := m.Fleet
	whole.Service = dist.Constant(0) // which the traffic brings along
	if err := whole.Validate(); err != nil {
		return nil, usage("--fleet: %w", err)
	}
	if c.Price != "" {
		if m.Option, err = c.priced("--fleet", c.Fleet); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// possible says which flags cannot be meant so.
func (c *simulateCmd) possible(rules []rule) error {
	f := &c.fleetFlags
	for _, r := range rules {
		if r.autoscaling && !f.Autoscale.given {
			return usage("--fleet-%s without --fleet-autoscale: a fleet of constant size does not scale; add --fleet-autoscale 60%%, or leave it out", r.key)
		}
	}
	for _, n := range []struct {
		key string
		countFlag
	}{{"instances", f.Instances}, {"workers", f.Workers}, {"queue", f.Queue}, {"min", f.Min}, {"max", f.Max}, {"out-after", f.OutAfter}, {"in-after", f.InAfter}} {
		if n.given && (n.value < 1 || n.value > math.MaxInt32) {
			return usage("--fleet-%s %d: write a whole number from 1", n.key, n.value)
		}
	}
	for _, d := range []struct {
		key string
		duration
	}{{"timeout", f.Timeout}, {"mtbf", f.MTBF}, {"period", f.Period}, {"drain", f.Drain}} {
		if d.value != nil && *d.value == 0 {
			return usage("--fleet-%s 0s: write a duration above 0s, or leave it out", d.key)
		}
	}
	least, most := orElse(f.Min, 1), orElse(f.Max, mostInstances)
	switch at := orElse(f.Instances, least); {
	case f.VCPU < 0:
		return usage("--fleet-vcpu %v: write a number above 0, such as 2", f.VCPU)
	case f.Autoscale.given && f.Autoscale.value == 0:
		return usage("--fleet-autoscale 0%%: write the utilisation to hold, above 0%%, such as 60%%")
	case f.Autoscale.given && least > most:
		return usage("--fleet-min %d is above --fleet-max %d", least, most)
	case f.Autoscale.given && (at < least || at > most):
		return usage("--fleet-instances %d: it is outside --fleet-min %d to --fleet-max %d", at, least, most)
	}
	return nil
}

// host is what an instance of the fleet is.
func (c *simulateCmd) host() (*cost.Host, error) {
	memory := c.fleetFlags.Memory.value
	if memory == 0 {
		memory = c.servingFlags.Memory.value
	}
	book, _, err := c.open()
	if err != nil {
		return nil, err
	}
	host, err := cost.HostOf(book, c.Fleet, memory, int64(math.Round(c.VCPU*1000)))
	if err != nil {
		return nil, mistaken(fmt.Errorf("--fleet: %w", err))
	}
	switch {
	case host == nil:
		return nil, &failure{code: exitUsage, err: fmt.Errorf("--fleet: %s bills calls, not instances", c.Fleet),
			hint: "write a machine with its type, aws/ec2/c7g.large, or a container, aws/fargate; --price is for the functions' side"}
	case host.Machine && (c.fleetFlags.Memory.given || c.VCPU != 0):
		return nil, usage("--fleet-memory, --fleet-vcpu: %s has %v and %g vCPUs by its type; leave them out", host.Product, host.Memory, float64(host.MilliCPU)/1000)
	}
	return host, nil
}

// fleetOptions are the rules as the simulator takes them.
func (c *simulateCmd) fleetOptions(host *cost.Host) fleet.Options {
	f := &c.fleetFlags
	o := fleet.Options{
		Instances: int(f.Instances.value), Workers: int(orElse(f.Workers, max(1, host.MilliCPU/1000))),
		Balancing: fleet.Balancing(f.Balancing), QueueLimit: int(f.Queue.value), QueueTimeout: orZero(f.Timeout), MTBF: orZero(f.MTBF), DrainTimeout: orZero(f.Drain),
	}
	if f.Boot.given {
		o.Boot = f.Boot.value
	}
	if f.Autoscale.given {
		o.Autoscaling = &fleet.Autoscaling{
			Target: f.Autoscale.value, Period: orZero(f.Period), Delay: orZero(f.Delay),
			OutAfter: int(f.OutAfter.value), InAfter: int(f.InAfter.value), OutCooldown: orZero(f.OutCooldown), InCooldown: orZero(f.InCooldown),
			Min: int(f.Min.value), Max: int(orElse(f.Max, mostInstances)),
		}
	}
	return o
}

func orElse(c countFlag, usual int64) int64 {
	if c.given {
		return c.value
	}
	return usual
}

func orZero(d duration) time.Duration {
	if d.value == nil {
		return 0
	}
	return *d.value
}
