package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/calibration"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/reports/text"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

const ms = time.Millisecond

// good is a calibration without a fault.
func good() (drive.StallResult, calibration.Error) {
	return drive.StallResult{Requests: 20000, Stalled: 300 * ms, True: 200 * ms, Reported: 203 * ms, LagP99: 50 * time.Microsecond},
		calibration.Error{Groups: map[calibration.Group]calibration.Times{
			{Function: "hello", Start: sample.Cold}: {N: 52, Service: 9 * ms, Record: 8 * ms, BeyondP50: ms, BeyondP99: 29 * ms},
			{Function: "hello", Start: sample.Warm}: {N: 998, Service: ms / 2, Record: ms / 4, BeyondP50: ms / 4, BeyondP99: 4 * ms},
			{Function: "sleep", Start: sample.Warm}: {N: 99, Service: 20800 * time.Microsecond, Record: 20500 * time.Microsecond, Handler: 20500 * time.Microsecond, LeastHandler: 20 * ms},
		}}
}

func TestCalibrationJudges(t *testing.T) {
	sleep := calibration.Group{Function: "sleep", Start: sample.Warm}
	times := func(change func(*calibration.Times)) func(*drive.StallResult, *calibration.Error) {
		return func(_ *drive.StallResult, e *calibration.Error) {
			s := e.Groups[sleep]
			change(&s)
			e.Groups[sleep] = s
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*drive.StallResult, *calibration.Error)
		wrong  string // the experiment that is, "" for none
	}{
		{"good", func(*drive.StallResult, *calibration.Error) {}, ""},
		{"p99 too high", func(r *drive.StallResult, _ *calibration.Error) { r.Reported = 211 * ms }, "tcp stalled, 2000/s: p99 waited"},
		{"p99 too low", func(r *drive.StallResult, _ *calibration.Error) { r.Reported = 189 * ms }, "tcp stalled, 2000/s: p99 waited"},
		{"lag", func(r *drive.StallResult, _ *calibration.Error) { r.LagP99 = 11 * ms }, "tcp stalled, 2000/s: own lag, p99"},
		{"no answer", func(r *drive.StallResult, _ *calibration.Error) { r.Failed = 1 }, "tcp stalled, 2000/s: unanswered"},
		{"missing", func(_ *drive.StallResult, e *calibration.Error) { e.Missing = 1 }, "answers without the runtime's record"},
		{"early", func(_ *drive.StallResult, e *calibration.Error) { e.Early = 1 }, "answers seen before they were given"},
		{"unaccounted", func(_ *drive.StallResult, e *calibration.Error) { e.Unaccounted = 1 }, "cold starts that no sample tells of"},
		{"invented", func(_ *drive.StallResult, e *calibration.Error) { e.Invented = 1 }, "cold samples of no start"},
		{"slow client", times(func(s *calibration.Times) { s.Service = 22 * ms }), "sleep: service against record, p50"},
		{"long record", times(func(s *calibration.Times) { s.Handler = 23 * ms }), "sleep: recorded handler, p50"},
		{"short record", times(func(s *calibration.Times) { s.LeastHandler = 19 * ms }), "sleep: recorded handler, shortest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stall, truth := good()
			tt.change(&stall, &truth)
			err := wrong(append(describeStall("tcp stalled, 2000/s", &stall), describeTruth(truth, 52, 52)...))
			switch {
			case tt.wrong == "" && err != nil:
				t.Error(err)
			case tt.wrong != "" && (err == nil || !strings.HasSuffix(err.Error(), "limits: "+tt.wrong)):
				t.Errorf("error %v, want one about %q alone", err, tt.wrong)
			}
		})
	}
	if err := wrong(describeTruth(calibration.Error{}, 52, 51)); err == nil || report(&bytes.Buffer{}, err) != exitFailure {
		t.Errorf("a calibration with a cold start missing and without sleeps: %v, want exit code %d", err, exitFailure)
	}
}

func TestCalibrationFitsTheTerminal(t *testing.T) {
	stall, truth := good()
	stall.LagP99 = 12345 * time.Microsecond
	list := append(describeStall("http stalled, 2000/s", &stall), describeTruth(truth, 1052, 1051)...)
	var out strings.Builder
	if err := printCalibration(&out, text.Options{Width: 100, Terminal: true}, list); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(strings.TrimSpace(line))); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if strings.Contains(out.String(), "..") || strings.Contains(out.String(), "not shown") {
		t.Errorf("something is cut or left out:\n%s", out.String())
	}
}

func TestStalledServer(t *testing.T) {
	r, err := drive.Stall{Rate: 200, Duration: 2 * time.Second, Stall: 60 * ms, Serve: serveStalled}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Requests != 400 || r.Failed != 0 {
		t.Errorf("%d requests, %d failed, want 400 and 0", r.Requests, r.Failed)
	}
	// A driver that leaves out the wait before the send reports a fraction.
	if r.True <= 0 || r.True > r.Stalled || r.Reported < r.True*9/10 {
		t.Errorf("still for %v, true p99 %v, reported %v", r.Stalled, r.True, r.Reported)
	}
}
