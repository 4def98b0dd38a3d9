package cost

import (
	"fmt"
	"math/big"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// active is the time in which instances are billed by r: the spans in which
// they served somebody, or the calls themselves, cold ones with their init,
// where every call had an instance to itself.
func (m *meter) active(r Rounding) (quantity, string, error) {
	if m.Active != nil {
		return billed(m.Active, r, m.Active.N()), "while an instance serves anybody, each span " + r.rule(), nil
	}
	starts, err := m.startBilled()
	if err != nil {
		return quantity{}, "", err
	}
	if m.Cold == 0 || !starts {
		return billed(m.Durations, r, m.Requests), "each call has an instance to itself, " + r.rule(), nil
	}
	warm, cold := m.Durations, (*Durations)(nil)
	if m.Apart != nil {
		warm, cold = m.Apart.Warm, m.Apart.Cold
	} else if cold, err = m.withInit(); err != nil {
		return quantity{}, "", err
	}
	return billed(warm, r, m.Requests-m.Cold).plus(billed(cold, r, m.Cold)),
		"each call has an instance to itself, starts included, " + r.rule(), nil
}

// startBilled says whether an instance is billed while it starts.
func (m *meter) startBilled() (bool, error) {
	l := limits{m: m}
	f, ok := l.limit("start_billed")
	return ok && f.Value == "yes", l.err
}

// byTime charges active time at a dimension's price, as what an instance has
// of it makes it.
func (m *meter) byTime(dimension string, as func(quantity) quantity, what string) error {
	if m.Requests == 0 {
		return nil
	}
	r, p, err := m.rounding(dimension)
	if err != nil {
		return err
	}
	time, rule, err := m.active(r)
	if err != nil {
		return err
	}
	return m.tally.add(p, as(time), ByCompute, rule+", times "+what)
}

func (m *meter) byMemory(dimension string, b units.Bytes) error {
	return m.byTime(dimension, func(q quantity) quantity { return q.withMemory(b) }, "memory")
}

func (m *meter) byCPU(dimension string, milli int64) error {
	return m.byTime(dimension, func(q quantity) quantity { return q.withCPU(milli) }, "vCPU")
}

func (m *meter) perRequest(dimension string) error {
	return m.charge(dimension, of(things, m.Requests), ByRequests, "every request")
}

// usual holds the work against the limits that most products have.
func (m *meter) usual() error {
	l := limits{m: m}
	l.memory(m.Memory)
	l.duration(m.Durations)
	l.size("payload_max", "a request", m.In)
	l.size("response_max", "a response", m.Out)
	return l.err
}

// cpu is an instance's vCPUs in thousandths: what the work says, else the
// fewest from one on that the product has with the memory, else the most.
func (m *meter) cpu() (milli int64, err error) {
	sizes := m.service.product.Sizes
	if len(sizes) == 0 {
		if m.MilliCPU == 0 {
			m.tally.note("%s: one vCPU an instance, for want of another number.", m.product())
			return 1000, nil
		}
		return m.MilliCPU, nil
	}
	for _, s := range sizes {
		if !s.Memory.Has(m.Memory) {
			continue
		}
		have := thousandths(s.VCPU)
		m.caveat(s.Origin, "which memory goes with how many vCPUs")
		if have == m.MilliCPU {
			return have, nil
		}
		if milli < 1000 { // sizes ascend
			milli = max(milli, have)
		}
	}
	if m.MilliCPU > 0 || milli == 0 {
		return 0, &Impossible{Product: m.product(), Limit: "vCPU and memory come in certain sizes",
			Have: fmt.Sprintf("%s vCPU with %v is none of them", vcpus(m.MilliCPU), m.Memory) + m.nextSize(), Origin: sizes[0].Origin}
	}
	m.tally.note("%s: %s vCPU an instance, a size that there is with %v.", m.product(), vcpus(milli), m.Memory)
	return milli, nil
}

// nextSize is the smallest size that has as much memory, for a message.
func (m *meter) nextSize() string {
	for _, milli := range []int64{m.MilliCPU, 0} {
		if h, err := containerHost(m.product(), m.service.product, m.Memory, milli); err == nil {
			return fmt.Sprintf(": the next is %s vCPU with %v", vcpus(h.MilliCPU), h.Memory)
		}
	}
	return ""
}

func thousandths(d prices.Decimal) int64 {
	v := d.Rat()
	v.Mul(v, big.NewRat(1000, 1))
	return new(big.Int).Quo(v.Num(), v.Denom()).Int64()
}

func vcpus(milli int64) string {
	if milli == 0 {
		return "any"
	}
	return Decimal(big.NewRat(milli, 1000))
}

// cloudRun bills Cloud Run by the request: instances while they start or serve
// somebody, minimum instances also while they wait, at a price of their own.
func cloudRun(m *meter) error {
	milli, err := m.cpu()
	if err != nil {
		return err
	}
	return each(m.usual,
		func() error { return m.perRequest("requests") },
		func() error { return m.byCPU("request_based_cpu", milli) },
		func() error { return m.byMemory("request_based_memory", m.Memory) },
		func() error {
			idle, rule := m.idle()
			if err := m.charge("idle_min_instance_cpu", idle.withCPU(milli), Idle, rule+", times vCPU"); err != nil {
				return err
			}
			return m.charge("idle_min_instance_memory", idle.withMemory(m.Memory), Idle, rule+", times memory")
		})
}

// idle is how long minimum instances waited: configured less serving.
func (m *meter) idle() (quantity, string) {
	q := m.readyTime(Rounding{})
	q.n.Sub(q.n, billed(m.Durations, Rounding{}, m.provisionedRequests()).n)
	if q.n.Sign() < 0 {
		q.n = new(big.Int)
	}
	return q, "minimum instances while they wait"
}

// cloudFunctions bills the first generation of Cloud Functions: memory and the
// clock that goes with it, in steps of 100 ms.
func cloudFunctions(m *meter) error {
	mhz, err := m.clock()
	if err != nil {
		return err
	}
	return each(m.usual,
		func() error { return m.perRequest("invocations") },
		func() error {
			return m.byTime("cpu", func(q quantity) quantity { return q.withCPU(mhz) }, "clock")
		},
		func() error { return m.byMemory("memory", m.Memory) })
}

// clock is the MHz that the work says go with its memory.
func (m *meter) clock() (mhz int64, err error) {
	if m.MilliCPU == 0 {
		return 0, &Missing{m.product(), "the clock that comes with the memory", "say it in GHz, --vcpu 0.4"}
	}
	return m.MilliCPU, nil
}

// azureConsumption bills the memory that was used, in steps, times duration.
func azureConsumption(m *meter) error {
	l := limits{m: m}
	l.duration(m.Durations)
	if l.err == nil && m.memoryUsed() == 0 {
		l.err = &Missing{m.product(), "memory", "say how much a call uses"}
	}
	l.size("memory_max", "an instance", m.memoryUsed())
	if l.err != nil {
		return l.err
	}
	p, err := m.price("duration")
	if err != nil {
		return err
	}
	return each(
		func() error { return m.perRequest("executions") },
		func() error { return m.byMemory("duration", p.Rounding.BilledSize(m.memoryUsed())) })
}

// azureFlex bills instances while they are active, and always-ready ones all
// the time.
func azureFlex(m *meter) error {
	if _, err := m.cpu(); err != nil { // its sizes
		return err
	}
	ready := m.provisionedRequests()
	return each(m.usual,
		func() error {
			return m.charge("executions", of(things, m.Requests-ready), ByRequests, "every request that no always-ready instance serves")
		},
		func() error {
			return m.charge("always_ready_executions", of(things, ready), ByRequests, "every request that an always-ready instance serves")
		},
		func() error { return m.onDemand("ondemand_duration") },
		func() error {
			return m.charge("always_ready_baseline", m.readyTime(Rounding{}).withMemory(m.Memory), Idle,
				"always-ready instances all the time, times memory")
		},
		func() error {
			if ready == 0 {
				return nil
			}
			r, p, err := m.rounding("always_ready_execution")
			if err != nil {
				return err
			}
			return m.tally.add(p, billed(m.Durations, r, ready).withMemory(m.Memory), ByProvisioned,
				"each call by itself, as if none overlapped, "+r.rule()+", times memory")
		})
}

// onDemand is the active time that no always-ready instance served.
func (m *meter) onDemand(dimension string) error {
	rest := *m.Work
	rest.Requests -= m.provisionedRequests()
	rest.Cold = min(rest.Cold, rest.Requests)
	other := *m
	other.Work = &rest
	return other.byMemory(dimension, m.Memory)
}

// workers bills Cloudflare Workers: a fee a month, requests, and the CPU time
// that they took, however long they waited.
func workers(m *meter) error {
	l := limits{m: m}
	l.size("memory_max", "an instance", m.memoryUsed())
	if l.err == nil && m.Requests > 0 && m.CPU == nil {
		l.err = &Missing{m.product(), "CPU time", "say how much a call takes, --cpu-time 20ms"}
	}
	if m.CPU != nil {
		if f, ok := l.limit("cpu_max"); ok && m.CPU.Max() > f.Duration {
			l.exceed(f, "the most CPU time of a call is "+whole(f.Duration), "one takes "+units.FormatDuration(m.CPU.Max()))
		}
	}
	if l.err != nil {
		return l.err
	}
	return each(
		func() error { return m.monthly("base") },
		func() error { return m.perRequest("requests") },
		func() error {
			r, p, err := m.rounding("cpu")
			if err != nil || m.Requests == 0 {
				return err
			}
			return m.tally.add(p, billed(m.CPU, r, m.Requests), ByCompute, "CPU time of each call "+r.rule())
		})
}

// monthly charges a fee of the month.
func (m *meter) monthly(dimension string) error {
	p, err := m.price(dimension)
	if err != nil {
		return err
	}
	for _, c := range m.tally.charges {
		if c.price == p {
			return nil // an account pays it once, for all its functions
		}
	}
	return m.tally.add(p, of(nanoseconds, uint64(Month)), Shared, "all month, once for the account")
}

// codeEngine bills IBM Code Engine: instances while they serve, by vCPU and
// memory, and calls.
func codeEngine(m *meter) error {
	milli, err := m.cpu()
	if err != nil {
		return err
	}
	return each(m.usual,
		func() error { return m.perRequest("http_calls") },
		func() error { return m.byCPU("vcpu", milli) },
		func() error { return m.byMemory("memory", m.Memory) })
}

// simpleFunctions bills what the product has a price for, of requests, memory
// and vCPU over time.
func simpleFunctions(m *meter) error {
	steps := []func() error{m.usual}
	for _, p := range m.service.product.Prices {
		switch p.Dimension {
		case "invocations", "requests":
			steps = append(steps, func() error { return m.perRequest(p.Dimension) })
		case "duration", "memory":
			steps = append(steps, func() error { return m.byMemory(p.Dimension, m.Memory) })
		case "vcpu":
			steps = append(steps, func() error {
				milli, err := m.cpu()
				if err != nil {
					return err
				}
				return m.byCPU(p.Dimension, milli)
			})
		}
	}
	return each(steps...)
}
