package reportstest

import (
	"time"

	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/reports"
)

// KeepAlive is a search that has found that instances are kept for 2 to 2.1 s,
// by six probes that they outlived and three that they did not.
func KeepAlive() *reports.KeepAlive {
	o := keepalive.Options{From: 500 * time.Millisecond, To: time.Minute, Precision: .05, Seed: 7}
	d := o.Begin(keepalive.Document{
		Version: "v1", Platform: "reference", Function: "hello", Copies: 2, Facts: map[string]string{"sandbox": "process"},
		Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Budget: 30 * time.Minute,
	})
	for _, gap := range []time.Duration{500, 1000, 1500, 1900, 2000, 2000, 2100, 2100, 4000} {
		gap *= time.Millisecond
		p := keepalive.Probe{Asked: gap, Gap: gap, AtMost: gap, Kept: gap <= 2*time.Second, Function: "hello", Start: "warm", Grade: "attested"}
		if !p.Kept {
			p.Start = "cold"
		}
		d.Add(p)
	}
	d.State = keepalive.Complete
	return reports.KeepAliveOf(&d)
}
