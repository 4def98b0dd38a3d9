package lifecycle

import (
	"cmp"
	"time"
)

// Hybrid is the hybrid histogram policy of Shahrad et al., "Serverless in the
// Wild" (USENIX ATC 2020, section 4). It learns how long the function stays
// without requests from a histogram of those idle times, puts instances away
// when an early request is unlikely, starts one again shortly before the next
// is likely, and keeps it until the next is unlikely again. The defaults are
// the paper's.
type Hybrid struct {
	Bin      time.Duration // width of a bin of the histogram; 0 is 1 min
	Range    time.Duration // longest idle time within bounds; 0 is 4 h
	Head     float64       // quantile of the idle times before which no instance is kept; 0 is .05
	Tail     float64       // quantile until which one is; 0 is .99
	Margin   float64       // share by which the head is taken earlier and the tail later; 0 is .1
	MinCV    float64       // least coefficient of variation of the bins' counts for the histogram to be used; 0 is 2
	MaxOut   float64       // share of idle times out of bounds from which a forecast replaces the histogram; 0 is .5
	Standard time.Duration // keep-alive where neither is used; 0 is Range
	Recent   int           // number of last idle times that the forecast is made from; 0 is 10
	Slack    float64       // share by which the forecast is taken earlier and later; 0 is .15
}

// withDefaults fills in the paper's values.
func (h Hybrid) withDefaults() Hybrid {
	h.Bin = cmp.Or(h.Bin, time.Minute)
	h.Range = cmp.Or(h.Range, 4*time.Hour)
	h.Head = cmp.Or(h.Head, .05)
	h.Tail = cmp.Or(h.Tail, .99)
	h.Margin = cmp.Or(h.Margin, .1)
	h.MinCV = cmp.Or(h.MinCV, 2)
	h.MaxOut = cmp.Or(h.MaxOut, .5)
	h.Standard = cmp.Or(h.Standard, h.Range)
	h.Recent = cmp.Or(h.Recent, 10)
	h.Slack = cmp.Or(h.Slack, .15)
	return h
}

// maxBins is the most bins of a histogram, and the most recent idle times.
const maxBins = 1 << 16

func (p Policy) validateHybrid(f *faults) {
	if p.Hybrid == nil {
		return
	}
	if p.KeepAlive != 0 {
		f.add("keep-alive %v with hybrid: leave it out, hybrid's standard is the keep-alive where its histogram cannot be used", p.KeepAlive)
	}
	if len(p.Survival) > 0 {
		f.add("survival with hybrid: leave one out, both say how long instances live")
	}
	if p.Ping != (Pings{}) {
		f.add("ping with hybrid: leave one out, hybrid would learn the pings' intervals and not the requests'")
	}
	h := p.Hybrid.withDefaults()
	notNegative(f, "hybrid bin", h.Bin, "")
	notNegative(f, "hybrid range", h.Range, "")
	notNegative(f, "hybrid standard", h.Standard, "")
	notNegative(f, "hybrid recent", h.Recent, "")
	if h.Bin > 0 && (h.Range < h.Bin || h.Range/h.Bin > maxBins) {
		f.add("hybrid range %v: must be 1 to %d bins of %v", h.Range, maxBins, h.Bin)
	}
	if h.Recent > maxBins {
		f.add("hybrid recent %d: must be at most %d", h.Recent, maxBins)
	}
	if !(h.Head > 0 && h.Head <= h.Tail && h.Tail <= 1) {
		f.add("hybrid head %v, tail %v: must be quantiles, the head not above the tail", h.Head, h.Tail)
	}
	for _, share := range []struct {
		name string
		v    float64
	}{{"margin", h.Margin}, {"slack", h.Slack}, {"max out", h.MaxOut}} {
		if !(share.v >= 0 && share.v <= 1) {
			f.add("hybrid %s %v: must be from 0 to 1", share.name, share.v)
		}
	}
	if !(h.MinCV >= 0) {
		f.add("hybrid min CV %v: must be at least 0", h.MinCV)
	}
}

// habit is what the hybrid policy has learnt of a function.
type habit struct {
	Hybrid
	bins    []uint64
	within  uint64 // idle times within bounds: the sum of the bins
	squares float64
	out     uint64
	recent  []time.Duration // the last idle times, a ring
	at      int             // of the next in recent

	ahead time.Duration // from the last answer to the pre-warm; 0: instances are kept through
	keep  time.Duration // from there until they go
}

