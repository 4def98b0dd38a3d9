package ci

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// Benchmarks writes every run's figures in Go's benchmark format, a line a run
// and figure, base before head; benchstat -col side sets the sides side by side.
// What a run does not have, or must not be used of it, has no line.
//
// Source: Go Benchmark Data Format, golang.org/design/14313-benchmark-format.
func Benchmarks(w io.Writer, d *gate.Document) error {
	var b strings.Builder
	for _, u := range benchmarkUnits(d) {
		fmt.Fprintf(&b, "Unit %s better=%s\n", u.name, u.better)
	}
	for _, side := range []struct {
		name string
		of   func(*gate.Figures) []*float64
	}{
		{"base", func(f *gate.Figures) []*float64 { return f.Base }},
		{"head", func(f *gate.Figures) []*float64 { return f.Head }},
	} {
		fmt.Fprintf(&b, "side: %s\n", side.name)
		written := make(map[string]bool) // two rules may be on one figure
		for i := range d.Findings {
			f := &d.Findings[i]
			name, unit := benchmarkName(f), benchmarkUnit(f)
			if written[name] {
				continue
			}
			written[name] = true
			for _, v := range side.of(&d.Figures[i]) {
				if v != nil {
					fmt.Fprintf(&b, "%s 1 %s %s\n", name, strconv.FormatFloat(*v/unit.per, 'f', -1, 64), unit.name)
				}
			}
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write benchmarks: %w", err)
	}
	return nil
}

// benchmarkName is a rule as a benchmark: BenchmarkLatency.p50/start=cold.
func benchmarkName(f *gate.Record) string {
	name := "Benchmark" + strings.ToUpper(f.Metric[:1]) + f.Metric[1:]
	for _, of := range []struct{ key, value string }{{"start", f.Start}, {"function", f.Function}, {"phase", f.Phase}} {
		if of.value != "" {
			name += "/" + of.key + "=" + word(of.value)
		}
	}
	return name
}

// word is text without what ends a benchmark's name or a part of it.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == '/' {
			return '_'
		}
		return r
	}, text)
}

// unit is how a figure is written: in so many of its own unit, whose name
// benchstat knows (ns/op, which it shows as seconds) or takes as it is.
type unit struct {
	name   string
	per    float64
	better string
}

func benchmarkUnit(f *gate.Record) unit {
	switch metric.Metric(f.Metric).Unit() {
	case metric.Share:
		return unit{"share", 1, "lower"}
	case metric.Count:
		return unit{"count", 1, "lower"}
	case metric.PerSecond:
		return unit{"req/s", 1, "higher"}
	case metric.Money:
		_, of, _ := strings.Cut(f.Metric, ".") // of a month, of a million requests
		return unit{"usd/" + of, float64(units.Dollar), "lower"}
	}
	return unit{"ns/op", 1, "lower"}
}

// benchmarkUnits are the units in use, each once, without the one that
// benchstat knows itself.
func benchmarkUnits(d *gate.Document) []unit {
	var list []unit
	for i := range d.Findings {
		if u := benchmarkUnit(&d.Findings[i]); u.name != "ns/op" && !slices.Contains(list, u) {
			list = append(list, u)
		}
	}
	return list
}
