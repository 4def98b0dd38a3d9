package study

import "github.com/coldcurve/coldcurve/analysis/sim"

// mostSteps is as many as a chart shows apart and a document is read with.
const mostSteps = 60

// joined is a timeline in at most so many steps: neighbours are joined, so that
// sums stay as they are and means are by time.
func joined(steps []sim.Step, most int) []sim.Step {
	each := (len(steps) + most - 1) / most
	if each <= 1 {
		return steps
	}
	var out []sim.Step
	for i := 0; i < len(steps); i += each {
		sum := sim.Step{At: steps[i].At}
		for _, s := range steps[i:min(i+each, len(steps))] {
			sum.Length += s.Length
			sum.Requests += s.Requests
			sum.Cold += s.Cold
			sum.Throttled += s.Throttled
			sum.Instances += s.Instances * s.Length.Seconds()
			sum.Busy += s.Busy * s.Length.Seconds()
		}
		if span := sum.Length.Seconds(); span > 0 {
			sum.Instances, sum.Busy = sum.Instances/span, sum.Busy/span
		}
		out = append(out, sum)
	}
	return out
}
