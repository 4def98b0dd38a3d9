package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// TestInterruptedBeforeTheStart: --json prints its document all the same.
func TestInterruptedBeforeTheStart(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := Main(&World{
		Args:   []string{"run", "quick", "--json", "--cache", t.TempDir(), "--out", t.TempDir()},
		Env:    os.Getenv,
		Stdout: &stdout,
		Stderr: &stderr,
		Now:    time.Now,
		Signals: func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx, cancel
		},
	})
	if want := "{\n  \"schema\": \"coldcurve.summary/v1\",\n  \"runs\": []\n}\n"; code != exitFailure || stdout.String() != want {
		t.Errorf("exit code %d, stdout %q, want 1 and %q", code, stdout.String(), want)
	}
	if got, want := stderr.String(), "\ncoldcurve: error: interrupted before the first request\n"; !strings.HasSuffix(got, want) {
		t.Errorf("stderr\n%s\nwant ...%s", got, want)
	}
}

func TestIntentionOfSeveral(t *testing.T) {
	span := func(length time.Duration, n int) *plan {
		return &plan{
			&scenarios.Scenario{Name: fmt.Sprintf("s%d", n)},
			&scenarios.Schedule{Times: make([]time.Duration, n), Phases: []scenarios.PhaseSpan{{End: length}}},
		}
	}
	got := (&runCmd{}).intention([]task{{span(time.Minute, 1000)}, {span(30*time.Second, 234)}})
	if want := "scenarios s1000, s234: 1,234 requests in 1m30s, then a table and a report"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgressLine(t *testing.T) {
	p := progress{scenario: "quick"}
	now := drive.Progress{Phase: "spike", Elapsed: 12 * time.Second, Total: 40 * time.Second, OfferedRate: 150, AchievedRate: 149, Cold: 31, P50: 4e6, P99: 6e7}
	if got, want := p.line(now), "quick, spike, 28s left: 149/s of 150/s offered, 31 cold, p50 4.00 ms, p99 60.0 ms"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	now.Elapsed, now.Errors, now.P50, now.P99 = 41*time.Second, 1, 0, 0
	if got, want := p.line(now), "quick, spike, the last answers: 149/s of 150/s offered, 31 cold, 1 error"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBuildIsNamedWhenItTakesItsTime: after two seconds, and not once it is over.
func TestBuildIsNamedWhenItTakesItsTime(t *testing.T) {
	for took, want := range map[time.Duration]string{
		slowBuild - time.Millisecond: "",
		slowBuild + time.Millisecond: "coldcurve: building hello (go) ...\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			stderr := &talk{w: &out}
			notice := stderr.notice("building hello (go) ...")
			time.Sleep(took)
			stderr.end(notice)
			time.Sleep(time.Minute)
			if got := out.String(); got != want {
				t.Errorf("a build of %v: got %q, want %q", took, got, want)
			}
		})
	}
}
