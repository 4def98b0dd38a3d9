package comparison

import (
	"fmt"
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
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Shift is how the latency of one start kind differs between the sides, decile
// by decile. The unit is the run: at each decile, y of a pair is the logarithm of
// head's quantile over base's; the change is Hodges and Lehmann's estimate over
// the pairs, its band the exact signed-rank limits at 95%, decile by decile. Of
// runs that were not made in pairs it is their estimate over all differences of a
// run of head and one of base, and the exact rank-sum limits.
//
// Source: the shift function is K. Doksum's, Annals of Statistics 2 (1974)
// 267-277; a band over runs instead of over pooled requests allows for what
// requests of one run have in common.
type Shift struct {
	Start   string   `json:"start"`
	Pairs   int      `json:"pairs"`
	Runs    [2]int   `json:"-"` // of base and of head, where there are no pairs
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

// Over is what a shift rests on, in words.
func (s *Shift) Over() string {
	if s.Pairs > 0 {
		return units.FormatNoun(s.Pairs, "pair")
	}
	return fmt.Sprintf("%s of base and %d of head", units.FormatNoun(s.Runs[0], "run"), s.Runs[1])
}

// sides are the runs of both sides that can be used, and the same as the gate
// compares them.
type sides struct {
	base, head []*baseline.Run
	usable     gate.Comparison
	unpaired   bool // base[i] and head[i] were not made one right after the other
}

// sound are the runs that a finding on a start kind's median rests on: those that
// can be used and have it, and not by the load generator's doing; of pairs those
// in which both are such.
func (s *sides) sound(start string) (base, head []*baseline.Run) {
	median := gate.Rule{Budget: budget.Budget{Metric: "latency.p50", Start: start}}
	has := func(t *gate.Trial) bool { _, why := median.Figure(t); return why == "" }
	for i := range s.base {
		if has(&s.usable.Base[i]) && (s.unpaired || has(&s.usable.Head[i])) {
			base = append(base, s.base[i])
		}
	}
	for i := range s.head {
		if has(&s.usable.Head[i]) && (s.unpaired || has(&s.usable.Base[i])) {
			head = append(head, s.head[i])
		}
	}
	return base, head
}

// shifts are those of the kinds that both sides have often enough, cold first.
func (s *sides) shifts() []Shift {
	out := []Shift{}
	for _, start := range kinds(slices.Concat(s.base, s.head)) {
		base, head := s.sound(start)
		if len(base) == 0 || len(head) == 0 {
			continue
		}
		shift := Shift{Start: start, Deciles: s.deciles(latencies(base, start), latencies(head, start))}
		if s.unpaired {
			shift.Runs = [2]int{len(base), len(head)}
		} else {
			shift.Pairs = len(base)
		}
		out = append(out, shift)
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
func (s *sides) colds() []Cold {
	var list []Cold
	side := func(runs []*baseline.Run, start string) ColdSide {
		h := together(runs, start)
		return ColdSide{h.N(), h.Quantile(.5)}
	}
	for _, start := range parts(slices.Concat(s.base, s.head)) {
		list = append(list, Cold{start, side(s.base, start), side(s.head, start)})
	}
	return list
}

func (s *sides) deciles(base, head []*hist.Histogram) []Decile {
	var list []Decile
	for i := 1; i < 10; i++ {
		share := float64(i) / 10
		b, h := quantiles(base, share), quantiles(head, share)
		d := Decile{Share: share, Base: nanos(stats.HodgesLehmann(b)), Head: nanos(stats.HodgesLehmann(h))}
		b, h = logs(b), logs(h)
		var change, lower, upper float64
		if s.unpaired {
			change = stats.Shift(b, h)
			lower, upper = stats.RankSumLimits(b, h, .975)
		} else {
			ys := make([]float64, len(b))
			for n := range ys {
				ys[n] = h[n] - b[n]
			}
			change = stats.HodgesLehmann(ys)
			lower, upper = stats.SignedRankLimits(ys, .975)
		}
		d.Change, d.Lower, d.Upper = math.Expm1(change), ratio(lower), ratio(upper)
		list = append(list, d)
	}
	return list
}

// quantiles are one quantile of several runs, in nanoseconds, at least 1.
func quantiles(runs []*hist.Histogram, share float64) []float64 {
	list := make([]float64, len(runs))
	for i, h := range runs {
		list[i] = float64(max(h.Quantile(share), 1))
	}
	return list
}

func logs(values []float64) []float64 {
	list := make([]float64, len(values))
	for i, v := range values {
		list[i] = math.Log(v)
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

func latencies(runs []*baseline.Run, start string) []*hist.Histogram {
	list := make([]*hist.Histogram, len(runs))
	for i, r := range runs {
		list[i] = Latency(r, start)
	}
	return list
}

// Latencies are a side's, the same runs as a shift's together.
func (s *sides) Latencies(side string, start sample.Start) *hist.Histogram {
	runs, head := s.sound(start.String())
	if side == Head {
		runs = head
	}
	return together(runs, start.String())
}

func together(runs []*baseline.Run, start string) *hist.Histogram {
	all := hist.New()
	for _, h := range latencies(runs, start) {
		all.Merge(h)
	}
	return all
}
