package summary

import (
	"fmt"
	"slices"
	"strings"
)

// bracketParts is the widest bracket [service, latency] of a quantile that
// still counts as one figure: a twentieth, 5%, of the service quantile.
const bracketParts = 20

// Limit is a latency quantile that the load generator's own lag moved by more
// than 5%: what it measured there is in part itself.
type Limit struct {
	Phase, Function, Start string
	Name                   string // of the quantile, in words: "p99.9"
	Service, Latency       int64  // the quantile from the send and from the intended time, nanoseconds
}

// Limits lists the quantiles that must not be used, in the order of the groups.
func (r *Run) Limits() []Limit {
	var list []Limit
	for i := range r.Groups {
		list = append(list, r.Groups[i].limits()...)
	}
	return list
}

func (g *Group) limits() []Limit {
	var list []Limit
	for _, q := range quantiles() {
		if !g.LimitedAt(q.key) {
			continue
		}
		list = append(list, Limit{
			Phase: g.Phase, Function: g.Function, Start: g.Start, Name: q.name,
			Service: **g.Service.at(q.key), Latency: **g.Latency.at(q.key),
		})
	}
	return list
}

// LimitedAt says whether the group's Limited names a quantile: "p50", "p999";
// of a [Pool] "mean" and "max", too.
func (g *Group) LimitedAt(key string) bool { return slices.Contains(g.Limited, key) }

// bracket gives the quantiles whose bracket is too wide.
func (g *Group) bracket() (keys []string) {
	for _, q := range quantiles() {
		if wide(*g.Service.at(q.key), *g.Latency.at(q.key)) {
			keys = append(keys, q.key)
		}
	}
	return keys
}

// wide says that a figure's bracket is too wide to count as one figure.
func wide(service, latency *int64) bool {
	return latency != nil && service != nil && (*latency-*service)*bracketParts > *service
}

// words is the group's limits as a reason.
func (g *Group) words() string {
	var parts []string
	for _, l := range g.limits() {
		parts = append(parts, fmt.Sprintf("%s %s to %s", l.Name, duration(l.Service), duration(l.Latency)))
	}
	return fmt.Sprintf("generator-limited: %s/%s in %s, %s from service to response, more than 5%% apart by the load generator's own lag",
		g.Function, g.Start, g.Phase, strings.Join(parts, ", "))
}
