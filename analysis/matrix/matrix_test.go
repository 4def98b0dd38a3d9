package matrix_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/platform"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func begin(t *testing.T, rounds int, platforms ...string) *matrix.Matrix {
	t.Helper()
	d := matrix.Document{Scenario: "idle", Source: "idle.yaml", Started: noon, Seed: 7, Rounds: rounds, Length: time.Second}
	for _, p := range platforms {
		d.Platforms = append(d.Platforms, matrix.Platform{Name: p})
	}
	m, err := matrix.Create(t.TempDir()+"/m", d, []byte("name: idle\n"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// outcome is what a run of twenty requests came to: those of the first phase are cold.
type outcome struct {
	cold, warm  time.Duration
	err         sample.ErrorKind
	interrupted bool
}

func perform(t *testing.T, m *matrix.Matrix, run matrix.Run, o outcome) {
	t.Helper()
	w, err := rundir.Create(m.Path+"/"+run.Dir, rundir.Manifest{
		Scenario: "idle", Platform: platform.Description{Name: run.Platform, Version: "1"}, Functions: []string{"hello"},
		Phases: []rundir.Phase{
			{Name: "late", End: time.Second / 2, Offered: 10}, {Name: "in-time", Start: time.Second / 2, End: time.Second, Offered: 10},
		},
		InFlight: rundir.InFlight{Max: 10, When: "drop"}, Warnings: []string{"said once"}, SoFar: []string{fmt.Sprintf("%s up to run %d", run.Platform, run.Number)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		at := time.Duration(i) * 50 * time.Millisecond
		s := sample.Sample{
			Seq: uint64(i), Phase: "late", Function: "hello", Intended: at, Sent: at, Done: at + o.cold,
			Start: sample.Cold, Grade: sample.Attested, Err: o.err,
		}
		if i >= 10 {
			s.Phase, s.Start, s.Done = "in-time", sample.Warm, at+o.warm
		}
		if err := w.Append(&s); err != nil {
			t.Fatal(err)
		}
	}
	err = w.Finish(func(f *rundir.Manifest) {
		f.Complete, f.Interrupted = !o.interrupted, o.interrupted
		if o.err != sample.NoError {
			f.Causes = []rundir.Cause{{Function: "hello", Kind: o.err, N: 20, Message: "connection refused"}}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Add(run.Number); err != nil {
		t.Fatal(err)
	}
}

// TestOrder: over two rounds each platform has the same mean place, whichever
// the seed, and chance decides which comes first.
func TestOrder(t *testing.T) {
	names := []string{"reference", "docker", "lambda"}
	first := make(map[string]bool)
	for seed := range uint64(20) {
		d := matrix.Document{Seed: seed, Rounds: 4}
		for _, n := range names {
			d.Platforms = append(d.Platforms, matrix.Platform{Name: n})
		}
		m, err := matrix.Create(t.TempDir()+"/m", d, nil)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(d.Platforms)
		again, err := matrix.Create(t.TempDir()+"/m", d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.Document.Runs, again.Document.Runs); diff != "" {
			t.Errorf("seed %d: the order of the flags makes another one (-want +got):\n%s", seed, diff)
		}
		places := make(map[string]int)
		for i, r := range m.Document.Runs {
			if want := fmt.Sprintf("%02d-%s", i+1, r.Platform); r.Number != i+1 || r.Round != i/3+1 || r.Dir != want {
				t.Errorf("run %d: %+v", i+1, r)
			}
			places[r.Platform] += r.Number
		}
		if places["reference"] != 26 || places["docker"] != 26 || places["lambda"] != 26 {
			t.Errorf("seed %d: places %v, want each to have 26 in sum", seed, places)
		}
		first[m.Document.Runs[0].Platform] = true
	}
	if len(first) != 3 {
		t.Errorf("of 20 seeds only %v ever come first", first)
	}
}

// TestFigures holds a platform's figures against its runs': together, and each
// run's median beside.
func TestFigures(t *testing.T) {
	m := begin(t, 2, "reference", "docker")
	for i, run := range m.Document.Runs {
		o := outcome{cold: 5 * time.Millisecond, warm: time.Millisecond}
		if run.Platform == "docker" {
			o = outcome{cold: time.Duration(500+i) * time.Millisecond, warm: 2 * time.Millisecond}
		}
		perform(t, m, run, o)
	}
	if err := m.End(matrix.Complete, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	p := m.Document.Platform("docker")
	if p.Runs != 2 || p.Sent != 40 || p.Cold != 20 || *p.ColdShare != .5 || len(p.Rows) != 2 || len(p.Phases) != 2 || len(p.Doubts) == 0 {
		t.Fatalf("docker: %+v", p)
	}
	last := 0
	for _, run := range m.Document.Runs {
		if run.Platform == "docker" {
			last = run.Number
		}
	}
	var said []string
	for _, w := range p.Doubts {
		if w.Code == summary.PlatformNote || w.Code == summary.NoteSoFar {
			said = append(said, w.Message)
		}
	}
	if diff := cmp.Diff([]string{"said once", fmt.Sprintf("docker up to run %d", last)}, said); diff != "" {
		t.Errorf("notes of both runs (-want +got):\n%s", diff)
	}
	cold := p.Rows[0]
	if cold.Start != "cold" || cold.Grade != "attested" || cold.N != 20 || cold.Phase != "" || len(cold.Medians) != 2 {
		t.Errorf("cold: %+v", cold)
	}
	low, high := *cold.Medians[0], *cold.Medians[1]
	if p50 := cold.Latency.P50; p50 == nil || *p50 < min(low, high) || *p50 > max(low, high) || low == high {
		t.Errorf("p50 %v of runs with %v and %v", p50, low, high)
	}
	if phase := p.Phases[0]; phase.Phase != "late" || phase.N != 20 {
		t.Errorf("by phase: %+v", phase)
	}
	same(t, m)
}

// same is whether what is read of a matrix's directory is the matrix.
func same(t *testing.T, m *matrix.Matrix) {
	t.Helper()
	again, err := matrix.Open(m.Path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Document, again.Document); diff != "" {
		t.Errorf("read again, the matrix is another (-made +read):\n%s", diff)
	}
	text, err := json.Marshal(m.Document)
	if err != nil {
		t.Fatal(err)
	}
	if err := stricttest.Schema(t, matrix.SchemaJSON()).Validate(stricttest.Value(t, text)); err != nil {
		t.Error(err)
	}
}

// TestFailures: who cannot be set up, and who answers nothing, is in the
// document with its reason; who is measured stays as it is.
func TestFailures(t *testing.T) {
	m := begin(t, 1, "reference", "docker", "http")
	if err := m.Fail("docker", "no Docker", "start dockerd"); err != nil {
		t.Fatal(err)
	}
	if err := m.Fail("docker", "another reason", ""); err != nil {
		t.Fatal(err)
	}
	for _, run := range m.Document.Runs {
		switch run.Platform {
		case "reference":
			perform(t, m, run, outcome{cold: 5 * time.Millisecond, warm: time.Millisecond})
		case "http":
			perform(t, m, run, outcome{err: sample.Network})
		}
	}
	if p := m.Document.Platform("docker"); p.Failure != "no Docker" || p.Hint != "start dockerd" || p.Runs != 0 {
		t.Errorf("docker: %+v", p)
	}
	if p := m.Document.Platform("http"); !strings.Contains(p.Failure, "none of 20 requests") || !strings.Contains(p.Failure, "connection refused") {
		t.Errorf("http: %+v", p)
	}
	if p := m.Document.Platform("reference"); p.Failure != "" || p.Sent != 20 {
		t.Errorf("reference: %+v", p)
	}
	if failed := m.Document.Failures(); len(failed) != 2 {
		t.Errorf("%d failed, want 2", len(failed))
	}
	same(t, m)
}

// TestInterrupted: what an interrupted run has measured is in no figure that a
// whole one has, and is shown with its mark where there is nothing else.
func TestInterrupted(t *testing.T) {
	m := begin(t, 2, "reference", "docker")
	runs := m.Document.Runs
	whole := outcome{cold: 5 * time.Millisecond, warm: time.Millisecond}
	perform(t, m, runs[0], whole)
	half := whole
	half.interrupted = true
	perform(t, m, runs[1], half)
	perform(t, m, runs[2], half) // the platform of runs[1]
	if p := m.Document.Platform(runs[1].Platform); p.Runs != 2 || len(p.Invalid) == 0 || p.Sent != 40 {
		t.Errorf("only interrupted runs: %+v", p)
	}
	perform(t, m, runs[3], half)
	if p := m.Document.Platform(runs[0].Platform); p.Runs != 1 || len(p.Invalid) != 0 || p.Sent != 20 {
		t.Errorf("a whole run and an interrupted one: %+v", p)
	}
	if len(runs[3].Invalid) == 0 || len(runs[0].Invalid) != 0 {
		t.Errorf("runs %+v", runs)
	}
	if err := m.End(matrix.Interrupted, noon); err != nil {
		t.Fatal(err)
	}
	same(t, m)
}
