package reports_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

// TestMatrixAnswer: failures come first, then waits from the shortest on, each
// with its evidence and with what is wrong with it.
func TestMatrixAnswer(t *testing.T) {
	m := reportstest.Matrix()
	d := m.Document
	d.Platforms = append(d.Platforms,
		matrix.Platform{Name: "http", Runs: 1, Sent: 40},
		matrix.Platform{Name: "workers", Invalid: []string{"2 requests were dropped", "it was interrupted"}})
	d.State, d.Runs[2].Made = matrix.Interrupted, false
	for i := range m.Lines {
		if l := &m.Lines[i]; l.Platform == "lambda" && l.Start == "warm" {
			l.Limited = []string{"p50"}
		}
	}
	m.Lines[0], m.Lines[2] = m.Lines[2], m.Lines[0] // the order of the platforms decides nothing
	want := []string{
		"docker failed: no Docker; start dockerd.",
		"The figures of workers cannot be used: 2 requests were dropped; it was interrupted.",
		"It did not come to its end: 1 of 3 runs were made.",
		"A caller who comes cold waits (p50) 4.95 ms on reference (attested) and 79.2 ms on lambda (attested).",
		"A caller who comes warm waits (p50) 396 µs on reference (attested) and 1.98 ms on lambda (attested, generator-limited).",
		"How requests on http started is unknown: nothing there tells.",
	}
	if diff := cmp.Diff(want, m.Answer()); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	m.Lines[3].Function = "cart"
	if got := strings.Join(m.Answer(), "\n"); !strings.Contains(got, "A caller of cart who comes warm waits (p50) ") || !strings.Contains(got, "A caller of hello who comes cold waits (p50) ") {
		t.Errorf("of two functions it says\n%s", got)
	}
}

// TestMatrixNotes: how the runs were made, which of them are not used, and each
// platform's doubts and causes under its name; that a quantile is left out the
// table shows.
func TestMatrixNotes(t *testing.T) {
	m := reportstest.Matrix()
	d := m.Document
	d.Rounds = 2
	for i, name := range []string{"lambda", "docker", "reference"} {
		d.Runs = append(d.Runs, matrix.Run{Number: 4 + i, Round: 2, Platform: name})
	}
	d.Runs[5].Invalid = []string{"the generator was late"}
	d.Platforms[1].Causes = []summary.Cause{{Function: "hello", Kind: "throttled", N: 2, Message: "TooManyRequestsException"}}
	d.Platforms[1].Doubts = []summary.Warning{{Code: summary.QuantileUnsupported, Message: "p99 needs more"}, {Code: "said", Message: "said by the platform"}}
	want := []string{
		"6 runs of 1m each, one after the other in an order of chance (seed 7), each even round in the reverse of the one before: reference, docker, lambda; lambda, docker, reference",
		"on Lambda: what AWS Lambda would ask for a million such requests, each billed for as long as the platform says that it ran; coldcurve cost RUN has other products' prices",
		"run 6, on reference, is not used: the generator was late",
		"lambda: hello: 2 throttled failures, the first: TooManyRequestsException",
		"lambda: said by the platform",
	}
	if diff := cmp.Diff(want, m.Notes()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestMatrixChecks: a budget is held or broken by a platform, which is named.
func TestMatrixChecks(t *testing.T) {
	m := reportstest.Matrix()
	m.Document.Platforms[0].Expect = []summary.Check{{Held: true, Message: "error_share is 0%"}}
	m.Document.Platforms[1].Expect = []summary.Check{{Message: "error_share is 2%"}}
	var got []string
	for _, c := range m.Checks() {
		got = append(got, c.Message)
	}
	if diff := cmp.Diff([]string{"reference: error_share is 0%", "lambda: error_share is 2%"}, got); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if m.Document.Platforms[1].Expect[0].Message != "error_share is 2%" {
		t.Error("the document says what the report does")
	}
}

// TestMatrixOf makes a report of run directories: a line a platform and start
// kind, the same by phase, curves of those that have any, and a price where
// there is one.
func TestMatrixOf(t *testing.T) {
	d := matrix.Document{Scenario: "idle", Seed: 7, Rounds: 1, Length: time.Second, Platforms: []matrix.Platform{{Name: "reference"}, {Name: "http"}}}
	m, err := matrix.Create(filepath.Join(t.TempDir(), "m"), d, []byte("name: idle\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range m.Document.Runs {
		measured(t, filepath.Join(m.Path, run.Dir), run.Platform)
		if err := m.Add(run.Number); err != nil {
			t.Fatal(err)
		}
	}
	m.Document.Platform("reference").Cost = reportstest.Matrix().Document.Platforms[0].Cost
	r := reports.MatrixOf(m)
	lines := func(of []reports.MatrixLine) (names []string) {
		for _, l := range of {
			names = append(names, strings.Join([]string{l.Platform, l.Phase, l.Kind, l.Grade, l.PerMillion}, " "))
		}
		return names
	}
	if diff := cmp.Diff([]string{"reference  cold attested $0.25", "reference  warm attested $0.25", "http  unknown none -"}, lines(r.Lines)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"reference late cold attested $0.25", "reference in-time warm attested $0.25", "http late unknown none -", "http in-time unknown none -"}, lines(r.Phases)); diff != "" {
		t.Errorf("lines by phase (-want +got):\n%s", diff)
	}
	if r.Title != "idle on reference and http" || len(r.Curves) != 2 || r.Curves[0].Start != sample.Cold || len(r.Curves[0].Platforms) != 1 || r.Curves[0].Platforms[0] != "reference" {
		t.Errorf("title %q, curves %+v", r.Title, r.Curves)
	}
	if apart := r.TakenApart(); len(apart) != 1 || apart[0].Kind != "cold" {
		t.Errorf("taken apart are %v", lines(apart))
	}
}

// measured is a run of ten cold requests and ten warm ones; platform http says
// nothing of their starts.
func measured(t *testing.T, dir, name string) {
	t.Helper()
	w, err := rundir.Create(dir, rundir.Manifest{
		Scenario: "idle", Platform: platform.Description{Name: name}, Functions: []string{"hello"}, InFlight: rundir.InFlight{Max: 10, When: "drop"},
		Phases: []rundir.Phase{{Name: "late", End: time.Second / 2, Offered: 10}, {Name: "in-time", Start: time.Second / 2, End: time.Second, Offered: 10}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		at := time.Duration(i) * 50 * ms
		s := sample.Sample{Seq: uint64(i), Phase: "late", Function: "hello", Intended: at, Sent: at, Done: at + 80*ms}
		if i >= 10 {
			s.Phase, s.Done = "in-time", at+2*ms
		}
		switch {
		case name == "http":
		case i < 10:
			s.Start, s.Grade, s.Breakdown.Init = sample.Cold, sample.Attested, 40*ms
		default:
			s.Start, s.Grade = sample.Warm, sample.Attested
		}
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(func(m *rundir.Manifest) { m.Complete = true }); err != nil {
		t.Fatal(err)
	}
}
