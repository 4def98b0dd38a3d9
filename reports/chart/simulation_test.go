package chart

import (
	"regexp"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/study"
)

// TestTradeoff: every policy has its name beside its point, the front is drawn
// full and the rest hollow, and the same data gives the same bytes.
func TestTradeoff(t *testing.T) {
	point := func(value string, cold, idle float64, front bool) study.Point {
		return study.Point{Values: []string{value}, Result: sim.Result{PCold: cold}, IdleHours: idle, Pareto: front}
	}
	s := &study.Sweep{
		Traffic: study.Traffic{Name: "nasa & co"},
		Axes:    []study.Axis{{Key: "keep_alive", Values: []string{"1m", "10m", "20m", "1h"}}},
		Points:  []study.Point{point("1m", .0076, 2487, true), point("10m", .0007, 3466, true), point("20m", .0009, 3900, false), point("1h", .0001, 4216, true)},
	}
	charts := OfSweep(s)
	if len(charts) != 1 {
		t.Fatalf("%d charts, want 1", len(charts))
	}
	svg := svgOf(t, &charts[0], Light)
	if svg != svgOf(t, &OfSweep(s)[0], Light) {
		t.Error("the same sweep gives two pictures")
	}
	for _, want := range []string{"1m", "10m", "20m", "1h", "nasa &amp; co, by keep alive", "idle instance hours", "cold share"} {
		if !strings.Contains(svg, ">"+want+"<") && !regexp.MustCompile(`>\s*`+regexp.QuoteMeta(want)+`\s*<`).MatchString(svg) {
			t.Errorf("the picture does not say %q", want)
		}
	}
	if want := "On the front: 1m, 10m, 1h."; !strings.Contains(charts[0].Alt, want) {
		t.Errorf("alt %q, want %q in it", charts[0].Alt, want)
	}
	if got := OfSweep(&study.Sweep{}); got != nil {
		t.Errorf("a sweep of nothing has %d charts", len(got))
	}
}
