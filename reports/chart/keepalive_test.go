package chart

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

// TestKeepAlive draws a curve that falls, and one of a single probe; of no probe
// there is none.
func TestKeepAlive(t *testing.T) {
	one := keepalive.Options{From: 1}.Begin(keepalive.Document{Platform: "docker", Function: "hello"})
	if charts := KeepAlive(reports.KeepAliveOf(&one)); charts != nil {
		t.Errorf("%d charts of no probe", len(charts))
	}
	one.Add(keepalive.Probe{Asked: 1e9, Gap: 1e9, AtMost: 1e9, Kept: true})
	for _, k := range []*reports.KeepAlive{reportstest.KeepAlive(), reports.KeepAliveOf(&one)} {
		charts := KeepAlive(k)
		if len(charts) != 1 || charts[0].Name != "survival" {
			t.Fatalf("%s: %d charts", k.Title, len(charts))
		}
		for _, p := range k.Document.Finding.Points {
			if p.N > 1 && !strings.Contains(charts[0].Alt, "2.00 s 2 of 2 (95%: 15.8% to 100%); 2.10 s 0 of 2 (95%: 0% to 84.2%);") {
				t.Errorf("whoever sees no picture reads %q", charts[0].Alt)
			}
		}
		var png bytes.Buffer
		if err := charts[0].PNG(&png); err != nil {
			t.Errorf("%s: %v", k.Title, err)
		}
		svg := charts[0].Inline()
		if n := strings.Count(svg, "var(--chart-area)"); n != 2 {
			t.Errorf("%s: %d areas, want the band and its key", k.Title, n)
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: something is nowhere", k.Title)
		}
	}
}
