package chart

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// Simulation draws instances and requests under way over the simulated time.
func Simulation(s *study.Simulation) (Chart, bool) {
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
	c.subtitle = s.Traffic.Name
	return c, ok
}
