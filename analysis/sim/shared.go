package sim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// Shared simulates functions whose instances share a budget of memory, each
// taking its Options.Memory of it: where there is too little for a start, idle
// instances of any function go, the one used longest ago first
// ([lifecycle.Memory]). It gives the sum and every function's result, without
// histograms, in their order. All happen in one time, so it takes one core, and all functions are
// held at once. A context that ends leaves what was done until then.
func Shared(ctx context.Context, jobs []*Job, budget units.Bytes) (*Result, []*Result, error) {
	h, err := newHouse(jobs, budget)
	if err != nil {
		return nil, nil, err
	}
	defer h.stop()
	if err := h.run(ctx); err != nil {
		return nil, nil, err
	}
	s := sum{}
	var all []*Result
	for _, g := range h.guests {
		if err := g.failed(h.interrupted); err != nil {
			return nil, nil, err
		}
		g.conclude()
		g.interrupted = false // what was done until then is of all of them
		r := g.result()
		s.add(r)
		all = append(all, r)
	}
	sum := s.result(h.interrupted)
	sum.InstancesPeak, sum.PeakSummed = h.peak, false
	d := newDurations()
	for _, g := range h.guests {
		d.add(g.durations)
	}
	sum.record(d)
	sum.Latency = latencies(h.guests)
	return sum, all, nil
}

// house is the functions that share a budget, the one to which something
// happens first on top of a heap.
type house struct {
	memory         *lifecycle.Memory
	guests         []*guest
	of             map[*lifecycle.Pool]*guest
	order          []*guest      // heap by at, then by place
	there, peak    int           // instances of all functions; most at once outside the warm-up
	since          time.Duration // when there changed last
	counting, over bool          // the peak: a function's warm-up has ended; the loads have
	called         []*guest      // other functions' steps have left them something to do
	interrupted    bool
}

// guest is one of the functions.
type guest struct {
	*engine
	place, slot int           // among the functions, and in the heap
	at          time.Duration // when something happens to it
	next        func() (*chunk, bool)
	stop        func()
	chunk       *chunk
	k           int // of the next arrival in chunk
	waiting     bool
}

