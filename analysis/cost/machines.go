package cost

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// fleet is the work's instances. Products that bill them do not guess how many
// it takes.
func (m *meter) fleet() (*Fleet, error) {
	if m.Fleet == nil {
		return nil, &Missing{m.product(), "instances", "say how many run, --instances 2; or size a fleet to a target"}
	}
	if m.Fleet.Basis == "" && m.Requests > 0 {
		m.tally.note("Instances are as many as was given: whether they carry the requests, %s at once on average, is not checked.",
			m.atOnce().FloatString(1))
	}
	return m.Fleet, nil
}

// sized is the fleet and the thousandths of a vCPU that each instance has.
func (m *meter) sized() (f *Fleet, milli int64, err error) {
	if f, err = m.fleet(); err != nil {
		return nil, 0, err
	}
	milli, err = m.cpu()
	return f, milli, err
}

// lives is how long the fleet's instances are billed by r.
func (m *meter) lives(f *Fleet, r Rounding) (quantity, string) {
	return billed(f.Lives, r, f.Lives.N()), "each instance from start to end, " + r.rule()
}

// byLives charges the lives of the fleet's instances, as what each has makes it.
func (m *meter) byLives(f *Fleet, dimension string, as func(quantity) quantity, what string) error {
	r, p, err := m.rounding(dimension)
	if err != nil {
		return err
	}
	q, rule := m.lives(f, r)
	return m.tally.add(p, as(q), Idle, rule+", times "+what)
}

func (m *meter) cpuLives(f *Fleet, dimension string, milli int64) error {
	return m.byLives(f, dimension, func(q quantity) quantity { return q.withCPU(milli) }, "vCPU")
}

func (m *meter) memoryLives(f *Fleet, dimension string) error {
	return m.byLives(f, dimension, func(q quantity) quantity { return q.withMemory(m.Memory) }, "memory")
}

// fargate bills tasks by vCPU and memory, per second, from image pull to stop.
func fargate(m *meter) error {
	f, milli, err := m.sized()
	if err != nil {
		return err
	}
	return each(
		func() error { return m.cpuLives(f, m.committed("vcpu", "_vcpu"), milli) },
		func() error { return m.memoryLives(f, m.committed("memory", "_memory")) },
		func() error {
			if f.Disk == 0 {
				return nil
			}
			included, err := m.fact("storage_free")
			if err != nil || f.Disk <= included.Bytes {
				return err
			}
			over := f.Disk - included.Bytes
			return m.byLives(f, "ephemeral_storage", func(q quantity) quantity { return q.withMemory(over) },
				fmt.Sprintf("storage beyond %v", included.Bytes))
		},
		func() error { return m.addresses(f) })
}

// appRunner bills memory as long as an instance is there, and vCPU while it
// serves.
func appRunner(m *meter) error {
	f, milli, err := m.sized()
	if err != nil {
		return err
	}
	return each(
		func() error { return m.bare(f) },
		func() error { return m.memoryLives(f, "memory") },
		func() error {
			if f.Busy == 0 {
				m.tally.note("%s: every instance is taken to serve all the time, for want of how long it does.", m.product())
				return m.cpuLives(f, "active_vcpu", milli)
			}
			return m.charge("active_vcpu", of(nanoseconds, uint64(f.Busy)).withCPU(milli), ByCompute, "while an instance serves, times vCPU")
		})
}

// cloudRunInstances bills Cloud Run by the instance: its whole life, without a
// fee for requests.
func cloudRunInstances(m *meter) error {
	f, milli, err := m.sized()
	if err != nil {
		return err
	}
	return each(m.usual,
		func() error { return m.bare(f) },
		func() error { return m.cpuLives(f, "instance_based_cpu", milli) },
		func() error { return m.memoryLives(f, "instance_based_memory") })
}

// azurePremium bills Elastic Premium instances, of which one is always there.
func azurePremium(m *meter) error {
	f, milli, err := m.sized()
	if err != nil {
		return err
	}
	return each(
		func() error { return m.bare(f) },
		func() error { return m.cpuLives(f, "vcpu", milli) },
		func() error { return m.memoryLives(f, "memory") })
}

