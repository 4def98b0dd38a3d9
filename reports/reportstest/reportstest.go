// Package reportstest makes reports for the tests of whatever renders them.
//
// In: nothing but a choice. Out: reports of runs that never were, with the
// shapes that real ones have: bimodal latencies, a spike, failures, doubts. The
// same call gives the same report. Nothing but tests imports it.
package reportstest

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
)

// run adds samples up the way that a real run is.
type run struct {
	rng       *rand.Rand
	builder   *summary.Builder
	collector *reports.Collector
	seq       uint64
}

func newRun(in summary.Input) *run {
	return &run{
		rng:       rand.New(rand.NewPCG(7, 11)),
		builder:   summary.New(in),
		collector: reports.NewCollector(in.Phases),
	}
}

func (r *run) report() *reports.Report {
	data := reports.Run{
		Description: "Idle, spike and sustained traffic within 45 s.",
		Started:     time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Version:     "v1.0.0",
		Environment: []reports.Fact{
			{Name: "CPU", Value: "Imaginary 9 @ 3.00 GHz, 2 cores"},
			{Name: "Kernel", Value: "Linux 6.1"},
		},
		Method: []reports.Fact{
			{Name: "Sandbox", Value: "process"},
			{Name: "In flight", Value: "drop at 10000"},
		},
		Files: []reports.File{
			{Path: "summary.json", Holds: "every figure"},
			{Path: "samples.jsonl.zst", Holds: "every request"},
		},
	}
	r.collector.Collect(&data)
	return &reports.Report{
		Document: summary.Document{Schema: summary.Schema, Runs: []summary.Run{r.builder.Run()}},
		Runs:     []reports.Run{data},
	}
}

// lognormal draws a duration with the given median and spread.
func (r *run) lognormal(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*r.rng.NormFloat64()))
}

// send makes a sample of a request that took service.
func (r *run) send(phase, function string, at, service time.Duration, start sample.Start) *sample.Sample {
	sent := at + r.lognormal(6*time.Microsecond, .5)
	s := &sample.Sample{
		Seq: r.seq, Phase: phase, Function: function,
		Intended: at, Sent: sent, FirstByte: sent + service, Done: sent + service,
		Start: start, Grade: sample.Observed, Instance: "i",
		Breakdown: sample.Breakdown{Handler: service / 3},
		Billed:    service.Truncate(time.Millisecond) + time.Millisecond,
	}
	r.seq++
	if start == sample.Cold {
		s.Breakdown = sample.Breakdown{
			Queue: service / 50, Provision: service * 3 / 10, Boot: service / 5, Init: service * 3 / 10, Handler: service / 10,
		}
	}
	return s
}

func (r *run) add(s *sample.Sample) {
	r.builder.Add(s)
	r.collector.Add(s)
}

// Quick is a run like the quick suite's: 12 cold starts one at a time, a spike
// of 200 at once, then 200 requests a second.
func Quick() *reports.Report {
	rep := quick("hello").report()
	rep.Document.Runs[0].Cost = month()
	return rep
}

// month is a cost of functions that are measured and of machines that nobody
// could size.
func month() *summary.Cost {
	return &summary.Cost{
		Rate: 40.5, Requests: 106_434_000, Span: int64(45 * time.Second),
		Options: []summary.CostOption{
			{Option: "aws/lambda", Serves: "1 function with 512 MB, 1.23% cold", Region: "us-east-1",
				Month: new(units.USD(30_123_456_789)), PerMillion: new(units.USD(283_024_755)), Sources: []string{"a price list, 2026-03-01"}},
			{Option: "aws/ec2/c7g.large", Serves: "2 instances, p99 12.0 ms", Region: "us-east-1", Instances: 2,
				Month: new(units.USD(105_850_000_000)), PerMillion: new(units.USD(994_512_092)), Sources: []string{"a table, 2026-02"}},
			{Option: "aws/ec2/t4g.nano", Why: "too few requests for a p99"},
		},
		Notes: []string{"45.0 s of traffic, scaled to a month."},
	}
}

// Hostile is Quick with names that are HTML.
func Hostile() *reports.Report {
	rep := quick(`<script>alert("f")</script>`).report()
	rep.Document.Runs[0].Cost = &summary.Cost{Options: []summary.CostOption{{Option: `<script>alert("c")</script>`, Why: "<i>"}}}
	rep.Document.Runs[0].Scenario = `<script>alert("s")</script>`
	rep.Document.Runs[0].Platform = `"><img src=x onerror=alert(1)>`
	rep.Runs[0].Description = `</title><b onmouseover=alert(2)>`
	rep.Runs[0].Files = append(rep.Runs[0].Files, reports.File{Path: `javascript:alert(3)`, Holds: `<i>`})
	return rep
}

