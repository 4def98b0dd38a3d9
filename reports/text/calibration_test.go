package text_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/text"
)

// TestCalibration: what is kept, what is not, and what was never promised.
func TestCalibration(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	host := rundir.Host{OS: "linux", Kernel: "6.18", Arch: "amd64", CPU: "one", Cores: 2, Virtual: "unnamed"}
	log, err := calibration.Open(filepath.Join(t.TempDir(), "log"), calibration.Header{Host: host, Setup: calibration.Setup{
		Metric: "init.mean", Start: "cold", Margin: .05, Risk: .05, Power: .9, Detect: .1, Looks: []int{10, 14},
	}})
	if err != nil {
		t.Fatal(err)
	}
	change := .098
	for effect, verdicts := range map[float64][]gate.Verdict{
		0:   {gate.Equivalent, gate.Equivalent, gate.Inconclusive, gate.Invalid},
		.1:  {gate.Regressed, gate.Equivalent},
		.05: {gate.Inconclusive},
	} {
		for i, verdict := range verdicts {
			err := log.Append(calibration.Outcome{
				Effect: effect, Number: i + 1, Delay: time.Duration(effect * 40e6), Verdict: verdict, Change: &change,
				Pairs: [][2]float64{{40e6, 44e6}, {40e6, 44e6}}, Version: "v1", Began: at, Ended: at.Add(12 * time.Second), Load: float64(1 + i),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	d := log.Document()
	var out bytes.Buffer
	if err := text.Calibration(&out, text.Options{}, reports.CalibrationOf(d)); err != nil {
		t.Fatal(err)
	}
	golden(t, "calibration.txt", out.Bytes())

	out.Reset()
	if err := text.Calibration(&out, text.Options{Width: 80}, reports.CalibrationOf(d)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("wider than 80 columns: %q", line)
		}
	}
	for _, want := range []string{"at most 63.2%", "Left out to fit the width"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
}
