package dist_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
)

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		name, text string
		median     time.Duration
	}{
		{"percentiles", "percentile,duration\n0,10ms\n50,80ms\n100,2s\n", 80 * time.Millisecond},
		{"percentiles without heading", "# of 2019\np0,10ms\n\np50,80ms\np100,2s", 80 * time.Millisecond},
		{"percentiles in ms", "percentile,duration_ms\n0,10\n50,80.5\n100,2000", 80500 * time.Microsecond},
		{"durations", "duration\n1ms\n2ms\n3ms\n", 2 * time.Millisecond},
		{"durations in s", "duration_s\n3\n1e-3\n2\n", 2 * time.Second},
		{"durations with no heading", "3ms\r\n1ms\r\n2ms\r\n", 2 * time.Millisecond},
	} {
		d, err := dist.Read(c.name, strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := d.Quantile(.5); (got - c.median).Abs() > c.median/1000 {
			t.Errorf("%s: median %v, want %v", c.name, got, c.median)
		}
	}
}

func TestFilesFaults(t *testing.T) {
	for _, c := range []struct{ text, problem string }{
		{"", "f:1:1: the file has no durations: write one a line"},
		{"duration\n1ms\n2\n", "f:3:1: duration \"2\": a duration needs its unit"},
		{"duration_ms\n1\n-2\n", "f:3:1: duration \"-2ms\": cannot be negative"},
		{"percentile,duration\n0,1ms\n50,x\n", "f:3:4: duration \"x\": does not start with a number"},
		{"0,1ms\n150,2ms\n", "f:2:1: \"150\" is not a percentile"},
		{"0,1ms\n2ms\n", "f:2:1: has 1 columns, lines before have 2"},
		{"1,2,3\n", "f:1:1: has 3 columns"},
		{"0,2ms\n\n100,1ms\n", "f:3:1: 1ms at p100 is below 2ms at p0: a higher percentile cannot be shorter"},
		{"0,1ms\n50,2ms\n50,2ms\n", "f:3:1: p50 after p50: write them in ascending order, each once"},
		{"0,1ms\n50,2ms\n", "f: percentiles: need p0 (the least) and p100 (the greatest) at both ends"},
		{"1ms\n2h\n", "f:2:1: 2h is too long to be measured"},
	} {
		d, err := dist.Read("f", strings.NewReader(c.text))
		if err == nil {
			t.Errorf("%q is read as %v", c.text, d)
		} else if !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q: %v: want %q in it", c.text, err, c.problem)
		}
	}
}

// FuzzRead: whatever is read can be drawn from.
func FuzzRead(f *testing.F) {
	f.Add("percentile,duration\n0,10ms\n50,80ms\n100,2s\n")
	f.Add("duration_ms\n1\n2.5\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := dist.Read("f", strings.NewReader(text))
		if err != nil {
			return
		}
		low, high := d.Quantile(0), d.Quantile(1)
		if mean := d.Mean(); low < 0 || high > dist.Longest || low > high || mean < low-1 || mean > high+high/1000+1 {
			t.Fatalf("%q: from %v to %v, mean %v", text, low, high, mean)
		}
	})
}
