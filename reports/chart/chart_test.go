package chart

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

var update = flag.Bool("update", false, "rewrite golden files")

func chartsOf(r *reports.Report) []Chart { return All(&r.Document.Runs[0], &r.Runs[0]) }

func svgOf(t *testing.T, c *Chart, theme Theme) string {
	t.Helper()
	var b strings.Builder
	if err := c.SVG(&b, theme); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden keeps the bytes of every chart: look at the pictures before you
// accept other ones.
func TestGolden(t *testing.T) {
	var got strings.Builder
	for _, r := range []struct {
		name   string
		report *reports.Report
	}{{"quick", reportstest.Quick()}, {"languages", reportstest.Languages()}, {"broken", reportstest.Broken()}} {
		for _, c := range chartsOf(r.report) {
			var img bytes.Buffer
			if err := c.PNG(&img); err != nil {
				t.Fatal(err)
			}
			if size, err := png.DecodeConfig(bytes.NewReader(img.Bytes())); err != nil || size.Width != 1800 {
				t.Errorf("%s is %d pixels wide, %v; want 1,800", c.Name, size.Width, err)
			}
			fmt.Fprintf(&got, "%x %s/%s.svg\n", sha256.Sum256([]byte(svgOf(t, &c, Light))), r.name, c.Name)
			fmt.Fprintf(&got, "%x %s/%s-dark.svg\n", sha256.Sum256([]byte(svgOf(t, &c, Dark))), r.name, c.Name)
			fmt.Fprintf(&got, "%x %s/%s.png\n", sha256.Sum256(img.Bytes()), r.name, c.Name)
		}
	}
	path := filepath.Join("testdata", "charts.sha256")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

func TestWhichCharts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		report *reports.Report
		want   []string
	}{
		{"quick", reportstest.Quick(), []string{"latency-over-time", "percentiles", "histogram", "cold-start", "concurrency"}},
		{"empty", reportstest.Empty(), nil},
	} {
		var got []string
		for _, c := range chartsOf(tt.report) {
			got = append(got, c.Name)
			if c.Title == "" || c.Caption == "" || c.Alt == "" {
				t.Errorf("%s: %s lacks words", tt.name, c.Name)
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// collected makes a report of samples.
func collected(in summary.Input, samples ...sample.Sample) *reports.Report {
	b, c := summary.New(in), reports.NewCollector(in.Phases)
	for _, s := range samples {
		b.Add(&s)
		c.Add(&s)
	}
	var run reports.Run
	c.Collect(&run)
	return &reports.Report{Document: summary.Document{Runs: []summary.Run{b.Run()}}, Runs: []reports.Run{run}}
}

func one(latency time.Duration, start sample.Start) sample.Sample {
	return sample.Sample{Phase: "p", Function: "f", Done: latency, Start: start, Grade: sample.Attested,
		Breakdown: sample.Breakdown{Init: latency / 2}}
}

// TestOddRuns: whatever a run was like, its charts are pictures.
func TestOddRuns(t *testing.T) {
	second := summary.Input{Phases: []summary.PhaseSpan{{Name: "p", End: time.Second}}}
	failed := one(time.Millisecond, sample.Cold)
	failed.Err = sample.Timeout
	var phases summary.Input
	for i := range 200 {
		phases.Phases = append(phases.Phases, summary.PhaseSpan{
			Name: strings.Repeat("длинное имя ", 9), Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second,
		})
	}
	var functions []sample.Sample
	for i := range 60 {
		s := one(time.Millisecond, sample.Cold)
		s.Function = strings.Repeat(fmt.Sprint("f", i), 40)
		functions = append(functions, s)
	}
	var kinds []sample.Sample
	for s := sample.Unknown; s <= sample.Restored; s++ {
		for i := range 20 {
			kinds = append(kinds, one(time.Duration(i+1)*time.Millisecond, s))
		}
	}
	for _, tt := range []struct {
		name   string
		report *reports.Report
	}{
		{"empty", reportstest.Empty()},
		{"a single request", collected(second, one(time.Millisecond, sample.Cold))},
		{"no schedule", collected(summary.Input{}, one(time.Millisecond, sample.Cold))},
		{"no time at all", collected(second, one(0, sample.Cold), one(0, sample.Warm))},
		{"a clock that went back", collected(second, one(-time.Second, sample.Warm), one(1, sample.Warm))},
		{"a nanosecond and an hour", collected(second, one(1, sample.Warm), one(time.Hour, sample.Cold))},
		{"beyond the histogram", collected(second, one(math.MaxInt64, sample.Cold))},
		{"all the same", collected(second, slices.Repeat([]sample.Sample{one(time.Millisecond, sample.Warm)}, 5000)...)},
		{"failures only", collected(second, failed)},
		{"200 phases", collected(phases, one(time.Millisecond, sample.Cold))},
		{"60 functions", collected(second, functions...)},
		{"every start kind", collected(second, kinds...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, c := range chartsOf(tt.report) {
				svg := svgOf(t, &c, Light)
				if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
					t.Errorf("%s has coordinates that are no numbers", c.Name)
				}
				if err := wellFormed(svg); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
			}
		})
	}
}

func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestInline(t *testing.T) {
	hex := regexp.MustCompile(`#[0-9A-Fa-f]{6}`)
	for _, c := range chartsOf(reportstest.Hostile()) {
		svg := c.Inline()
		if left := hex.FindString(svg); left != "" {
			t.Errorf("%s: colour %s is no variable", c.Name, left)
		}
		for _, bad := range []string{"<script", "<img", "<b ", " id=", "<?xml"} {
			if strings.Contains(svg, bad) {
				t.Errorf("%s contains %s", c.Name, bad)
			}
		}
		if err := wellFormed(svg); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

// TestColorsAreOfOneUse: a colour of two roles could not be rewritten to a variable.
func TestColorsAreOfOneUse(t *testing.T) {
	light, dark, names := map[uint32]role{}, map[uint32]role{}, map[string]role{}
	for r := range numRoles {
		h := r.hue()
		if _, ok := light[h.light]; ok {
			t.Errorf("%06X is used twice", h.light)
		}
		if _, ok := dark[h.dark]; ok {
			t.Errorf("%06X is used twice", h.dark)
		}
		if _, ok := names[h.name]; ok || h.name == "" {
			t.Errorf("the name %q is used twice", h.name)
		}
		light[h.light], dark[h.dark], names[h.name] = r, r, r
	}
}

func TestGlyphsAreOfOneUse(t *testing.T) {
	seen := map[glyph]sample.Start{}
	for _, s := range sample.StartOrder() {
		g := lookOf(s).glyph
		if other, ok := seen[g]; ok {
			t.Errorf("%s and %s have one glyph", s, other)
		}
		seen[g] = s
	}
}

// TestContrast holds the colours to WCAG 2: 4.5 for text, 3 for graphics that
// carry meaning.
func TestContrast(t *testing.T) {
	need := func(r, against role, least float64) {
		t.Helper()
		a, b := r.hue(), against.hue()
		for theme, pair := range map[string][2]uint32{"light": {a.light, b.light}, "dark": {a.dark, b.dark}} {
			if got := contrast(pair[0], pair[1]); got < least {
				t.Errorf("%s: %s against %s is %.2f, want %v", theme, a.name, b.name, got, least)
			}
		}
	}
	need(ink, background, 4.5)
	need(faint, background, 4.5)
	need(faint, band, 4.5)
	for _, r := range []role{failed, cold, restored, prewarmed, queued, provisioned, warm, unknown, level, areaLine} {
		need(r, background, 3)
		need(r, band, 3)
	}
	for r := partQueue; r <= partRest; r++ {
		need(ink, r, 4.5)
	}
}

// contrast is WCAG 2's ratio of relative luminances.
func contrast(a, b uint32) float64 {
	luminance := func(v uint32) float64 {
		channel := func(c uint32) float64 {
			s := float64(c&0xFF) / 255
			if s <= .04045 {
				return s / 12.92
			}
			return math.Pow((s+.055)/1.055, 2.4)
		}
		return .2126*channel(v>>16) + .7152*channel(v>>8) + .0722*channel(v)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func TestTicks(t *testing.T) {
	labels := func(low, high time.Duration, log bool) string {
		p := newPlot(Light)
		durationAxis(&p.Y, low, high, log)
		var out []string
		for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if !tick.IsMinor() {
				out = append(out, tick.Label)
			}
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct {
		low, high time.Duration
		log       bool
		want      string
	}{
		{300 * time.Microsecond, 80 * time.Millisecond, true, "500 µs 1 ms 2 ms 5 ms 10 ms 20 ms 50 ms 100 ms"},
		{10 * time.Microsecond, 30 * time.Second, true, "10 µs 100 µs 1 ms 10 ms 100 ms 1 s 10 s"},
		{0, 42 * time.Second, false, "0 s 10 s 20 s 30 s 40 s 50 s"},
		{0, 7 * time.Minute, false, "0 s 1m 2m 3m 4m 5m 6m 7m"},
		{0, 3 * time.Millisecond, false, "0 s 500 µs 1 ms 1.5 ms 2 ms 2.5 ms 3 ms"},
		{0, 20 * time.Hour, false, "0 s 5h 10h 15h 20h"},
		{0, 0, false, "0 s 1 ns"},
	} {
		if got := labels(tt.low, tt.high, tt.log); got != tt.want {
			t.Errorf("ticks of %v..%v: %s, want %s", tt.low, tt.high, got, tt.want)
		}
	}
}

func TestWriteDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "charts")
	charts := chartsOf(reportstest.Languages())[:2]
	names, err := WriteDir(dir, charts)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"latency-over-time.svg", "latency-over-time.png", "percentiles.svg", "percentiles.png"}, names); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
	for _, n := range names {
		if info, err := os.Stat(filepath.Join(dir, n)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", n, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteDir(filepath.Join(dir, "file"), charts); err == nil {
		t.Error("a file is no folder, and there is no error")
	}
}
