package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
)

// TestCalibrated: a gate's report says how often it is wrong, since when, and where.
func TestCalibrated(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	here := rundir.Host{OS: "linux", Arch: "amd64", CPU: "one", Cores: 2}
	elsewhere := here
	elsewhere.CPU = "two"
	effects := []calibration.Effect{
		{Effect: 0, Judged: 60, AtMost: .0487, Verdicts: map[gate.Verdict]int{gate.Equivalent: 60}},
		{Effect: .05, Judged: 25, AtLeast: .1, Verdicts: map[gate.Verdict]int{gate.Regressed: 5}},
		{Effect: .1, Judged: 60, AtLeast: .88, Verdicts: map[gate.Verdict]int{gate.Regressed: 57}},
	}
	for _, tt := range []struct {
		name    string
		effects []calibration.Effect
		host    rundir.Host
		age     time.Duration
		want    string
	}{
		{"here", effects, here, 3 * 24 * time.Hour, "the gate was calibrated 3 days ago on this machine, by adjacent pairs, with init.mean of cold and a margin of 5%: " +
			"0 false alarms in 60 comparisons (at most 4.87%), +10% found in 57 of 60 (at least 88%)"},
		{"elsewhere", effects[:1], elsewhere, 5 * time.Hour, "the gate was calibrated 5 hours ago on ANOTHER machine, which differs in processor (one, two), by adjacent pairs, with "},
		{"nothing that counts", effects[1:2], here, time.Minute, "the gate was calibrated just now on this machine, by adjacent pairs, with init.mean of cold and a margin of 5%: nothing that is promised was tried"},
	} {
		d := &calibration.Document{
			Setup: calibration.Setup{Metric: "init.mean", Start: "cold", Margin: .05, Detect: .1},
			Host:  tt.host, Ended: at, Effects: tt.effects,
		}
		if got := Calibrated(d, here, at.Add(tt.age)); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
