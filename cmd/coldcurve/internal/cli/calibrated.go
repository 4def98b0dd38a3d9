package cli

import (
	"errors"
	"io/fs"

	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/reports"
)

// calibrationFlag is where the calibration is that reports carry.
type calibrationFlag struct {
	Calibration string `default:"baselines/calibration.jsonl" placeholder:"FILE" help:"What gate calibrate has found here (${default})."`
}

// notes say in a line how often the gate is wrong, as far as that was measured;
// none where no file is named.
func (f *calibrationFlag) notes(w *World) ([]string, error) {
	if f.Calibration == "" {
		return nil, nil
	}
	log, err := calibration.Read(f.Calibration)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{"how often the gate is wrong here was not measured: coldcurve gate calibrate"}, nil
	}
	if err != nil {
		return nil, &failure{code: exitUsage, err: err, hint: "take the file from where it was committed, or go without it: --calibration=''"}
	}
	return []string{reports.Calibrated(log.Document(), rundir.HostFacts(), w.Now())}, nil
}
