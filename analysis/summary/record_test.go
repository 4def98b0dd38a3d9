package summary_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// mixed is a run with a bit of everything that a record has to keep.
func mixed() *summary.Builder {
	b := summary.New(summary.Input{Complete: true, WaitAt: 2, Held: 5, Phases: []summary.PhaseSpan{
		{Name: "warm-up", End: time.Second, Warmup: true},
		{Name: "low", Start: time.Second, End: 4 * time.Second},
		{Name: "high", Start: 4 * time.Second, End: 9 * time.Second},
	}})
	rng := rand.New(rand.NewPCG(1, 0))
	for i := range 2000 {
		at := time.Duration(i) * 4500 * time.Microsecond
		phase := [...]string{"warm-up", "low", "high"}[min(int(at/time.Second+2)/3, 2)]
		s := sample.Sample{
			Phase: phase, Function: []string{"a", "b"}[i%2], Intended: at, Sent: at + time.Duration(rng.IntN(1e6)),
			Start: sample.Starts()[rng.IntN(len(sample.Starts()))], Grade: sample.Attested,
		}
		s.Done = s.Sent + time.Duration(rng.IntN(5e6))
		switch rng.IntN(10) {
		case 0:
			s.Err = sample.Timeout
		case 1:
			s.Err = sample.Dropped
		case 2, 3, 4:
			s.Breakdown = sample.Breakdown{Queue: 1000, Init: time.Duration(rng.IntN(1e6)), Handler: 5}
			s.Billed = time.Millisecond
		}
		b.Add(&s)
	}
	return b
}

func TestRecordKeepsEveryFigure(t *testing.T) {
	b := mixed()
	text, err := json.Marshal(b.Record())
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 200_000 {
		t.Errorf("the record of 2,000 samples takes %d bytes", len(text))
	}
	var r summary.Record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	kept, err := r.Restore()
	if err != nil {
		t.Fatal(err)
	}
	for _, phase := range []string{"", "low", "high", "none"} {
		for _, function := range []string{"", "a", "b"} {
			for _, start := range []string{"", "cold", "warm", "unknown"} {
				s := summary.Selection{Phase: phase, Function: function, Start: start}
				if diff := cmp.Diff(b.Select(s), kept.Select(s)); diff != "" {
					t.Errorf("%+v (-builder +record):\n%s", s, diff)
				}
			}
		}
	}
}

func TestRecordRefusesWhatCannotBe(t *testing.T) {
	for want, spoil := range map[string]func(*summary.Record){
		`phase "low" is there twice`: func(r *summary.Record) { r.Phases = append(r.Phases, r.Phases[1]) },
		`there is no phase "night"`:  func(r *summary.Record) { r.Groups[0].Phase = "night" },
		"is there twice":             func(r *summary.Record) { r.Groups = append(r.Groups, r.Groups[0]) },
		"lacks a histogram":          func(r *summary.Record) { r.Groups[0].Lag = nil },
	} {
		r := mixed().Record()
		spoil(&r)
		if _, err := r.Restore(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error that says %s", err, want)
		}
	}
}

// TestPooled: several runs' figures are those of one that has all their samples.
func TestPooled(t *testing.T) {
	one, two, all := summary.New(summary.Input{Complete: true}), summary.New(summary.Input{Complete: true}), summary.New(summary.Input{Complete: true})
	rng := rand.New(rand.NewPCG(3, 0))
	for i := range 600 {
		at := time.Duration(i) * time.Millisecond
		s := sample.Sample{
			Phase: "p", Function: []string{"a", "b"}[i%2], Intended: at, Sent: at, Done: at + time.Duration(rng.IntN(1e6)),
			Start: []sample.Start{sample.Cold, sample.Warm}[rng.IntN(2)], Grade: []sample.Grade{sample.Attested, sample.Beacon}[rng.IntN(2)],
		}
		if i < 250 {
			one.Add(&s)
		} else {
			two.Add(&s)
		}
		all.Add(&s)
	}
	pooled := summary.Pooled(one, two)
	for _, of := range []summary.Selection{{}, {Start: "cold"}, {Function: "b", Start: "warm"}} {
		want := all.Select(of)
		want.PerSecond = 0
		if diff := cmp.Diff(want, pooled.Select(of)); diff != "" {
			t.Errorf("%+v (-together +pooled):\n%s", of, diff)
		}
		if n := pooled.Latency(of).N(); n != want.N-want.Errors {
			t.Errorf("%+v: %d latencies, want %d", of, n, want.N-want.Errors)
		}
	}
	if n := one.Select(summary.Selection{}).N; n != 250 {
		t.Errorf("the first run has %d samples since, want 250", n)
	}
}
