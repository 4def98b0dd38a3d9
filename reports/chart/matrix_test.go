package chart

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

// TestMatrix: every platform that was measured is in each picture, and one on
// which nothing was has none.
func TestMatrix(t *testing.T) {
	m := reportstest.Matrix()
	charts := Matrix(m)
	var names []string
	for i := range charts {
		c := &charts[i]
		names = append(names, c.Name)
		for _, platform := range []string{"reference", "lambda"} {
			if !strings.Contains(c.Alt, platform) {
				t.Errorf("%s: %s is not in %q", c.Name, platform, c.Alt)
			}
		}
		if strings.Contains(c.Alt, "docker") {
			t.Errorf("%s: docker, which could not run, is in %q", c.Name, c.Alt)
		}
		var png bytes.Buffer
		if err := c.PNG(&png); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if svg := c.Inline(); strings.Contains(svg, "NaN") {
			t.Errorf("%s: something is nowhere", c.Name)
		}
	}
	if got, want := strings.Join(names, " "), "platforms cold-start percentiles-cold percentiles-warm"; got != want {
		t.Errorf("charts %q, want %q", got, want)
	}
	if charts := Matrix(&reports.Matrix{Document: m.Document}); len(charts) > 0 {
		t.Errorf("%d charts of nothing", len(charts))
	}
}