// machines bills virtual machines from start to end, with what burstable ones
// use beyond their baseline, their disks and addresses.
func machines(m *meter) error {
	f, err := m.fleet()
	if err != nil {
		return err
	}
	return each(
		func() error { return m.machineHours(f) },
		func() error { return m.surplus(f) },
		func() error { return m.disks(f) },
		func() error { return m.addresses(f) })
}

// list is the machine's price by a dimension.
func (m *meter) list(dimension string) (*prices.Price, error) {
	o, i := m.option, m.service.instance
	key := priceKey{i.ID, m.region, dimension}
	o.mu.Lock()
	defer o.mu.Unlock()
	if p := o.seen[key]; p != nil {
		return p, nil
	}
	p, err := i.Price(m.region, dimension, o.terms.On)
	if err != nil {
		return nil, err
	}
	o.seen[key] = p
	return p, nil
}

// commitment is the dimension that the account pays its machines by.
func (m *meter) commitment() string { return cmp.Or(m.option.terms.Commitment, prices.OnDemand) }

// machineHours bills every life, up to the monthly cap of a machine where the
// provider has one.
func (m *meter) machineHours(f *Fleet) error {
	if m.service.instance == nil {
		return &Missing{m.product(), "the type of machine", "name it, as in aws/ec2/c7g.large"}
	}
	p, err := m.list(m.commitment())
	if unknown, _ := errors.AsType[*prices.Unknown](err); unknown != nil && m.commitment() == prices.OnDemand {
		if p, only := m.list(onDemandMonth); only == nil {
			return m.monthsOf(f, p)
		}
	}
	if err != nil {
		return err
	}
	const rule = "each instance from start to end"
	if m.commitment() != prices.OnDemand || m.service.instance.FullMonth.IsZero() {
		return m.instanceTime(f, p, rule)
	}
	whole, rest := f.Lives.parted(Month)
	less := percent(m.service.instance.FullMonth.Rat())
	if rest != nil {
		m.tally.note("%s: %s less for instances that run a whole month is not applied to %s that run for less; what they save by running long is not modelled.",
			m.service.instance.ID, less, units.FormatNoun(rest.N(), "instance"))
		if err := m.instanceTime(&Fleet{Lives: rest}, p, rule); err != nil {
			return err
		}
	}
	if whole == nil {
		return nil
	}
	return m.instanceTime(&Fleet{Lives: whole}, m.fullMonth(p), rule+", "+less+" less for a whole month")
}

// onDemandMonth is the dimension of a machine that has a price by the month
// only.
const onDemandMonth = prices.OnDemand + "_month"

// monthsOf bills the lives of instances by a price of a month, of which an hour
// is the part that the provider takes it for.
func (m *meter) monthsOf(f *Fleet, p *prices.Price) error {
	hours := int64(Month / time.Hour)
	if fact, err := m.fact("month_hours"); err == nil {
		hours = thousandths(fact.Number) / 1000
	}
	month, sum := big.NewRat(hours*int64(time.Hour), 1), new(big.Rat)
	for g := range f.Lives.Each {
		one := new(big.Rat).SetInt64(int64(p.Rounding.BilledTime(g.High)))
		if one.Quo(one, month).Cmp(big.NewRat(1, 1)) > 0 {
			one.SetInt64(1)
		}
		sum.Add(sum, one.Mul(one, new(big.Rat).SetInt(new(big.Int).SetUint64(g.Count))))
	}
	m.tally.addUnits(p, sum, new(big.Rat), Idle, fmt.Sprintf("each instance from start to end, an hour at a %dth of its price by the month, which is the most", hours))
	return nil
}

// fullMonth is a machine's price where it runs all month. It is made once.
func (m *meter) fullMonth(p *prices.Price) *prices.Price {
	o, key := m.option, priceKey{p.Product, p.Region, p.Dimension + ", full month"}
	o.mu.Lock()
	defer o.mu.Unlock()
	if seen := o.seen[key]; seen != nil {
		return seen
	}
	less := *p
	less.Tiers = slices.Clone(p.Tiers)
	for i := range less.Tiers {
		less.Tiers[i].USD = less.Tiers[i].USD.Less(m.service.instance.FullMonth)
	}
	o.seen[key] = &less
	return &less
}

