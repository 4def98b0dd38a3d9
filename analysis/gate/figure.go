package gate

import (
	"fmt"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/stats"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// figure reads a metric off a pool, in the metric's own unit; where it has no
// value, why says so in words.
func figure(name string, p *summary.Pool) (value float64, why string) {
	what, of, _ := strings.Cut(name, ".")
	if p.N == 0 && occasion(p.Start) {
		return 0, "no cold start is known to be " + p.Start
	}
	if p.N == 0 && p.Start == sample.Unknown.String() {
		return 0, "of no request the start is unknown"
	}
	if p.Untold && what != "provision" && what != "boot" && what != "init" {
		return 0, "the history that was imported tells no " + what
	}
	switch what {
	case "latency":
		return timing(&p.Latency, of, p.N-p.Errors)
	case "service":
		return timing(&p.Service, of, p.N-p.Errors)
	case "lag":
		return lag(p, of)
	case "billed":
		if p.Billed == nil {
			return 0, "the platform tells no billed duration"
		}
		return float64(*p.Billed) / float64(p.BilledN), ""
	case "cold_share", "dropped":
		if p.Start != "" {
			return 0, what + " is over all start kinds: leave start out"
		}
		if what == "dropped" {
			return float64(p.Dropped), ""
		}
		return ratio(p.Cold, p.Known, "no request carries evidence of its start")
	case "errors":
		return float64(p.Errors), ""
	case "error_share":
		return ratio(p.Errors, p.N, "no request was sent")
	case "throughput":
		if p.PerSecond == 0 {
			return 0, "no request was sent"
		}
		return p.PerSecond, ""
	case "provision", "boot", "init":
		return part(&p.Starts, what)
	default:
		return part(&p.Breakdown, what)
	}
}

// occasion says whether a start is a part of the cold ones.
func occasion(start string) bool {
	o, err := sample.ParseOccasion(start)
	return err == nil && o != sample.UnknownOccasion
}

func ratio(some, all uint64, none string) (float64, string) {
	if all == 0 {
		return 0, none
	}
	return float64(some) / float64(all), ""
}

// timing reads a figure of n answered requests.
func timing(f *summary.Figures, of string, n uint64) (float64, string) {
	if n == 0 {
		return 0, "no request was answered"
	}
	var v *int64
	var q float64
	switch of {
	case "p50":
		v, q = f.P50, .5
	case "p90":
		v, q = f.P90, .9
	case "p95":
		v, q = f.P95, .95
	case "p99":
		v, q = f.P99, .99
	case "p999":
		v, q = f.P999, .999
	case "max":
		v = f.Max
	case "mean":
		v = f.Mean
	}
	return supported(v, q, n)
}

// supported is a figure's value, or what its quantile q takes where n samples
// cannot support it.
func supported(v *int64, q float64, n uint64) (float64, string) {
	if v != nil {
		return float64(*v), ""
	}
	if least := stats.MinSamples(q, .95); n < least {
		return 0, fmt.Sprintf("p%g needs n >= %d, have %d", q*100, least, n)
	}
	return 0, "of its requests no such figure is known"
}

// lagged says that the load generator was so late that a figure is its doing as
// much as the platform's: a latency by how far it lies above the same figure
// from the send on, and by that of the mean what depends on when requests came.
// What the platform tells of itself stands, however late they were.
func lagged(name string, p *summary.Pool) bool {
	switch what, of, _ := strings.Cut(name, "."); what {
	case "latency":
		return p.LimitedAt(of)
	case "cold_share", "errors", "error_share", "throughput":
		return p.LimitedAt("mean")
	}
	return false
}

// lag reads a figure of all requests that were sent.
func lag(p *summary.Pool, of string) (float64, string) {
	if p.N == 0 {
		return 0, "no request was sent"
	}
	switch of {
	case "p50":
		return supported(p.Lag.P50, .5, p.N)
	case "p99":
		return supported(p.Lag.P99, .99, p.N)
	case "p999":
		return supported(p.Lag.P999, .999, p.N)
	default:
		return float64(p.Lag.Max), ""
	}
}

func part(b *summary.Breakdown, name string) (float64, string) {
	v, ok := map[string]*int64{
		"trigger": b.Trigger, "queue": b.Queue, "provision": b.Provision, "boot": b.Boot, "init": b.Init, "handler": b.Handler,
	}[name]
	if !ok {
		return 0, "the summary has no such figure"
	}
	if v == nil {
		return 0, "the platform does not tell it, or it did not happen"
	}
	return float64(*v), ""
}
