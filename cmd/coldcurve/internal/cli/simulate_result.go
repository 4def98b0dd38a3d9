package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/reports/chart"
)

// result is the files of a result directory.
type result struct {
	documents map[string]any // JSON, by file name
	charts    []chart.Chart
}

// resultOf is what a simulation leaves: its document, who has used what in the
// form of a run's usage.json, and pictures.
func resultOf(s *study.Simulation) result {
	r := result{documents: map[string]any{"simulation.json": s, "usage.json": s.Account()}}
	if c, ok := chart.Simulation(s); ok {
		r.charts = append(r.charts, c)
	}
	return r
}

func resultOfSweep(s *study.Sweep) result {
	r := result{documents: map[string]any{"sweep.json": s}}
	if c, ok := chart.Tradeoff(s); ok {
		r.charts = append(r.charts, c)
	}
	return r
}

// write makes dir, which must not hold anything yet.
func (r result) write(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return &failure{code: exitUsage, err: fmt.Errorf("%s is not empty: it holds %s", dir, entries[0].Name()), hint: "name a folder that is not there yet"}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make result directory: %w", err)
	}
	for name, document := range r.documents {
		text, err := json.MarshalIndent(document, "", "  ")
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), append(text, '\n'), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write result: %w", err)
		}
	}
	if len(r.charts) == 0 {
		return nil
	}
	_, err := chart.WriteDir(filepath.Join(dir, "charts"), r.charts)
	return err
}
