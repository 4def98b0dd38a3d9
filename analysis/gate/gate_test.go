package gate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/metric"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

// source is a run of 400 warm calls that take 1..400 ms, 8 cold ones of 500 ms
// in one phase, and one dropped arrival.
func source() *summary.Builder {
	b := summary.New(summary.Input{Complete: true, Phases: []summary.PhaseSpan{
		{Name: "sale", End: 10 * time.Second, Offered: 409},
	}})
	add := func(i int, service time.Duration, start sample.Start) *sample.Sample {
		at := time.Duration(i) * 10 * time.Millisecond
		return &sample.Sample{Phase: "sale", Function: "shop", Intended: at, Sent: at, Done: at + service, Start: start, Grade: sample.Attested}
	}
	for i := range 400 {
		s := add(i, time.Duration(i+1)*time.Millisecond, sample.Warm)
		s.Billed = time.Millisecond
		s.Breakdown.Handler = 2 * time.Millisecond
		b.Add(s)
	}
	for i := range 8 {
		s := add(i, 500*time.Millisecond, sample.Cold)
		s.Breakdown = sample.Breakdown{Init: 40 * time.Millisecond, Handler: 2 * time.Millisecond}
		if i == 0 {
			s.Err = sample.Timeout
		}
		if i == 1 {
			s.Billed = 3 * time.Millisecond // the one cold start that is
		}
		b.Add(s)
	}
	b.Add(&sample.Sample{Phase: "sale", Function: "shop", Err: sample.Dropped})
	return b
}

func limit(t *testing.T, name, text string) *budget.Bound {
	t.Helper()
	if text == "" {
		return nil
	}
	m, err := metric.Parse(name)
	if err != nil {
		return &budget.Bound{Text: text}
	}
	v, err := metric.ParseBound(m, text)
	if err != nil {
		t.Fatal(err)
	}
	return &budget.Bound{Text: text, Value: v}
}

func TestExpect(t *testing.T) {
	src := source()
	for _, tt := range []struct {
		metric, start, phase, function, max, min string
		held                                     bool
		message                                  string
	}{
		{"latency.p99", "warm", "sale", "", "400ms", "", true, "latency.p99 of warm in sale: 396 ms, allowed 400ms"},
		{"latency.p99", "warm", "sale", "shop", "50 ms", "", false, "latency.p99 of warm shop in sale: 396 ms, allowed 50 ms"},
		{"latency.p99", "", "", "", "1s", "400ms", true, "latency.p99: 500 ms, allowed 400ms to 1s"},
		{"latency.max", "warm", "", "", "400ms", "", true, "latency.max of warm: 400 ms, allowed 400ms"},
		{"latency.max", "warm", "", "", "399.999999ms", "", false, "latency.max of warm: 400 ms, allowed 399.999999ms"},
		{"latency.p99", "cold", "", "", "9s", "", false, "latency.p99 of cold: no value: p99 needs n >= 368, have 7"},
		{"latency.p999", "", "", "", "9s", "", false, "latency.p999: no value: p99.9 needs n >= 3688, have 407"},
		{"latency.p50", "restored", "", "", "9s", "", false, "latency.p50 of restored: no value: no request was answered"},
		{"latency.p50", "", "black-friday", "", "9s", "", false, "latency.p50 in black-friday: no value: no request was answered"},
		{"service.mean", "cold", "", "", "500ms", "", true, "service.mean of cold: 500 ms, allowed 500ms"},
		{"cold_share", "", "sale", "", "2%", "", true, "cold_share in sale: 1.96%, allowed 2%"},
		{"cold_share", "", "sale", "", "1%", "", false, "cold_share in sale: 1.96%, allowed 1%"},
		{"cold_share", "cold", "", "", "1%", "", false, "cold_share of cold: no value: cold_share is over all start kinds: leave start out"},
		{"errors", "", "", "", "0", "", false, "errors: 1, allowed 0"},
		{"errors", "warm", "", "", "0", "", true, "errors of warm: 0, allowed 0"},
		{"error_share", "", "", "", "1%", "", true, "error_share: 0.245%, allowed 1%"},
		{"dropped", "", "", "", "0", "", false, "dropped: 1, allowed 0"},
		{"throughput", "", "", "", "", "40/s", true, "throughput: 40.8/s, allowed at least 40/s"},
		{"throughput", "", "", "", "", "50/s", false, "throughput: 40.8/s, allowed at least 50/s"},
		{"init.mean", "cold", "", "", "40ms", "", true, "init.mean of cold: 40.0 ms, allowed 40ms"},
		{"boot.mean", "cold", "", "", "1s", "", false, "boot.mean of cold: no value: the platform does not tell it, or it did not happen"},
		{"billed.mean", "warm", "", "", "1ms", "", true, "billed.mean of warm: 1.00 ms, allowed 1ms"},
		{"billed.mean", "cold", "", "", "1ms", "", false, "billed.mean of cold: 3.00 ms, allowed 1ms"},
		{"billed.mean", "restored", "", "", "1ms", "", false, "billed.mean of restored: no value: the platform tells no billed duration"},
		{"init.mean", "", "", "", "40ms", "40ms", true, "init.mean: 40.0 ms, allowed 40ms to 40ms"},
		{"init.mean", "warm", "", "", "40ms", "", false, "init.mean of warm: no value: the platform does not tell it, or it did not happen"},
		{"handler.mean", "", "", "", "2ms", "2ms", true, "handler.mean: 2.00 ms, allowed 2ms to 2ms"},
		{"lag.p99", "", "", "", "1ms", "", true, "lag.p99: 0 s, allowed 1ms"},
		{"lag.p99", "cold", "", "", "1ms", "", false, "lag.p99 of cold: no value: p99 needs n >= 368, have 8"},
		{"lag.p999", "", "", "", "1ms", "", false, "lag.p999: no value: p99.9 needs n >= 3688, have 408"},
		{"lag.max", "cold", "", "", "1ms", "", true, "lag.max of cold: 0 s, allowed 1ms"},
	} {
		t.Run(tt.message, func(t *testing.T) {
			got := gate.Expect(src, []budget.Budget{{
				Metric: tt.metric, Start: tt.start, Phase: tt.phase, Function: tt.function,
				Max: limit(t, tt.metric, tt.max), Min: limit(t, tt.metric, tt.min),
			}})
			want := []summary.Check{{
				Metric: tt.metric, Start: tt.start, Phase: tt.phase, Function: tt.function, Max: tt.max, Min: tt.min,
				Held: tt.held, Message: tt.message, Value: got[0].Value,
			}}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("check (-want +got):\n%s", d)
			}
		})
	}
}

