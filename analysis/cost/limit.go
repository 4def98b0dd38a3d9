package cost

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// fact is what the book says of the meter's product on the day of the bill. It
// must be there.
func (m *meter) fact(name string) (prices.Fact, error) {
	o, key := m.option, factKey{m.product(), name}
	o.mu.Lock()
	defer o.mu.Unlock()
	known, ok := o.facts[key]
	if !ok {
		known.Fact, known.err = m.service.product.Fact(name, o.terms.On)
		o.facts[key] = known
	}
	m.caveat(known.Origin, name, known.Value)
	return known.Fact, known.err
}

// caveat notes that the bill rests on something that nobody looked up.
func (m *meter) caveat(from prices.Origin, what ...string) {
	if c := from.Caveat(); c != "" {
		m.tally.note("%s: %s is %s.", m.product(), strings.Join(what, " "), c)
	}
}

type factKey struct{ product, name string }

// fact is what the book said when it was asked.
type fact struct {
	prices.Fact
	err error
}

// limits holds a work against what a product can do, until the first thing
// that it cannot. A limit that the book does not have is none.
type limits struct {
	m   *meter
	err error
}

// limit looks a limit up.
func (l *limits) limit(name string) (prices.Fact, bool) {
	if l.err != nil {
		return prices.Fact{}, false
	}
	f, err := l.m.fact(name)
	if _, none := errors.AsType[*prices.Unknown](err); none {
		return f, false
	}
	l.err = err
	return f, err == nil
}

func (l *limits) exceed(f prices.Fact, limit, have string) *Impossible {
	impossible := &Impossible{Product: l.m.product(), Limit: limit, Have: have, Origin: f.Origin}
	l.err = impossible
	return impossible
}

// memory holds the configured memory against range and step.
func (l *limits) memory(b units.Bytes) {
	if b == 0 && l.err == nil {
		l.err = &Missing{l.m.product(), "memory", "say how much an instance has, --memory 512MB"}
		return
	}
	if f, ok := l.limit("memory_min"); ok && b < f.Bytes {
		l.exceed(f, fmt.Sprintf("the least memory is %v", f.Bytes), fmt.Sprintf("%v is asked for", b)).Next = f.Bytes
	}
	if f, ok := l.limit("memory_max"); ok && b > f.Bytes {
		l.exceed(f, fmt.Sprintf("the most memory is %v", f.Bytes), fmt.Sprintf("%v is asked for", b))
	}
	if f, ok := l.limit("memory_step"); ok && f.Bytes > 0 && b%f.Bytes != 0 {
		below := b / f.Bytes * f.Bytes
		l.exceed(f, fmt.Sprintf("memory comes in steps of %v", f.Bytes),
			fmt.Sprintf("%v is none of them: the nearest are %v and %v", b, below, below+f.Bytes)).Next = below + f.Bytes
	}
}

// duration holds the longest call against the longest that may be.
func (l *limits) duration(d *Durations) {
	if d == nil {
		return
	}
	if f, ok := l.limit("duration_max"); ok && d.known > f.Duration {
		l.exceed(f, "the longest duration is "+whole(f.Duration), "a call takes "+units.FormatDuration(d.Max())).Longest = f.Duration
	}
}

// processor holds the CPU time of calls against what an instance has while they
// take, where that follows from its memory.
func (l *limits) processor(w *Work) {
	if w.CPU == nil || w.Durations == nil || w.Durations.Mean() == 0 {
		return
	}
	const rounding = 1.01
	if f, ok := l.limit("memory_per_vcpu"); ok && f.Bytes > 0 {
		has := float64(w.Memory) / float64(f.Bytes)
		needs := float64(w.CPU.Mean()) / float64(w.Durations.Mean())
		if needs > has*rounding {
			l.exceed(f, fmt.Sprintf("%v of memory come with %.2g vCPU (%v with each)", w.Memory, has, f.Bytes),
				fmt.Sprintf("%s of CPU time take %s there, not %s", units.FormatDuration(w.CPU.Mean()),
					units.FormatDuration(time.Duration(float64(w.CPU.Mean())/has)), units.FormatDuration(w.Durations.Mean())))
		}
	}
}

// size holds a size against a limit by name.
func (l *limits) size(name, what string, b units.Bytes) {
	if f, ok := l.limit(name); ok && b > f.Bytes {
		l.exceed(f, fmt.Sprintf("%s may have at most %v", what, f.Bytes), fmt.Sprintf("it has %v", b))
	}
}
