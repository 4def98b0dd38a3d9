package summary

import (
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stats"
)

// confidence of every interval in the document, two-sided.
const confidence = 0.95

// quantile is a quantile that the document prints.
type quantile struct {
	key  string // in the document
	name string // in words
	q    float64
}

// quantiles in the order of the document's fields.
func quantiles() [5]quantile {
	return [...]quantile{{"p50", "p50", .5}, {"p90", "p90", .9}, {"p95", "p95", .95}, {"p99", "p99", .99}, {"p999", "p99.9", .999}}
}

// at gives the field that holds a quantile.
func (f *Figures) at(key string) **int64 {
	switch key {
	case "p50":
		return &f.P50
	case "p90":
		return &f.P90
	case "p95":
		return &f.P95
	case "p99":
		return &f.P99
	default:
		return &f.P999
	}
}

func (v *Intervals) at(key string) **[2]int64 {
	switch key {
	case "p50":
		return &v.P50
	case "p90":
		return &v.P90
	case "p95":
		return &v.P95
	case "p99":
		return &v.P99
	default:
		return &v.P999
	}
}

// figuresOf reads what h's count supports. A quantile is there exactly when
// both ends of its interval are order statistics of the sample.
func figuresOf(h *hist.Histogram) (f Figures, v Intervals) {
	n := h.N()
	if n == 0 {
		return f, v
	}
	f.Max, f.Mean = new(int64(h.Max())), new(int64(h.Mean()))
	for _, q := range quantiles() {
		lo, hi, ok := stats.QuantileRanks(n, q.q, confidence)
		if !ok {
			continue
		}
		*f.at(q.key) = new(int64(h.Quantile(q.q)))
		*v.at(q.key) = &[2]int64{int64(h.AtRank(lo)), int64(h.AtRank(hi))}
	}
	return f, v
}

// unsupported says which quantiles n samples cannot support and what they
// would take; "" when they support all.
func unsupported(n uint64) string {
	var b strings.Builder
	for _, q := range quantiles() {
		if _, _, ok := stats.QuantileRanks(n, q.q, confidence); ok {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s needs n >= %d, have %d", q.name, stats.MinSamples(q.q, confidence), n)
	}
	return b.String()
}

func lagOf(h *hist.Histogram) Lag {
	if h.N() == 0 {
		return Lag{}
	}
	f, _ := figuresOf(h)
	return Lag{P50: f.P50, P99: f.P99, P999: f.P999, Max: int64(h.Max())}
}

func (t *tally) breakdown() Breakdown {
	b := Breakdown{N: t.partsN}
	if t.partsN == 0 {
		return b
	}
	rest := int64(t.partsSpan) / int64(t.partsN)
	mean := func(sum int64) *int64 {
		if sum == 0 {
			return nil
		}
		m := sum / int64(t.partsN)
		rest -= m
		return &m
	}
	b.Trigger = mean(int64(t.parts.Trigger))
	b.Queue = mean(int64(t.parts.Queue))
	b.Provision = mean(int64(t.parts.Provision))
	b.Boot = mean(int64(t.parts.Boot))
	b.Init = mean(int64(t.parts.Init))
	b.Handler = mean(int64(t.parts.Handler))
	b.Rest = &rest
	return b
}

// starts are the parts that only a start has, over the requests that had one.
func (t *tally) starts() Breakdown {
	b := Breakdown{N: t.startsN}
	mean := func(sum time.Duration) *int64 {
		if sum == 0 {
			return nil
		}
		return new(int64(sum) / int64(t.startsN))
	}
	b.Provision, b.Boot, b.Init = mean(t.parts.Provision), mean(t.parts.Boot), mean(t.parts.Init)
	return b
}

// group puts the tally's figures into the document's shape.
func (t *tally) group() Group {
	g := Group{N: t.n, Errors: t.errors, Grade: t.grade.String(), Lag: lagOf(t.lag), Breakdown: t.breakdown()}
	g.Latency, g.Interval = figuresOf(t.latency)
	g.Service, _ = figuresOf(t.service)
	for k, n := range t.kinds {
		if g.ErrorKinds == nil {
			g.ErrorKinds = map[string]uint64{}
		}
		g.ErrorKinds[k.String()] = n
	}
	if t.n == 0 {
		g.Grade = sample.NoGrade.String()
	}
	if t.billed > 0 {
		g.Billed, g.BilledN = new(int64(t.billed)), t.billedN
	}
	return g
}
