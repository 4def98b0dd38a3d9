package reportstest

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// Matrix is a scenario on three platforms, of which reference takes 5 ms for a
// cold start, lambda 80 ms, and docker cannot run.
func Matrix() *reports.Matrix {
	d := &matrix.Document{
		Schema: matrix.Schema, Scenario: "idle", Source: "embedded:idle", State: matrix.Complete, Seed: 7, Rounds: 1, Length: time.Minute,
		Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Platforms: []matrix.Platform{
			{Name: "reference", Runs: 1, Sent: 40, Cold: 20, Known: 40, ColdShare: new(.5), Cost: &summary.Cost{Options: []summary.CostOption{{
				Option: "aws/lambda", Region: "us-east-1", Month: new(units.USD(units.Dollar)), PerMillion: new(units.USD(units.Dollar / 4)),
				Sources: []string{"a list of prices"},
			}}}},
			{Name: "lambda", Runs: 1, Sent: 40, Cold: 20, Known: 40, ColdShare: new(.5)},
			{Name: "docker", Failure: "no Docker", Hint: "start dockerd"},
		},
		Runs: []matrix.Run{
			{Number: 1, Round: 1, Platform: "reference", Dir: "01-reference", Made: true},
			{Number: 2, Round: 1, Platform: "docker", Dir: "02-docker"},
			{Number: 3, Round: 1, Platform: "lambda", Dir: "03-lambda", Made: true},
		},
	}
	m := &reports.Matrix{Title: "idle on reference, lambda and docker", Document: d}
	for _, of := range []struct {
		start  sample.Start
		median []time.Duration // reference's, lambda's
	}{{sample.Cold, []time.Duration{5 * time.Millisecond, 80 * time.Millisecond}}, {sample.Warm, []time.Duration{400 * time.Microsecond, 2 * time.Millisecond}}} {
		bundle := reports.Bundle{Start: of.start}
		for i, median := range of.median {
			group, latencies := waits(of.start, median)
			line := reports.MatrixLine{Platform: d.Platforms[i].Name, Kind: of.start.String(), PerMillion: []string{"$0.25", "-"}[i]}
			line.Group, line.Medians = group, []*int64{group.Latency.P50}
			m.Lines = append(m.Lines, line)
			bundle.Platforms, bundle.Latencies = append(bundle.Platforms, line.Platform), append(bundle.Latencies, reports.DistributionOf(of.start, latencies))
		}
		m.Curves = append(m.Curves, bundle)
	}
	m.Lines[1], m.Lines[2] = m.Lines[2], m.Lines[1] // platform by platform
	return m
}

// waits are 20 requests of the given median.
func waits(start sample.Start, median time.Duration) (summary.Group, *hist.Histogram) {
	b, latencies := summary.New(summary.Input{Complete: true}), hist.New()
	for i := range 20 {
		at, took := time.Duration(i)*time.Second, median*time.Duration(90+i)/100
		s := sample.Sample{
			Phase: "idle", Function: "hello", Intended: at, Sent: at, Done: at + took, Start: start, Grade: sample.Attested,
			Breakdown: sample.Breakdown{Init: took / 2, Handler: took / 4},
		}
		b.Add(&s)
		latencies.Record(took)
	}
	group := b.Select(summary.Selection{}).Group
	group.Function, group.Start = "hello", start.String()
	return group, latencies
}