// TestEveryMetricIsRead: a metric that a scenario may name and the gate cannot
// read would fail every run.
func TestEveryMetricIsRead(t *testing.T) {
	b := summary.New(summary.Input{Complete: true, Phases: []summary.PhaseSpan{{Name: "p", End: time.Second, Offered: 4000}}})
	for range 4000 {
		b.Add(&sample.Sample{
			Phase: "p", Function: "f", Sent: 1, Done: 100, Start: sample.Cold, Grade: sample.Attested, Billed: 1,
			Breakdown: sample.Breakdown{Trigger: 1, Queue: 1, Provision: 1, Boot: 1, Init: 1, Handler: 1},
		})
	}
	for _, m := range metric.All() {
		c := gate.Expect(b, []budget.Budget{{Metric: m.String(), Min: &budget.Bound{Text: "0"}}})[0]
		if c.Value == nil || !c.Held {
			t.Errorf("%s has no value where all is known: %s", m, c.Message)
		}
	}
	if c := gate.Expect(b, []budget.Budget{{Metric: "latency.p98"}})[0]; c.Held || c.Value != nil {
		t.Errorf("latency.p98 held: %+v", c)
	}
}

// TestLimitedFigure: a judgement on a figure that is in part the load
// generator's own says so, and between two sides there is none on it.
func TestLimitedFigure(t *testing.T) {
	late := func(lag ...time.Duration) *summary.Builder {
		b := summary.New(summary.Input{Complete: true, Phases: []summary.PhaseSpan{{Name: "p", End: time.Second, Offered: uint64(len(lag))}}})
		for _, l := range lag {
			b.Add(&sample.Sample{
				Phase: "p", Function: "f", Sent: l, Done: l + 10*time.Millisecond, Start: sample.Cold, Grade: sample.Attested,
				Billed: time.Millisecond, Breakdown: sample.Breakdown{Init: time.Millisecond, Handler: time.Millisecond},
			})
		}
		return b
	}
	all, one := late(slices.Repeat([]time.Duration{time.Millisecond}, 10)...), late(append(make([]time.Duration, 39), time.Millisecond)...)
	for _, c := range []struct {
		name, limit string
		all, one    bool // limited where each request is late, and where one is
	}{
		{"latency.p50", "1s", true, false}, {"latency.mean", "1s", true, false}, {"latency.max", "1s", true, true},
		{"cold_share", "100%", true, false}, {"errors", "5", true, false}, {"error_share", "100%", true, false}, {"throughput", "500/s", true, false},
		{"service.p50", "1s", false, false}, {"service.max", "1s", false, false}, {"init.mean", "1s", false, false},
		{"handler.mean", "1s", false, false}, {"billed.mean", "1s", false, false}, {"dropped", "5", false, false}, {"lag.max", "1s", false, false},
	} {
		b := budget.Budget{Metric: c.name, Max: limit(t, c.name, c.limit)}
		for src, limited := range map[*summary.Builder]bool{all: c.all, one: c.one} {
			check := gate.Expect(src, []budget.Budget{b})[0]
			if !check.Held || strings.HasSuffix(check.Message, "; the figure is generator-limited") != limited {
				t.Errorf("held %v, %q, want held, limited %v", check.Held, check.Message, limited)
			}
			lagged := slices.Repeat([]gate.Trial{{Name: "run", Figures: src}}, 8)
			f := judge(gate.Comparison{Base: lagged, Head: lagged}, gate.Rule{Budget: b})[0]
			if invalid := f.Verdict == gate.Invalid && strings.Contains(f.Why, "is limited by the load generator"); invalid != limited {
				t.Errorf("%s: %s (%s), want limited %v", c.name, f.Verdict, f.Why, limited)
			}
		}
	}
}
