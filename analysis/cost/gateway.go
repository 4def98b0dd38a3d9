package cost

import (
	"fmt"
	"math/big"
	"time"
)

// gateway bills what stands in front of functions by the request, a large one
// as several where the price says so.
func gateway(m *meter) error {
	if m.Requests == 0 {
		return nil
	}
	l := limits{m: m}
	l.size("payload_max", "a request", m.In)
	l.size("payload_max", "a response", m.Out)
	l.duration(m.Durations)
	if l.err != nil {
		return l.err
	}
	p, err := m.price("requests")
	if err != nil {
		return err
	}
	n, rule := of(things, m.Requests), "every request"
	if piece := p.Rounding.Size; piece > 0 {
		n = n.times(max(1, wholes(max(m.In, m.Out), piece)), things)
		rule = fmt.Sprintf("every request, for each %v begun", piece)
	}
	return m.tally.add(p, n, ByRequests, rule)
}

// loadBalancer bills a balancer that is there all month, and its capacity
// units: in each hour the greatest of what its connections, their number at
// once and their bytes need. Every request is taken to be a connection of its
// own, and spread evenly over the month.
func loadBalancer(m *meter) error {
	if m.Fleet == nil {
		l := limits{m: m}
		l.size("payload_max", "a request", m.In)
		l.size("payload_max", "a response", m.Out)
		if l.err != nil {
			return l.err
		}
	}
	if err := m.monthly("hour"); err != nil || m.Requests == 0 {
		return err
	}
	need := new(big.Rat)
	for _, part := range []struct {
		fact string
		have *big.Rat
	}{
		{"lcu_new_connections", perMonth(m.Requests, time.Second)},
		{"lcu_connections", m.atOnce()},
		{m.lcuBytes(), new(big.Rat).Mul(perMonth(m.Requests, time.Hour), big.NewRat(int64(m.In+m.Out), 1))},
	} {
		f, err := m.fact(part.fact)
		if err != nil {
			return err
		}
		one := f.Number.Rat()
		if f.Bytes > 0 {
			one.SetInt64(int64(f.Bytes))
		}
		if one.Sign() > 0 {
			if lcu := part.have.Quo(part.have, one); lcu.Cmp(need) > 0 {
				need = lcu
			}
		}
	}
	p, err := m.price("lcu")
	if err != nil {
		return err
	}
	m.tally.note("%s: capacity units for requests spread evenly over the month, each a connection of its own.", m.product())
	m.tally.addUnits(p, need.Mul(need, big.NewRat(int64(Month/time.Hour), 1)), new(big.Rat), ByRequests,
		"the greatest of new connections, connections at once and bytes, in capacity units, all month")
	return nil
}

// lcuBytes is the fact of how many bytes an hour a capacity unit carries: fewer
// to functions.
func (m *meter) lcuBytes() string {
	if m.Fleet == nil {
		return "lcu_lambda_bytes"
	}
	return "lcu_bytes"
}

// perMonth is the mean number of requests in a span of the month.
func perMonth(requests uint64, span time.Duration) *big.Rat {
	n := new(big.Rat).SetInt(new(big.Int).SetUint64(requests))
	return n.Mul(n, big.NewRat(int64(span), int64(Month)))
}

// atOnce is the mean number of requests under way.
func (m *meter) atOnce() *big.Rat {
	if m.Durations == nil {
		return new(big.Rat)
	}
	return perMonth(m.Requests, max(m.Durations.Mean(), 0))
}

// nat bills a gateway to the internet that is there all month, and what goes
// through it.
func nat(m *meter) error {
	m.payload()
	if err := m.monthly("hour"); err != nil {
		return err
	}
	return m.charge("processed", of(things, m.Requests).times(uint64(m.In+m.Out), bytes), ByTransfer, "every byte in or out")
}

// payload notes that nothing is billed for bytes that nobody knows of.
func (m *meter) payload() {
	if m.Out == 0 && m.Requests > 0 {
		m.tally.note("%s: how large responses are is not known, and nothing is billed for them; --reply 10KB says it.", m.product())
	}
}

// transfer bills responses on their way to the internet.
func transfer(m *meter) error {
	m.payload()
	return m.charge("internet", of(things, m.Requests).times(uint64(m.Out), bytes), ByTransfer, "every byte of a response")
}
