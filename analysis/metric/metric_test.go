package metric_test

import (
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/metric"
)

func TestEveryMetricParses(t *testing.T) {
	seen := map[metric.Metric]bool{}
	for _, m := range append(metric.All(), metric.Costs()...) {
		if got, err := metric.Parse(m.String()); got != m || err != nil {
			t.Errorf("Parse(%q) = %q, %v", m, got, err)
		}
		if seen[m] {
			t.Errorf("%s is listed twice", m)
		}
		seen[m] = true
	}
}

func TestParseProposesWhatIsNear(t *testing.T) {
	for name, want := range map[string]string{
		"latency.p99.9": `metric "latency.p99.9": there is no such figure: write latency.p999`,
		"latencyp99":    `metric "latencyp99": there is no such figure: write latency.p99`,
		"Cold_Share":    `metric "Cold_Share": there is no such figure: write cold_share`,
		"coldshare":     `metric "coldshare": there is no such figure: write cold_share`,
		"latency.p9":    `metric "latency.p9": there is no such figure: write latency.p90, latency.p95 or latency.p99`,
		"error":         `metric "error": there is no such figure: write errors`,
	} {
		if _, err := metric.Parse(name); err == nil || err.Error() != want {
			t.Errorf("Parse(%q):\n got %v\nwant %s", name, err, want)
		}
	}
	_, err := metric.Parse("")
	if err == nil || !strings.Contains(err.Error(), "write latency.p50, latency.p90,") || !strings.HasSuffix(err.Error(), " or cost.million") {
		t.Errorf("a name near to nothing does not list all: %v", err)
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		metric metric.Metric
		text   string
		value  float64
		shown  string
		unit   metric.Unit
	}{
		{"latency.p99", "50ms", 50e6, "50.0 ms", metric.Duration},
		{"init.mean", "1.5s", 1.5e9, "1.50 s", metric.Duration},
		{"cold_share", "5%", .05, "5%", metric.Share},
		{"error_share", "0", 0, "0%", metric.Share},
		{"errors", "0", 0, "0", metric.Count},
		{"dropped", "1,000", 1000, "1,000", metric.Count},
		{"throughput", "100/s", 100, "100/s", metric.PerSecond},
		{"cost.month", "$20.50", 20.5e9, "$20.50", metric.Money},
	} {
		got, err := metric.ParseBound(c.metric, c.text)
		if err != nil || got != c.value {
			t.Errorf("ParseBound(%s, %q) = %v, %v; want %v", c.metric, c.text, got, err, c.value)
		}
		if got := metric.FormatValue(c.metric, c.value); got != c.shown {
			t.Errorf("FormatValue(%s, %v) = %q, want %q", c.metric, c.value, got, c.shown)
		}
		if got := c.metric.Unit(); got != c.unit {
			t.Errorf("%s counts %d, want %d", c.metric, got, c.unit)
		}
	}
	for m, text := range map[metric.Metric]string{"latency.p99": "50", "cold_share": "5", "errors": "1.5", "throughput": "100"} {
		if v, err := metric.ParseBound(m, text); err == nil {
			t.Errorf("ParseBound(%s, %q) = %v, want an error", m, text, v)
		}
	}
}
