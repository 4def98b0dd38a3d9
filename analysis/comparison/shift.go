package comparison

import (
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Shift is how the latency of one start kind differs between the sides, decile
// by decile. The unit is the run: at each decile, y of a pair is the logarithm of
// head's quantile over base's; the change is Hodges and Lehmann's estimate over
// the pairs, its band the exact signed-rank limits at 95%, decile by decile.
//
// Source: the shift function is K. Doksum's, Annals of Statistics 2 (1974)
// 267-277; a band over runs instead of over pooled requests allows for what
// requests of one run have in common.
type Shift struct {
	Start   string   `json:"start"`
	Pairs   int      `json:"pairs"`
	Deciles []Decile `json:"deciles"`
}

// Decile is a point of a shift. Change and its limits are shares of base's
// quantile; limits are nil where so few pairs have none.
type Decile struct {
	Share  float64       `json:"share"`
	Base   time.Duration `json:"base_ns"` // of the runs' quantiles, by Hodges and Lehmann
	Head   time.Duration `json:"head_ns"`
	Change float64       `json:"change"`
	Lower  *float64      `json:"lower"`
	Upper  *float64      `json:"upper"`
}

// sound are the pairs that a finding on a start kind's median rests on: those that
// can be used and in which both runs have it, and not by the load generator's
// doing.
func (c *Comparison) sound(start string) (base, head []*baseline.Run) {
	median := gate.Rule{Budget: budget.Budget{Metric: "latency.p50", Start: start}}
	for i := range c.base {
		_, noBase := median.Figure(&c.usable.Base[i])
		_, noHead := median.Figure(&c.usable.Head[i])
		if noBase == "" && noHead == "" {
			base, head = append(base, c.base[i]), append(head, c.head[i])
		}
	}
	return base, head
}

// shifts are those of the kinds that both sides have often enough, cold first.
func (c *Comparison) shifts() []Shift {
	out := []Shift{}
	for _, start := range kinds(slices.Concat(c.base, c.head)) {
		base, head := c.sound(start)
		var pairs [][2]*hist.Histogram
		for i := range base {
			pairs = append(pairs, [2]*hist.Histogram{Latency(base[i], start), Latency(head[i], start)})
		}
		if len(pairs) > 0 {
			out = append(out, Shift{Start: start, Pairs: len(pairs), Deciles: deciles(pairs)})
		}
	}
	return out
}

// kinds are the start kinds that shifts are of: cold, its parts where there are
// several, and warm.
func kinds(runs []*baseline.Run) []string {
	list := []string{sample.Cold.String()}
	if parts := parts(runs); len(parts) > 1 {
		list = append(list, parts...)
	}
	return append(list, sample.Warm.String())
}

// parts are the occasions that any of the runs' cold starts had.
func parts(runs []*baseline.Run) []string {
	var list []string
	for _, o := range sample.Occasions() {
		if slices.ContainsFunc(runs, func(r *baseline.Run) bool { return Latency(r, o.String()).N() > 0 }) {
			list = append(list, o.String())
		}
	}
	return list
}

// Cold is those cold starts of both sides that one occasion made necessary.
type Cold struct {
	Start string   `json:"start"` // forced-cold, idle-cold, ...
	Base  ColdSide `json:"base"`
	Head  ColdSide `json:"head"`
}

// ColdSide is one side's, all usable runs together: to look at, not to judge by.
type ColdSide struct {
	N      uint64        `json:"n"`         // that were answered with success
	Median time.Duration `json:"median_ns"` // of latency; 0 for none
}

// colds are the cold starts by occasion.
func (c *Comparison) colds() []Cold {
	var list []Cold
	side := func(runs []*baseline.Run, start string) ColdSide {
		h := together(runs, start)
		return ColdSide{h.N(), h.Quantile(.5)}
	}
	for _, start := range parts(append(c.base, c.head...)) {
		list = append(list, Cold{start, side(c.base, start), side(c.head, start)})
	}
	return list
}

func deciles(pairs [][2]*hist.Histogram) []Decile {
	var list []Decile
	for i := 1; i < 10; i++ {
		share := float64(i) / 10
		var base, head, ys []float64
		for _, p := range pairs {
			b, h := float64(max(p[0].Quantile(share), 1)), float64(max(p[1].Quantile(share), 1))
			base, head, ys = append(base, b), append(head, h), append(ys, math.Log(h/b))
		}
		lower, upper := stats.SignedRankLimits(ys, .975)
		list = append(list, Decile{
			Share: share, Base: nanos(stats.HodgesLehmann(base)), Head: nanos(stats.HodgesLehmann(head)),
			Change: math.Expm1(stats.HodgesLehmann(ys)), Lower: ratio(lower), Upper: ratio(upper),
		})
	}
	return list
}

func ratio(y float64) *float64 {
	if math.IsInf(y, 0) || math.IsNaN(y) {
		return nil
	}
	v := math.Expm1(y)
	return &v
}

// Latency is the distribution of one start kind in a run, or of a part of the
// cold ones, warm-up left out.
func Latency(r *baseline.Run, start string) *hist.Histogram {
	warmup := make(map[string]bool)
	for _, p := range r.Record.Phases {
		warmup[p.Name] = p.Warmup
	}
	all := hist.New()
	for _, groups := range [][]summary.RecordedGroup{r.Record.Groups, r.Record.Colds} {
		for i := range groups {
			if g := &groups[i]; g.Kind() == start && !warmup[g.Phase] {
				all.Merge(g.Latency)
			}
		}
	}
	return all
}

// Latencies are a side's, the runs of the same pairs as a shift's together.
func (c *Comparison) Latencies(side string, start sample.Start) *hist.Histogram {
	runs, head := c.sound(start.String())
	if side == Head {
		runs = head
	}
	return together(runs, start.String())
}

func together(runs []*baseline.Run, start string) *hist.Histogram {
	all := hist.New()
	for _, r := range runs {
		all.Merge(Latency(r, start))
	}
	return all
}
