package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/coldcurve/coldcurve/reports/chart"
)

// result is the files of a directory of curves.
type result struct {
	documents map[string]any // JSON, by file name
	charts    []chart.Chart
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