// instanceTime bills the lives of the fleet's instances by a price, each up to
// what its monthly cap buys.
func (m *meter) instanceTime(f *Fleet, p *prices.Price, rule string) error {
	r := Rounding{Step: p.Rounding.Time, Minimum: p.Rounding.LeastTime}
	rule += ", " + r.rule()
	if p.Cap.IsZero() {
		return m.tally.add(p, billed(f.Lives, r, f.Lives.N()), Idle, rule)
	}

	_, unit := unitOf(p.Unit)
	most := p.Cap.Rat()
	most.Quo(most, p.Tiers[0].USD.Rat()).Mul(most, new(big.Rat).SetInt64(max(1, p.Per)))
	sum, atCap := new(big.Rat), uint64(0)
	for g := range f.Lives.Each {
		ns := new(big.Int).SetUint64(r.steps(g.High))
		one := new(big.Rat).SetFrac(ns.Mul(ns, big.NewInt(int64(r.step()))), unit)
		if one.Cmp(most) >= 0 {
			one = most
			atCap += g.Count
		}
		sum.Add(sum, new(big.Rat).Mul(one, new(big.Rat).SetInt(new(big.Int).SetUint64(g.Count))))
	}
	if atCap > 0 {
		rule += fmt.Sprintf(", %s at the cap of $%v a month each", units.FormatNoun(atCap, "instance"), p.Cap)
	}
	m.tally.addUnits(p, sum, new(big.Rat), Idle, rule)
	return nil
}

// provider is the first part of the product's id.
func (m *meter) provider() string {
	name, _, _ := strings.Cut(m.product(), "/")
	return name
}

// disks bills what each instance has as its disk, for its life.
func (m *meter) disks(f *Fleet) error {
	if f.Disk == 0 {
		return nil
	}
	product, dimension := m.product(), "disk"
	switch m.provider() {
	case "aws":
		product, dimension = "aws/ebs", "gp3_storage"
	case "gcp":
		dimension = "pd_balanced"
	}
	p, err := m.priceOf(product, dimension)
	if err != nil {
		return err
	}
	q, _ := m.lives(f, Rounding{Step: time.Second})
	return m.tally.add(p, q.withMemory(f.Disk), Idle, "each instance's disk as long as the instance")
}

// bare refuses what is asked for with each instance where the product is not
// known to sell it.
func (m *meter) bare(f *Fleet) error {
	for _, part := range []struct {
		dimension string
		asked     bool
	}{{"disk", f.Disk > 0}, {"address", f.Address}} {
		if part.asked {
			return &Impossible{Product: m.product(), Limit: "it has no price for the dimension " + part.dimension,
				Have: "one is asked for with each instance"}
		}
	}
	return nil
}

// addresses bills a public IPv4 address for each instance, for its life.
func (m *meter) addresses(f *Fleet) error {
	if !f.Address {
		return nil
	}
	product, dimension := m.product(), "ipv4"
	if m.provider() == "aws" {
		product, dimension = "aws/public-ipv4", "hour"
	}
	p, err := m.priceOf(product, dimension)
	if err != nil {
		return err
	}
	return m.instanceTime(f, p, "each instance's public address as long as the instance")
}

// managedInstances bills Lambda functions on machines of the account's own: the
// machines, a fee on their list price whatever they really cost, and requests,
// but no durations.
func managedInstances(m *meter) error {
	l := limits{m: m}
	l.duration(m.Durations)
	if l.err != nil {
		return l.err
	}
	f, err := m.fleet()
	if err != nil {
		return err
	}
	return each(
		func() error { return m.bare(f) },
		func() error { return m.charge("requests", of(things, m.Requests), ByRequests, "every call") },
		func() error { return m.machineHours(f) },
		func() error { return m.managementFee(f) })
}

// managementFee is a share of what the machines cost on demand.
func (m *meter) managementFee(f *Fleet) error {
	list, err := m.list(prices.OnDemand)
	if err != nil {
		return err
	}
	fee, err := m.price("management_fee")
	if err != nil {
		return err
	}
	time := billed(f.Lives, Rounding{Step: list.Rounding.Time, Minimum: list.Rounding.LeastTime}, f.Lives.N())
	cost, _, err := time.in(list.Unit)
	if err != nil {
		return err
	}
	cost.Mul(cost, list.Tiers[0].USD.Rat())
	m.tally.addUnits(fee, cost.Quo(cost, new(big.Rat).SetInt64(list.Per)), new(big.Rat), Idle,
		"a share of the machines' price on demand, whatever they are paid by")
	return nil
}