func newHabit(h Hybrid) *habit {
	h = h.withDefaults()
	return &habit{Hybrid: h, bins: make([]uint64, h.Range/h.Bin), recent: make([]time.Duration, 0, h.Recent), keep: h.Standard}
}

// observe learns that the function was without requests for so long.
func (h *habit) observe(idle time.Duration) {
	if bin := int64(idle / h.Bin); bin < int64(len(h.bins)) {
		h.squares += float64(2*h.bins[bin] + 1)
		h.bins[bin]++
		h.within++
	} else {
		h.out++
	}
	if len(h.recent) < cap(h.recent) {
		h.recent = append(h.recent, idle)
	} else {
		h.recent[h.at] = idle
		h.at = (h.at + 1) % len(h.recent)
	}
	h.ahead, h.keep = h.windows()
}

// windows decides as figure 10 of the paper does.
func (h *habit) windows() (ahead, keep time.Duration) {
	switch all := h.within + h.out; {
	case float64(h.out) >= h.MaxOut*float64(all):
		return window(h.forecast(), h.forecast(), h.Slack)
	case h.peaked():
		return window(time.Duration(h.quantile(h.Head))*h.Bin, time.Duration(h.quantile(h.Tail)+1)*h.Bin, h.Margin)
	}
	return 0, h.Standard
}

// window goes from a margin before one instant to a margin behind another.
func window(from, to time.Duration, margin float64) (ahead, keep time.Duration) {
	ahead = time.Duration(float64(from) * (1 - margin))
	return ahead, max(1, time.Duration(float64(to)*(1+margin))-ahead)
}

// forecast is the mean of the last idle times.
func (h *habit) forecast() time.Duration {
	sum := 0.
	for _, idle := range h.recent {
		sum += float64(idle)
	}
	return time.Duration(sum / float64(len(h.recent)))
}

// peaked says whether the coefficient of variation of the n bins' counts c, their
// standard deviation (of all bins, not of a sample) over their mean, is high
// enough. With T the sum of the counts, and without the rounding of a root:
//
//	CV^2 = (n sum(c^2) - T^2) / T^2
func (h *habit) peaked() bool {
	n, sum := float64(len(h.bins)), float64(h.within)
	return n*h.squares-sum*sum >= h.MinCV*h.MinCV*sum*sum
}

// quantile is the first bin up to which a share q of the idle times within bounds lie.
func (h *habit) quantile(q float64) int {
	sum := uint64(0)
	for bin, n := range h.bins {
		if sum += n; float64(sum) >= q*float64(h.within) && sum > 0 {
			return bin
		}
	}
	return len(h.bins) - 1
}

// inside is how many requests are anywhere in the pool.
func (p *Pool) inside() uint64 {
	c := &p.counts
	return c.Arrived - c.Throttled - c.Failed - c.Dropped - c.Finished - c.Lost
}

// hush notes the instant from which the function is without requests. Where the
// next is not likely soon, what rests goes, to be started again ahead of it.
func (p *Pool) hush(out []Action) []Action {
	if p.habit == nil || p.quiet || p.inside() > 0 || p.counts.Arrived == 0 || p.retired {
		return out
	}
	p.quiet, p.quieted = true, p.now
	if p.habit.ahead == 0 {
		return out
	}
	p.prewarm = after(p.now, p.habit.ahead)
	p.due = min(p.due, p.prewarm)
	for p.resting() > 0 {
		out = p.reap(p.eldest(), KeepAliveOver, out)
	}
	return out
}

// disturb learns from the request that ends the quiet.
func (p *Pool) disturb() {
	if p.quiet {
		p.quiet, p.prewarm = false, never
		p.habit.observe(p.now - p.quieted)
	}
}

// warm starts an instance ahead of the request that is likely soon, unless one
// is there or none may be started.
func (p *Pool) warm(out []Action) []Action {
	p.prewarm = never
	if p.standby.n+p.resting()+p.instances.starting() > 0 || !p.room() {
		return out
	}
	out, why := p.admit(out)
	if why != NoReason {
		return out
	}
	i := p.start(false)
	slot := &p.instances.slots[i]
	slot.ahead = true
	return append(out, Action{Kind: Start, Ahead: true, Instance: slot.name})
}