func newHouse(jobs []*Job, budget units.Bytes) (*house, error) {
	var faults []error
	for k, j := range jobs {
		switch err := j.Options.Validate(); {
		case err != nil:
			faults = append(faults, fmt.Errorf("function %d, %q: %w", k+1, j.Load.Name, err))
		case j.Options.Memory <= 0:
			faults = append(faults, fmt.Errorf("function %d, %q: memory: must be positive, for it is taken from a budget", k+1, j.Load.Name))
		case j.Load.Arrivals == nil && j.Load.Counts == nil:
			faults = append(faults, fmt.Errorf("function %d, %q: the load has no arrivals", k+1, j.Load.Name))
		}
	}
	if budget <= 0 {
		faults = append(faults, fmt.Errorf("memory budget %d: must be positive", budget))
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	h := &house{memory: lifecycle.NewMemory(int64(budget)), of: map[*lifecycle.Pool]*guest{}}
	for k, j := range jobs {
		if j.Load.Arrivals == nil {
			j.Load.Arrivals = j.Load.drawn
		}
		g := &guest{engine: newEngine(&j.Load, &j.Options, newDurations()), place: k, slot: k}
		g.house = h
		g.pool.Share(h.memory, int64(j.Options.Memory))
		g.next, g.stop = iter.Pull(chunks(&j.Load, &j.Options))
		h.of[g.pool] = g
		h.guests = append(h.guests, g)
		h.order = append(h.order, g)
	}
	for _, g := range h.guests {
		g.fill()
		h.plan(g)
	}
	return h, nil
}

func (h *house) stop() {
	for _, g := range h.guests {
		g.stop()
	}
}

// fill sees to it that the guest's next arrival is at hand, if there is one.
func (g *guest) fill() (filled bool) {
	for g.next != nil && (g.chunk == nil || g.k == len(g.chunk.times)) {
		c, ok := g.next()
		if !ok {
			g.chunk, g.next = nil, nil
			return true
		}
		g.chunk, g.k, filled = c, 0, true
	}
	return filled
}

// failed is what ended the guest's arrivals early, if anything did.
func (g *guest) failed(interrupted bool) error {
	if g.load.Err != nil && !interrupted {
		if err := g.load.Err(); err != nil {
			return fmt.Errorf("arrivals of %q: %w", g.load.Name, err)
		}
	}
	return nil
}

// arrival is when the guest's next request comes.
func (g *guest) arrival() time.Duration {
	if g.chunk == nil {
		return never
	}
	return g.chunk.times[g.k]
}

// plan finds when something happens to a guest next, and its place in the heap.
func (h *house) plan(g *guest) {
	g.at = min(g.dues.next, g.mark, g.arrival())
	if at, ok := g.pool.NextDeadline(); ok {
		g.at = min(g.at, at)
	}
	h.lift(g)
	h.lower(g)
}

func (h *house) less(a, b *guest) bool { return a.at < b.at || a.at == b.at && a.place < b.place }

func (h *house) swap(a, b *guest) {
	h.order[a.slot], h.order[b.slot] = b, a
	a.slot, b.slot = b.slot, a.slot
}

func (h *house) lift(g *guest) {
	for g.slot > 0 && h.less(g, h.order[(g.slot-1)/2]) {
		h.swap(g, h.order[(g.slot-1)/2])
	}
}

func (h *house) lower(g *guest) {
	for {
		k := 2*g.slot + 1
		if k >= len(h.order) {
			return
		}
		if k+1 < len(h.order) && h.less(h.order[k+1], h.order[k]) {
			k++
		}
		if !h.less(h.order[k], g) {
			return
		}
		h.swap(g, h.order[k])
	}
}

// count takes in that an instance has come (1) or gone (-1). At one instant
// one comes before it has been seen to that another goes for it: only what
// lasts counts for the peak.
func (h *house) count(now time.Duration, change int) {
	if now > h.since {
		h.held()
		h.since = now
	}
	h.there += change
}

// held takes in how many there are, for the peak.
func (h *house) held() {
	if h.counting && !h.over {
		h.peak = max(h.peak, h.there)
	}
}

// deliver takes what a step has meant for other functions.
func (h *house) deliver(now time.Duration) {
	h.memory.Orders(func(p *lifecycle.Pool, a lifecycle.Action) {
		g := h.of[p]
		g.now = now
		g.out = append(g.out, a)
		if !g.waiting {
			g.waiting = true
			h.called = append(h.called, g)
		}
	})
}

// run does one thing after the other until the loads have ended, and then until
// nobody waits.
func (h *house) run(ctx context.Context) error {
	end, open := time.Duration(0), 0
	for _, g := range h.guests {
		end = max(end, g.load.Span)
		if g.chunk != nil {
			open++
		}
	}
	for len(h.order) > 0 {
		g := h.order[0]
		if g.at == never || open == 0 && g.at > end {
			break
		}
		if err := h.happen(g); err != nil {
			return err
		}
		end = max(end, g.now)
		if g.fill() {
			if g.chunk == nil {
				open--
			}
			if ctx.Err() != nil {
				h.interrupted, end = true, g.now
				break
			}
		}
		h.plan(g)
	}
	h.held()
	h.over = true
	for _, g := range h.guests {
		g.engine.close(end)
		g.chunk, g.next = nil, nil
		h.plan(g)
	}
	return h.drain()
}

// drain goes on until nobody waits, or nobody who waits will be served.
func (h *house) drain() error {
	for quiet := 0; h.owing() && h.order[0].at < never && quiet < patience*len(h.guests); quiet++ {
		g := h.order[0]
		answered, waiting := g.dues.next == g.at, len(g.parked)
		if err := h.happen(g); err != nil {
			return err
		}
		h.plan(g)
		if answered || len(g.parked) != waiting {
			quiet = 0
		}
	}
	for _, g := range h.guests {
		g.totals.unserved = uint64(len(g.parked))
	}
	return nil
}

func (h *house) owing() bool {
	for _, g := range h.guests {
		if g.engine.owing() {
			return true
		}
	}
	return false
}

// happen does what happens to a guest next: what is due by the policy, then
// answers and starts, then an arrival.
func (h *house) happen(g *guest) error {
	switch at, ok := g.pool.NextDeadline(); {
	case ok && at <= g.at:
		g.act(g.at, lifecycle.Event{})
	case g.dues.next == g.at || g.mark == g.at:
		g.advance()
	default:
		if g.at < g.now {
			return g.backwards(g.at)
		}
		g.now = g.at
		g.k++
		g.arrive(g.at, g.chunk, g.k-1)
	}
	for len(h.called) > 0 {
		o := h.called[len(h.called)-1]
		h.called = h.called[:len(h.called)-1]
		o.waiting = false
		o.perform()
		if o != g {
			h.plan(o)
		}
	}
	return nil
}
