package comparison

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// Part is how a phase of the requests moved: Hodges and Lehmann's estimate of
// head's mean less base's over the pairs, and its limits at 95%, nil where so
// few pairs have none.
type Part struct {
	Name   string         `json:"name"` // provision, boot, init, handler
	Base   time.Duration  `json:"base_ns"`
	Head   time.Duration  `json:"head_ns"` // of the runs' means, by the same estimate
	Change time.Duration  `json:"change_ns"`
	Lower  *time.Duration `json:"lower_ns"`
	Upper  *time.Duration `json:"upper_ns"`
	Pairs  int            `json:"pairs"`
}

// Moved says that the phase takes another time on the two sides, by its limits.
func (p Part) Moved() bool {
	return p.Lower != nil && *p.Lower > 0 || p.Upper != nil && *p.Upper < 0
}

// moved is how the phases moved of the requests that a rule on a latency is
// about, the most moved first; nil of other rules.
func moved(r *gate.Rule, c gate.Comparison) []Part {
	if !strings.HasPrefix(r.Metric, "latency.") && !strings.HasPrefix(r.Metric, "service.") {
		return nil
	}
	var parts []Part
	for _, name := range []string{"provision", "boot", "init", "handler"} {
		if p, ok := part(name, r, c); ok {
			parts = append(parts, p)
		}
	}
	slices.SortStableFunc(parts, func(x, y Part) int { return cmp.Compare(y.Change.Abs(), x.Change.Abs()) })
	return parts
}

func part(name string, r *gate.Rule, c gate.Comparison) (Part, bool) {
	var base, head, differences []float64
	for i := range c.Base {
		b, h := mean(name, r, &c.Base[i]), mean(name, r, &c.Head[i])
		if b != nil && h != nil {
			base, head = append(base, float64(*b)), append(head, float64(*h))
			differences = append(differences, float64(*h-*b))
		}
	}
	if len(differences) == 0 {
		return Part{}, false
	}
	lower, upper := stats.SignedRankLimits(differences, .975)
	return Part{
		Name: name, Pairs: len(differences), Base: nanos(stats.HodgesLehmann(base)), Head: nanos(stats.HodgesLehmann(head)),
		Change: nanos(stats.HodgesLehmann(differences)), Lower: bounded(lower), Upper: bounded(upper),
	}, true
}

// mean is a phase's mean in one run, nil where the platform does not tell it and
// where the run must not be used.
func mean(name string, r *gate.Rule, t *gate.Trial) *int64 {
	if len(t.Invalid) > 0 {
		return nil
	}
	pool := t.Figures.Select(summary.Selection{Phase: r.Phase, Function: r.Function, Start: r.Start})
	switch name {
	case "provision":
		return pool.Starts.Provision
	case "boot":
		return pool.Starts.Boot
	case "init":
		return pool.Starts.Init
	}
	return pool.Breakdown.Handler
}

func nanos(v float64) time.Duration { return time.Duration(math.Round(v)) }

func bounded(v float64) *time.Duration {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	d := nanos(v)
	return &d
}
