package text_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
	"github.com/coldcurve/coldcurve/reports/text"
)

// plain is text without colour.
func plain(s string) string { return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(s, "") }

// TestMatrix: a terminal of 80 columns has every platform's waits with their
// evidence and their cost, and says what it leaves out; what a platform says of
// itself moves no cursor.
func TestMatrix(t *testing.T) {
	m := reportstest.Matrix()
	m.Document.Platforms[2].Failure = "nobody\x1b[2J answers"
	m.Phases = slices.Clone(m.Lines)
	for i := range m.Phases {
		m.Phases[i].Phase = map[string]string{"cold": "evicted", "warm": "kept"}[m.Phases[i].Start]
	}
	var b strings.Builder
	if err := text.Matrix(&b, text.Options{Width: 80, Terminal: true, Color: true}, m); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(strings.TrimSuffix(plain(line), "\n"))); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	got := plain(b.String())
	if strings.Contains(b.String(), "\x1b[2J") {
		t.Error("a platform's words clear the screen")
	}
	for _, want := range []string{
		"idle on reference, lambda and docker\n",
		"FAILED: docker failed: nobody\ufffd[2J answers; start dockerd.",
		"comes cold waits (p50) 4.95 ms on reference (attested) and",
		"on lambda (attested)",
		"│ reference │ cold  │ attested │",
		"│     $0.25 │",
		"Phase by phase\n",
		"│ reference │ evicted │ cold  │ attested │ 20 │",
		"│           │ kept    │ warm  │ attested │ 20 │",
		"Left out to fit the width: ",
		"in an order of chance (seed 7)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	if strings.Count(got, "$0.25") != 1 {
		t.Errorf("a platform's cost is there %d times, want once", strings.Count(got, "$0.25"))
	}
}

// TestMatrixOfFailures: where nothing was measured there are no tables, and the
// reasons.
func TestMatrixOfFailures(t *testing.T) {
	d := &matrix.Document{Scenario: "idle", Rounds: 1, Length: time.Second, State: matrix.Interrupted,
		Platforms: []matrix.Platform{{Name: "docker", Failure: "no Docker"}},
		Runs:      []matrix.Run{{Number: 1, Round: 1, Platform: "docker"}}}
	var b strings.Builder
	if err := text.Matrix(&b, text.Options{}, &reports.Matrix{Title: "idle on docker", Document: d}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAILED: docker failed: no Docker.", "0 of 1 runs were made"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
}
