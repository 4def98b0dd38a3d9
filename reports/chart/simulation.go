package chart

import (
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// OfSimulation draws up the charts of a simulation, those that have data.
func OfSimulation(s *study.Simulation) []Chart {
	var out []Chart
	for _, draw := range []func(*study.Simulation) (Chart, bool){timeline, responses} {
		if c, ok := draw(s); ok {
			c.subtitle = s.Traffic.Name
			out = append(out, c)
		}
	}
	return out
}

// OfSweep draws up the chart of a sweep, if it has data.
func OfSweep(s *study.Sweep) []Chart {
	if c, ok := tradeoffOf(s); ok {
		return []Chart{c}
	}
	return nil
}

// fastest is the share of requests that the curve of response times begins
// above: of an exponential service the fastest of millions takes nanoseconds,
// which would take most of the axis.
const fastest = .01

// responses draws the response times of all requests by percentile.
func responses(s *study.Simulation) (Chart, bool) {
	if s.Response == nil || s.Response.N() == 0 {
		return Chart{}, false
	}
	shown := reports.DistributionOf(sample.Warm, s.Response) // for its look: warm is what most are
	shown.Curve = slices.DeleteFunc(shown.Curve, func(q reports.Quantile) bool { return q.Share < fastest })
	c, ok := percentiles(&summary.Run{}, &reports.Run{Distributions: []reports.Distribution{shown}})
	c.Title, c.Alt = "Response time by percentile, simulated", strings.Replace(c.Alt, " warm", " response time", 1)
	c.Caption = "How long the slowest share of requests took, from arrival to answer. Each further nine takes the same room. " +
		"A thin line goes beyond what the number of requests can support with an interval."
	c.keys = nil
	return c, ok
}

// timeline draws instances and requests under way over the simulated time.
func timeline(s *study.Simulation) (Chart, bool) {
	var data reports.Run
	end := time.Duration(0)
	for _, step := range s.Timeline {
		data.Instances = append(data.Instances, reports.Level{At: step.At, Value: step.Instances})
		data.InFlight = append(data.InFlight, reports.Level{At: step.At, Value: step.Busy})
		end = step.At + step.Length
	}
	if n := len(s.Timeline); n > 0 { // the last step lasts as long as the others
		data.InFlight = append(data.InFlight, reports.Level{At: end, Value: s.Timeline[n-1].Busy})
	}
	c, ok := concurrency(&summary.Run{}, &data)
	c.Title, c.Caption = "Instances over time, simulated", "Mean instances in each step of time, and those of them that serve."
	return c, ok
}
