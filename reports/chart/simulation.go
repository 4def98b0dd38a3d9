package chart

import (
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// OfSimulation draws up the charts of a simulation, those that have data.
func OfSimulation(s *study.Simulation) []Chart {
	var out []Chart
	for _, draw := range []func(*study.Simulation) (Chart, bool){timeline, machines, responses, bothResponses} {
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

// shownOf is a response time's distribution above [fastest].
func shownOf(h *hist.Histogram) reports.Distribution {
	d := reports.DistributionOf(sample.Warm, h) // for its look: warm is what most are
	d.Curve = slices.DeleteFunc(d.Curve, func(q reports.Quantile) bool { return q.Share < fastest })
	return d
}

const responsesCaption = "How long the slowest share of requests took, from arrival to answer. Each further nine takes the same room. " +
	"A thin line goes beyond what the number of requests can support with an interval."

// responses draws the response times of all requests by percentile.
func responses(s *study.Simulation) (Chart, bool) {
	if s.Response == nil || s.Response.N() == 0 || s.Fleet != nil {
		return Chart{}, false
	}
	c, ok := percentiles(&summary.Run{}, &reports.Run{Distributions: []reports.Distribution{shownOf(s.Response)}})
	c.Title, c.Alt = "Response time by percentile, simulated", strings.Replace(c.Alt, " warm", " response time", 1)
	c.Caption = responsesCaption
	c.keys = nil
	return c, ok
}

// bothResponses draws them for functions and fleet.
func bothResponses(s *study.Simulation) (Chart, bool) {
	f := s.Fleet
	if f == nil || f.Response.N() == 0 || s.Response == nil || s.Response.N() == 0 {
		return Chart{}, false
	}
	c := overlaid(
		overlay{"functions", shownOf(s.Response), lookOf(sample.Warm)},
		overlay{f.Product, shownOf(f.Response), headLook()},
	)
	c.Name, c.Title, c.Caption = "percentiles", "Response time by percentile, simulated", responsesCaption
	c.Alt = "Response times of the same requests by percentile, on functions and on " + f.Product + "."
	return c, true
}

// machines draws the fleet over the simulated time.
func machines(s *study.Simulation) (Chart, bool) {
	if s.Fleet == nil {
		return Chart{}, false
	}
	var steps []sim.Step
	for _, step := range s.Fleet.Timeline {
		steps = append(steps, sim.Step{At: step.At, Length: step.Length, Instances: step.Alive, Busy: step.Busy / float64(s.Fleet.Workers)})
	}
	c, ok := overTime(steps)
	if n := len(c.keys); n > 0 {
		c.keys[n-1].label = "of them filled by requests"
	}
	c.Name, c.Title = "fleet", s.Fleet.Product+" over time, simulated"
	c.Caption = "Mean instances in each step of time, those included that boot or drain, and as many of them as the requests in service fill if each has all its workers busy."
	return c, ok
}

// timeline draws instances and requests under way over the simulated time.
func timeline(s *study.Simulation) (Chart, bool) {
	c, ok := overTime(s.Timeline)
	c.Title, c.Caption = "Instances over time, simulated", "Mean instances in each step of time, and those of them that serve."
	return c, ok
}

func overTime(steps []sim.Step) (Chart, bool) {
	var data reports.Run
	end := time.Duration(0)
	for _, step := range steps {
		data.Instances = append(data.Instances, reports.Level{At: step.At, Value: step.Instances})
		data.InFlight = append(data.InFlight, reports.Level{At: step.At, Value: step.Busy})
		end = step.At + step.Length
	}
	if n := len(steps); n > 0 { // the last step lasts as long as the others
		data.InFlight = append(data.InFlight, reports.Level{At: end, Value: steps[n-1].Busy})
	}
	return concurrency(&summary.Run{}, &data)
}
