package cost

import (
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// lambda bills AWS Lambda: requests, the billed time of calls by memory, and
// what is kept ready or configured beside.
func lambda(m *meter) error {
	return each(m.lambdaLimits, m.lambdaRequests, m.lambdaDuration, m.lambdaProvisioned,
		m.lambdaStorage, m.lambdaSnapshots, m.lambdaStreaming)
}

func (m *meter) lambdaLimits() error {
	l := limits{m: m}
	l.memory(m.Memory)
	l.duration(m.Durations)
	l.processor(m.Work)
	if !m.Streaming {
		l.size("response_max", "a response", m.Out)
	}
	l.size("payload_max", "a request", m.In)
	l.size("async_payload_max", "an event", m.AsyncPayload)
	if m.Storage > 0 {
		l.size("storage_max", "the configured /tmp", m.Storage)
	}
	return l.err
}

// lambdaRequests counts a large event as several.
func (m *meter) lambdaRequests() error {
	n := of(things, m.Requests)
	rule := "every call"
	if m.Async > 0 && m.AsyncPayload > 0 {
		whole, err := m.fact("async_request_size")
		if err != nil {
			return err
		}
		chunk, err := m.fact("async_request_step")
		if err != nil {
			return err
		}
		if over := m.AsyncPayload - whole.Bytes; over > 0 {
			n = n.plus(of(things, m.Async).times(wholes(over, chunk.Bytes), things))
			rule = fmt.Sprintf("every call; an event beyond %v counts once more for every %v", whole.Bytes, chunk.Bytes)
		}
	}
	return m.charge("requests", n, ByRequests, rule)
}

// wholes is how many pieces of a size b takes.
func wholes(b, piece units.Bytes) uint64 { return uint64((b + piece - 1) / piece) }

// lambdaDuration bills the calls that no provisioned instance served.
func (m *meter) lambdaDuration() error {
	dimension := m.committed("duration", "")
	requests := m.Requests - m.provisionedRequests()
	if requests == 0 {
		return nil
	}
	rounding, price, err := m.rounding(dimension)
	if err != nil {
		return err
	}
	time, rule, err := m.callTime(rounding, requests)
	if err != nil {
		return err
	}
	return m.tally.add(price, time.withMemory(m.Memory), ByCompute, rule+", times memory")
}

// callTime is the billed time of so many calls, the cold ones among them with
// their init where the provider bills it.
func (m *meter) callTime(r Rounding, requests uint64) (quantity, string, error) {
	rule := "each call " + r.rule()
	withInit, err := m.initBilled()
	if err != nil || m.Cold == 0 || !withInit {
		return billed(m.Durations, r, requests), rule, err
	}
	warm, cold := m.Durations, (*Durations)(nil)
	if m.Apart != nil {
		warm, cold = m.Apart.Warm, m.Apart.Cold
	} else if cold, err = m.withInit(); err != nil {
		return quantity{}, "", err
	}
	n := min(m.Cold, requests)
	return billed(warm, r, requests-n).plus(billed(cold, r, n)), rule + ", with the init of a cold one", nil
}

// initBilled says whether a cold call's init is billed: on AWS, of functions on
// its own runtimes, since August 2025.
func (m *meter) initBilled() (bool, error) {
	f, err := m.fact("init_billed")
	return f.Value == prices.InitAll || m.Package != ManagedZip, err
}

// rule is the rounding in words.
func (r Rounding) rule() string {
	switch {
	case r.Step <= 1 && r.Minimum == 0:
		return "as long as it took"
	case r.Minimum <= r.Step:
		return "rounded up to " + whole(r.Step)
	case r.Step <= 1:
		return "at least " + whole(r.Minimum)
	}
	return fmt.Sprintf("rounded up to %s and at least %s", whole(r.Step), whole(r.Minimum))
}

// whole writes a price list's durations, which are whole in some unit: "1 ms".
func whole(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d >= u.unit && d%u.unit == 0 {
			return fmt.Sprintf("%d %s", d/u.unit, u.name)
		}
	}
	return units.FormatDuration(d)
}

func (m *meter) provisionedRequests() uint64 {
	var n uint64
	for _, p := range m.Provisioned {
		n += p.Requests
	}
	return n
}

// readyTime is how long provisioned instances were configured, each time
// rounded by r.
func (m *meter) readyTime(r Rounding) quantity {
	ready := of(nanoseconds, 0)
	for _, p := range m.Provisioned {
		if p.For > 0 {
			ready = ready.plus(billed(Constant(p.For), r, p.Instances))
		}
	}
	return ready
}

// lambdaProvisioned bills instances kept ready, and calls on them at a lower
// price. What spills over is in lambdaDuration.
func (m *meter) lambdaProvisioned() error {
	if len(m.Provisioned) == 0 {
		return nil
	}
	ready, price, err := m.rounding("provisioned_concurrency" + m.suffix())
	if err != nil {
		return err
	}
	err = m.tally.add(price, m.readyTime(ready).withMemory(m.Memory), Idle,
		"from enabling to disabling, "+ready.rule()+", times memory")
	if err != nil {
		return err
	}
	served, price, err := m.rounding("provisioned_duration" + m.suffix())
	if err != nil {
		return err
	}
	time := billed(m.Durations, served, m.provisionedRequests())
	if time.n.Sign() == 0 {
		return nil
	}
	return m.tally.add(price, time.withMemory(m.Memory), ByProvisioned, "each call "+served.rule()+", times memory")
}

// lambdaStorage bills what is configured beyond the free part, for as long as
// calls are billed; how much memory there is does not matter.
func (m *meter) lambdaStorage() error {
	if m.Storage == 0 {
		return nil
	}
	included, err := m.fact("storage_free")
	if err != nil {
		return err
	}
	over := m.Storage - included.Bytes
	if over <= 0 {
		return nil
	}
	rounding, _, err := m.rounding("duration" + m.suffix())
	if err != nil {
		return err
	}
	time, _, err := m.callTime(rounding, m.Requests-m.provisionedRequests())
	if err != nil {
		return err
	}
	time = time.plus(billed(m.Durations, rounding, m.provisionedRequests()))
	return m.charge("ephemeral_storage", time.withMemory(over), ByCompute,
		fmt.Sprintf("billed time of the calls, times /tmp beyond %v", included.Bytes))
}

func (m *meter) lambdaSnapshots() error {
	s := m.Snapshots
	if s.Java || s.Versions == 0 && s.Restores == 0 {
		return nil
	}
	kept, price, err := m.rounding("snapstart_cache")
	if err != nil {
		return err
	}
	cached := billed(Constant(s.For), kept, s.Versions)
	if err := m.tally.add(price, cached.withMemory(m.Memory), Idle, "each published version "+kept.rule()+", times memory"); err != nil {
		return err
	}
	restored := of(things, s.Restores).times(uint64(m.Memory), bytes)
	return m.charge("snapstart_restore", restored, ByRequests, "every start from a snapshot, times memory")
}

// lambdaStreaming bills what a streamed response has beyond the part that
// comes with the call.
func (m *meter) lambdaStreaming() error {
	if !m.Streaming {
		return nil
	}
	included, err := m.fact("stream_free")
	if err != nil {
		return err
	}
	over := m.Out - included.Bytes
	if over <= 0 {
		return nil
	}
	return m.charge("response_streaming", of(things, m.Requests).times(uint64(over), bytes), ByTransfer,
		fmt.Sprintf("each response beyond its first %v", included.Bytes))
}
