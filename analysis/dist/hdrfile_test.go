package dist

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/hist"
)

// TestReadsWhatRunsLeave: a run's own histograms are distributions again.
func TestReadsWhatRunsLeave(t *testing.T) {
	h, cold := hist.New(), hist.New()
	for k := range 10_000 {
		h.Record(time.Duration(k+1) * 100 * time.Microsecond)
	}
	cold.Record(time.Minute)
	var hgrm, hlog bytes.Buffer
	if err := h.WriteHGRM(&hgrm); err != nil {
		t.Fatal(err)
	}
	log, err := hist.NewLogWriter(&hlog, time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	for tag, part := range map[string]*hist.Histogram{"": h, "cold": cold} {
		if err := log.Interval(tag, part, 0, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"latency.hgrm": hgrm.String(), "latency.hlog": hlog.String()} {
		d, err := Read(name, strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, q := range []float64{.5, .9, .99, .999} { // below, a .hgrm has a row each tenth
			if got, want := d.Quantile(q).Seconds(), h.Quantile(q).Seconds(); got < .98*want || got > 1.02*want {
				t.Errorf("%s: quantile %v is %v s, want %v", name, q, got, want)
			}
		}
	}
	for name, text := range map[string]string{
		"torn.hlog": hlog.String()[:hlog.Len()-30], "no.hgrm": "Value Percentile TotalCount\n1.5 7 3\n", "empty.hlog": "#[Histogram log format version 1.3]\n",
	} {
		if _, err := Read(name, strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v, want a fault with its line", name, err)
		}
	}
}
