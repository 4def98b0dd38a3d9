package chart

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// sweepOf is four policies, one of them off the front, each with a month's bill.
func sweepOf() *study.Sweep {
	point := func(value string, cold, idle float64, front bool, month units.Money) study.Point {
		return study.Point{Values: []string{value}, Result: sim.Result{PCold: cold}, IdleHours: idle, Pareto: front, Bill: &study.Bill{Option: "gcp/cloud-run/instances", Total: month}}
	}
	return &study.Sweep{
		Traffic: study.Traffic{Name: "nasa & co"},
		Axes:    []study.Axis{{Key: "keep_alive", Values: []string{"1m", "10m", "20m", "1h"}}},
		Points: []study.Point{
			point("1m", .0076, 2487, true, 91_970_000_000), point("10m", .0007, 3466, true, 126_500_000_000),
			point("20m", .0009, 3900, false, 141_200_000_000), point("1h", .0001, 4216, true, 153_190_000_000),
		},
	}
}

// TestTradeoffIsGolden keeps the bytes of the chart, light, dark and as PNG: look
// at the picture before you accept another one.
func TestTradeoffIsGolden(t *testing.T) {
	c := OfSweep(sweepOf())[0]
	var img bytes.Buffer
	if err := c.PNG(&img); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%x tradeoff-dark.svg\n%x tradeoff.png\n", sha256.Sum256([]byte(svgOf(t, &c, Dark))), sha256.Sum256(img.Bytes()))
	for name, text := range map[string]string{"tradeoff.svg": svgOf(t, &c, Light), "tradeoff.sha256": got} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), text); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
	}
}

// TestTradeoff: every policy has its name beside its point, the front is drawn
// full and the rest hollow, and the same data gives the same bytes.
func TestTradeoff(t *testing.T) {
	s := sweepOf()
	charts := OfSweep(s)
	if len(charts) != 1 {
		t.Fatalf("%d charts, want 1", len(charts))
	}
	svg := svgOf(t, &charts[0], Light)
	if svg != svgOf(t, &OfSweep(s)[0], Light) {
		t.Error("the same sweep gives two pictures")
	}
	for _, want := range []string{"1m  $91.97", "10m  $126.50", "20m  $141.20", "1h  $153.19", "nasa &amp; co, by keep alive", "idle instance hours", "cold share"} {
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
