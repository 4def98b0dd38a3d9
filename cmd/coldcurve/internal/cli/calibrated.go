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
// none where no file is named. Of runs that are no pairs, they say that it was
// measured of pairs.
func (f *calibrationFlag) notes(w *World, paired bool) ([]string, error) {
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
	notes := []string{reports.Calibrated(log.Document(), rundir.HostFacts(), w.Now())}
	if !paired {
		notes = append(notes, "these runs were made at other times: what the machine was like then stays in their figures, and they are judged by the rank-sum test; "+
			"the calibration is of adjacent pairs, by the signed-rank test, as coldcurve compare makes them")
	}
	return notes, nil
}
