// Package metric owns the names of the figures that a budget or a gate can be
// set on.
//
// In: a name as a scenario spells it, and a limit. Out: the metric with its
// unit, and the limit as a number of that unit; or what to write instead. It
// holds no figure and computes none.
package metric

import (
	"math"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/units"
)

// Metric is the name of a figure, one of [All].
type Metric string

// Unit is what a metric's value counts.
type Unit uint8

const (
	Duration  Unit = iota // nanoseconds
	Share                 // of 1
	Count                 // whole things
	PerSecond             // things per second
	Money                 // nano-dollars
)

// All are the metrics that a run has by itself, in the order in which they are
// best listed:
//
//	latency.*       what callers waited, successes only
//	service.*       what the platform took, successes only
//	cold_share      cold starts among the requests whose start is known
//	error_share     failed requests among those sent
//	errors          failed requests
//	dropped         arrivals that were not sent
//	throughput      requests sent per second
//	trigger.mean    from a trigger's firing to the request's arrival at the platform
//	queue.mean      the wait for an instance, and handler.mean the function's own
//	                time: over all that were answered
//	provision.mean  and boot.mean and init.mean: over those that waited for a start
//	billed.mean     over those that were billed
//	lag.*           the load generator's own delay
func All() []Metric {
	return []Metric{
		"latency.p50", "latency.p90", "latency.p95", "latency.p99", "latency.p999", "latency.max", "latency.mean",
		"service.p50", "service.p90", "service.p95", "service.p99", "service.p999", "service.max", "service.mean",
		"cold_share", "error_share", "errors", "dropped", "throughput",
		"trigger.mean", "queue.mean", "provision.mean", "boot.mean", "init.mean", "handler.mean", "billed.mean",
		"lag.p50", "lag.p99", "lag.p999", "lag.max",
	}
}

// Costs are the metrics that a run has only together with a traffic and with
// somebody's prices:
//
//	cost.month    what a month of that traffic costs, served as the run measured
//	cost.million  the same for a million of its requests
func Costs() []Metric { return []Metric{"cost.month", "cost.million"} }

// Parse finds a metric by its name. The error proposes the names that are
// nearest to it.
func Parse(name string) (Metric, error) { return Find(name, append(All(), Costs()...)) }

// Find is [Parse] among some metrics.
func Find(name string, among []Metric) (Metric, error) {
	for _, m := range among {
		if string(m) == name {
			return m, nil
		}
	}
	return "", &units.Error{Quantity: "metric", Text: name, Problem: "there is no such figure", Instead: "write " + proposal(name, among)}
}

// String is the name.
func (m Metric) String() string { return string(m) }

// Unit is what m counts.
func (m Metric) Unit() Unit {
	switch m {
	case "cold_share", "error_share":
		return Share
	case "errors", "dropped":
		return Count
	case "throughput":
		return PerSecond
	case "cost.month", "cost.million":
		return Money
	}
	return Duration
}

// ParseBound reads a limit on m as a number of its unit: "50ms", "5%", "0",
// "100/s", "$20".
func ParseBound(m Metric, text string) (float64, error) {
	switch m.Unit() {
	case Share:
		return units.ParseShare(text)
	case Count:
		n, err := units.ParseCount(text)
		return float64(n), err
	case PerSecond:
		r, err := units.ParseRate(text)
		return float64(r), err
	case Money:
		a, err := units.ParseMoney(text)
		return float64(a), err
	}
	d, err := units.ParseDuration(text)
	return float64(d), err
}

// FormatValue writes a value of m for reading.
func FormatValue(m Metric, v float64) string {
	switch m.Unit() {
	case Share:
		return units.FormatShare(v)
	case Count:
		return units.FormatCount(int64(math.Round(v)))
	case PerSecond:
		return units.FormatRate(units.Rate(v))
	case Money:
		return units.FormatMoney(units.Money(math.Round(v)))
	}
	return units.FormatDuration(time.Duration(math.Round(v)))
}

// proposal names the metrics that are nearest to name, or all where none is near.
func proposal(name string, all []Metric) string {
	var near []string
	least := max(2, len(name)/3) + 1
	for _, m := range all {
		d := distance(strings.ToLower(name), string(m))
		if d < least {
			least, near = d, nil
		}
		if d == least && len(near) < 3 {
			near = append(near, string(m))
		}
	}
	if len(near) == 0 {
		for _, m := range all {
			near = append(near, string(m))
		}
	}
	if last := len(near) - 1; last > 0 {
		return strings.Join(near[:last], ", ") + " or " + near[last]
	}
	return near[0]
}

// distance is the Levenshtein distance: the fewest bytes to insert, delete or
// replace to make one of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
