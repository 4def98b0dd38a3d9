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
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

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

// TestTradeoffNamesItsNeighbours: points that lie together have a name each, away
// from the others, and the legend has what is drawn and nothing else.
func TestTradeoffNamesItsNeighbours(t *testing.T) {
	s := sweepOf()
	s.Points = s.Points[:1]
	s.Points[0].Bill = nil
	for i, name := range []string{"close", "closer", "closest"} {
		near := s.Points[0]
		near.Values, near.Pareto, near.Excluded = []string{name}, false, "refuses requests"
		near.IdleHours += float64(1 + i)
		s.Points = append(s.Points, near)
	}
	chart := OfSweep(s)[0]
	svg := svgOf(t, &chart, Light)
	for want, times := range map[string]int{"1m": 1, "close": 1, "closer": 1, "closest": 1, "on the front": 1, "not compared: refuses or delays requests": 1, "another does better": 0} {
		if n := strings.Count(svg, ">"+want+"<"); n != times {
			t.Errorf("%q stands %d times in the picture, want %d", want, n, times)
		}
	}
	s.Points[3].Interrupted = true
	chart = OfSweep(s)[0]
	if want := ">not compared: refuses or delays requests, or interrupted<"; !strings.Contains(svgOf(t, &chart, Light), want) {
		t.Errorf("the legend does not say %s", want)
	}
}

// TestNear: no label on a point or on another label, nor on a line while there
// is room off it.
func TestNear(t *testing.T) {
	at := vg.Point{X: 200, Y: 150}
	line := []vg.Point{{X: 0, Y: 150}, at, {X: 200, Y: 0}}
	s := &sheet{Canvas: draw.New(vgimg.New(400, 300)), taken: []vg.Rectangle{around(at, pointSize, pointSize)}, lines: [][]vg.Point{line}}
	for n := range 8 {
		room, ok := s.near(at, 60)
		if !ok || !s.free(room) {
			t.Fatalf("label %d has the room %v (%v), on what is there", n, room, ok)
		}
		if n < 3 && (crosses(line[0], line[1], room) || crosses(line[1], line[2], room)) {
			t.Errorf("label %d at %v is on the line", n, room)
		}
		s.taken = append(s.taken, room)
	}
}

// TestCrosses: through a rectangle is not past it, nor short of it.
func TestCrosses(t *testing.T) {
	r := vg.Rectangle{Min: vg.Point{X: 10, Y: 10}, Max: vg.Point{X: 20, Y: 20}}
	for _, c := range []struct {
		a, b vg.Point
		want bool
	}{
		{vg.Point{X: 0, Y: 15}, vg.Point{X: 30, Y: 15}, true},
		{vg.Point{X: 15, Y: 0}, vg.Point{X: 15, Y: 12}, true},
		{vg.Point{X: 0, Y: 15}, vg.Point{X: 9, Y: 15}, false},
		{vg.Point{X: 0, Y: 5}, vg.Point{X: 30, Y: 5}, false},
		{vg.Point{X: 12, Y: 12}, vg.Point{X: 18, Y: 13}, true},
		{vg.Point{X: 0, Y: 12}, vg.Point{X: 12, Y: 30}, false},
		{vg.Point{X: 5, Y: 15}, vg.Point{X: 15, Y: 5}, false},
		{vg.Point{X: 8, Y: 15}, vg.Point{X: 15, Y: 8}, true},
	} {
		if got := crosses(c.a, c.b, r); got != c.want || crosses(c.b, c.a, r) != c.want {
			t.Errorf("from %v to %v: %v, want %v both ways", c.a, c.b, got, c.want)
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