// Broken is an interrupted run with drops, failures and a budget that broke.
func Broken() *reports.Report {
	in := input()
	in.Complete, in.Interrupted = false, true
	r := newRun(in)
	idle(r, "hello", 4)
	for i := range 40 {
		at := 12*time.Second + time.Duration(i)*time.Millisecond
		s := r.send("spike", "hello", at, r.lognormal(40*time.Millisecond, .3), sample.Cold)
		switch {
		case i%10 == 0:
			*s = sample.Sample{Seq: s.Seq, Phase: s.Phase, Function: s.Function, Intended: at, Err: sample.Dropped}
		case i%7 == 0:
			s.Err, s.Start, s.Grade, s.Breakdown = sample.Throttled, sample.Unknown, sample.NoGrade, sample.Breakdown{}
		}
		r.add(s)
	}
	rep := r.report()
	rep.Document.Runs[0].Expect = []summary.Check{
		{Metric: "latency.p50", Phase: "spike", Max: "10ms", Value: new(4e7), Message: "latency.p50 in spike: 40.0 ms, allowed 10ms"},
		{Metric: "errors", Max: "100", Value: new(6.0), Held: true, Message: "errors: 6, allowed 100"},
	}
	return rep
}

// Empty is a run in which nothing happened.
func Empty() *reports.Report {
	return &reports.Report{
		Document: summary.Document{Schema: summary.Schema, Runs: []summary.Run{summary.New(summary.Input{}).Run()}},
		Runs:     []reports.Run{{}},
	}
}

// Languages is one phase with the same function in three languages and a name
// that is too long for any picture.
func Languages() *reports.Report {
	in := summary.Input{
		Scenario: "runtimes", Platform: "reference", Dir: "runs/x", Complete: true,
		Phases: []summary.PhaseSpan{{Name: "idle", End: 30 * time.Second, Offered: 120}},
	}
	r := newRun(in)
	for i := range 40 {
		at := time.Duration(i) * 750 * time.Millisecond
		for j, f := range []string{"hello-go", "hello-python", "hello-with-a-name-that-nobody-would-give-to-a-function-of-theirs"} {
			start, service := sample.Warm, r.lognormal(time.Duration(j+1)*400*time.Microsecond, .2)
			if i%3 == 0 {
				start, service = sample.Cold, r.lognormal([]time.Duration{4, 45, 62}[j]*time.Millisecond, .1)
			}
			r.add(r.send("idle", f, at+time.Duration(j)*100*time.Millisecond, service, start))
		}
	}
	return r.report()
}

func input() summary.Input {
	return summary.Input{
		Scenario: "quick", Platform: "reference", Dir: "runs/20260301-120000-quick", Seed: 7, Complete: true, Backlog: 200,
		Phases: []summary.PhaseSpan{
			{Name: "idle", Start: 0, End: 12 * time.Second, Offered: 12, Gap: time.Second},
			{Name: "spike", Start: 12 * time.Second, End: 22 * time.Second, Offered: 1198},
			{Name: "sustained", Start: 22 * time.Second, End: 42 * time.Second, Offered: 4000},
		},
		Notes: []string{"memory limits are not enforced: no cgroup may be written here"},
	}
}

// Limited is a run in which the load generator fell behind for one request in
// seventy, so that a p99 is in part its own.
func Limited() *reports.Report {
	in := input()
	in.Scenario, in.Phases = "limited", in.Phases[:1]
	in.Phases[0].Name, in.Phases[0].Offered, in.Phases[0].Gap = "sustained", 2000, 0
	r := newRun(in)
	for i := range 2000 {
		s := r.send("sustained", "hello", time.Duration(i)*6*time.Millisecond, r.lognormal(400*time.Microsecond, .25), sample.Warm)
		if i%70 == 7 {
			s.Sent, s.Done = s.Sent+time.Millisecond, s.Done+time.Millisecond
		}
		r.add(s)
	}
	return r.report()
}

func idle(r *run, function string, n int) {
	for i := range n {
		s := r.send("idle", function, time.Duration(i)*time.Second, r.lognormal(3100*time.Microsecond, .12), sample.Cold)
		r.add(s)
		r.collector.Instance(s.Sent, s.Sent+600*time.Millisecond)
	}
}

func quick(function string) *run {
	r := newRun(input())
	idle(r, function, 12)
	for range 200 {
		s := r.send("spike", function, 13*time.Second, r.lognormal(70*time.Millisecond, .35), sample.Cold)
		r.add(s)
		r.collector.Instance(s.Sent, s.Done+9*time.Second)
	}
	for i := range 998 {
		at := 13*time.Second + 200*time.Millisecond + time.Duration(i)*8*time.Millisecond
		start, service := sample.Warm, r.lognormal(410*time.Microsecond, .3)
		if i%90 == 7 {
			start, service = sample.Queued, r.lognormal(9*time.Millisecond, .5)
		}
		r.add(r.send("spike", function, at, service, start))
	}
	at := 22 * time.Second
	for i := range 4000 {
		at += time.Duration(r.rng.ExpFloat64() * float64(4900*time.Microsecond))
		start, service := sample.Warm, r.lognormal(400*time.Microsecond, .25)
		if i%400 == 20 {
			start, service = sample.Cold, r.lognormal(4200*time.Microsecond, .2)
		}
		s := r.send("sustained", function, at, service, start)
		if i%1300 == 600 {
			s.Err = sample.Timeout
			s.Done = s.Sent + 100*time.Millisecond
		}
		r.add(s)
	}
	return r
}
