package drive

import (
	"sort"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/scenarios"
)

// Progress is how far a run has come. Counts are from its start; those of
// answers trail by up to a quarter of a second. Nothing here is kept.
type Progress struct {
	Elapsed time.Duration // since offset 0
	Total   time.Duration // length of the schedule; Elapsed goes beyond it while the last answers are out
	Phase   string        // the phase of this moment, the last one after the end

	Offered  uint64 // arrivals reached
	Sent     uint64
	Dropped  uint64
	InFlight int
	Errors   uint64 // answers that were failures; drops are not answers
	Cold     uint64 // answers that started an instance

	P50, P99 time.Duration // latency of all successes so far; 0 while they are too few to support it

	OfferedRate  float64 // arrivals per second that the schedule holds for the last second
	AchievedRate float64 // requests per second sent in the last second
}

// gauge makes live figures. Only the recorder's goroutine uses it.
type gauge struct {
	schedule *scenarios.Schedule
	origin   time.Time
	pacer    *pacer
	tr       *transport

	errors, cold uint64
	latency      *hist.Histogram
	past         [flushEvery]mark // a second's readings, the oldest at next
	next         int
}

// mark is one reading: so much was sent by then.
type mark struct {
	at   time.Duration
	sent uint64
}

func newGauge(s *scenarios.Schedule, origin time.Time, p *pacer, tr *transport) *gauge {
	return &gauge{schedule: s, origin: origin, pacer: p, tr: tr, latency: hist.New()}
}

func (g *gauge) now() time.Duration { return max(0, time.Since(g.origin)) }

// count takes a sample into account.
func (g *gauge) count(s *sample.Sample) {
	if s.Start == sample.Cold {
		g.cold++
	}
	switch s.Err {
	case sample.NoError:
		g.latency.Record(s.Latency())
	case sample.Dropped:
	default:
		g.errors++
	}
}

func (g *gauge) read() Progress {
	now := g.now()
	p := Progress{
		Elapsed:  now,
		Total:    g.total(),
		Phase:    g.phase(now),
		Offered:  g.pacer.reached(),
		Sent:     g.tr.sent.Load(),
		Dropped:  g.tr.dropped.Load(),
		InFlight: int(g.tr.gate.inside.Load()),
		Errors:   g.errors,
		Cold:     g.cold,
	}
	p.P50, p.P99 = g.quantile(.50), g.quantile(.99)
	before := g.past[g.next]
	g.past[g.next] = mark{at: now, sent: p.Sent}
	g.next = (g.next + 1) % len(g.past)
	if window := (now - before.at).Seconds(); window > 0 {
		p.OfferedRate = float64(g.scheduled(now)-g.scheduled(before.at)) / window
		p.AchievedRate = float64(p.Sent-before.sent) / window
	}
	return p
}

// quantile is 0 while there are too few answers to support it.
func (g *gauge) quantile(q float64) time.Duration {
	if g.latency.N() < stats.MinSamples(q, .95) {
		return 0
	}
	return g.latency.Quantile(q)
}

func (g *gauge) total() time.Duration {
	if n := len(g.schedule.Phases); n > 0 {
		return g.schedule.Phases[n-1].End
	}
	return 0
}

func (g *gauge) phase(now time.Duration) string {
	phases := g.schedule.Phases
	if len(phases) == 0 {
		return ""
	}
	i := sort.Search(len(phases), func(i int) bool { return now < phases[i].End })
	return phases[min(i, len(phases)-1)].Name
}

// scheduled is the number of arrivals that the schedule holds before t.
func (g *gauge) scheduled(t time.Duration) int {
	times := g.schedule.Times
	return sort.Search(len(times), func(i int) bool { return times[i] >= t })
}
