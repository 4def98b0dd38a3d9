package reports_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

func group(phase, function, start string, n uint64, p50 int64) summary.Group {
	g := summary.Group{Phase: phase, Function: function, Start: start, N: n}
	if p50 > 0 {
		g.Latency.P50 = &p50
		g.Interval.P50 = &[2]int64{p50 * 9 / 10, p50 * 11 / 10}
	}
	return g
}

// limited gives g quantiles that the load generator limits.
func limited(g summary.Group, keys ...string) summary.Group {
	g.Limited = keys
	for _, k := range keys {
		service, latency := new(int64(1.49e6)), new(int64(1.59e6))
		switch k {
		case "p50":
			g.Service.P50, g.Latency.P50 = service, latency
		case "p90":
			g.Service.P90, g.Latency.P90 = service, latency
		case "p95":
			g.Service.P95, g.Latency.P95 = service, latency
		case "p99":
			g.Service.P99, g.Latency.P99 = service, latency
		case "p999":
			g.Service.P999, g.Latency.P999 = service, latency
		}
	}
	return g
}

func TestAnswer(t *testing.T) {
	share := 0.082
	for _, tt := range []struct {
		name string
		run  summary.Run
		want []string
	}{
		{"one phase", summary.Run{
			Valid: true, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{group("a", "hello", "cold", 82, 3.1e6), group("a", "hello", "warm", 918, .41e6)},
		}, []string{
			"A caller of hello waits 3.10 ms (p50, 95% interval 2.79 to 3.41 ms) when it starts cold and 410 µs (369 to 451 µs) when it is warm: 7.6 times as long.",
			"8.2% of requests started cold (82 of 1,000).",
		}},
		{"a capacity comes before what callers wait", summary.Run{
			Valid: true, ColdShare: &share, Known: 1000, Phases: []summary.Phase{{Name: "a"}},
			Groups:   []summary.Group{group("a", "work", "warm", 918, .41e6)},
			Capacity: []capacity.Capacity{{Function: "work", VCPUs: 1, Target: 50e6, Held: new(350.), Broken: new(400.)}},
		}, []string{"One vCPU carried 350/s of work with p99 within 50.0 ms; at 400/s that broke."}},
		{"cold and warm in different phases", summary.Run{
			Valid: true, ColdShare: &share, Cold: 82, Known: 1000, Unknown: 3, Phases: []summary.Phase{{Name: "a"}, {Name: "b"}},
			Groups: []summary.Group{group("a", "hello", "cold", 82, 3.1e8), group("b", "hello", "warm", 918, 1e6)},
		}, []string{
			"A caller of hello waits 310 ms (p50, 95% interval 279 to 341 ms) when it starts cold in a and 1.00 ms (900 µs to 1.10 ms) when it is warm in b: 310 times as long.",
			"8.2% of requests started cold (82 of 1,000; 3 more without evidence).",
		}},
		{"most requests do not tell", summary.Run{
			Valid: true, ColdShare: new(1.), Cold: 1, Known: 1, Unknown: 9, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{group("a", "target", "unknown", 9, 1e6), group("a", "target", "cold", 1, 0)},
		}, []string{
			"A caller of target waits 1.00 ms (p50, 95% interval 900 µs to 1.10 ms); how its requests started is unknown.",
			"Only 1 of 10 requests tells how it started: of those that do, 100% started cold (1 of 1).",
		}},
		{"the phase with the most requests", summary.Run{
			Valid: true, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "heat", Warmup: true}, {Name: "a"}, {Name: "b"}},
			Groups: []summary.Group{group("a", "f", "cold", 9, 9e6), group("a", "f", "warm", 10, 1e6), group("b", "f", "cold", 10, 4e6), group("b", "f", "warm", 90, 2e6)},
		}, []string{
			"In b, a caller of f waits 4.00 ms (p50, 95% interval 3.60 to 4.40 ms) when it starts cold and 2.00 ms (1.80 to 2.20 ms) when it is warm: 2.0 times as long. Cold by phase: 9.00 ms in a, 4.00 ms in b.",
			"8.2% of requests started cold (82 of 1,000).",
		}},
		{"cold starts come alone in an idle probe", summary.Run{
			Valid: true, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "idle", Gap: 1e9}, {Name: "crowd"}, {Name: "steady"}},
			Groups: []summary.Group{group("idle", "f", "cold", 20, 3e6), group("idle", "f", "warm", 7, 2e6), group("crowd", "f", "cold", 200, 76e6),
				group("steady", "f", "cold", 6, 5e6), group("steady", "f", "warm", 90, 1e6)},
		}, []string{
			"A caller of f waits 3.00 ms (p50, 95% interval 2.70 to 3.30 ms) when it starts cold in idle and 1.00 ms (900 µs to 1.10 ms) when it is warm in steady: 3.0 times as long. Cold by phase: 3.00 ms in idle, 76.0 ms in crowd, 5.00 ms in steady.",
			"8.2% of requests started cold (82 of 1,000).",
		}},
		{"a limited tail takes no other figure with it", summary.Run{
			Invalid: []string{"generator-limited: ..."}, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{limited(group("a", "hello", "warm", 918, 1e6), "p99", "p999")},
		}, []string{
			"Do not use: warm p99 of hello in a (1.49 to 1.59 ms) and warm p99.9 of hello in a (1.49 to 1.59 ms): the load generator's own lag moves them by more than 5%. Every other quantile holds.",
			"A caller of hello waits 1.00 ms (p50, 95% interval 900 µs to 1.10 ms) when it is warm; no answered request is known to be cold.",
			"8.2% of requests started cold (82 of 1,000).",
		}},
		{"a limited median is called so, and not compared", summary.Run{
			Invalid: []string{"generator-limited: ..."}, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{group("a", "hello", "cold", 82, 3e6), limited(group("a", "hello", "warm", 918, 1e6), "p50")},
		}, []string{
			"Do not use: warm p50 of hello in a (1.49 to 1.59 ms): the load generator's own lag moves it by more than 5%. Every other quantile holds.",
			"A caller of hello waits 3.00 ms (p50, 95% interval 2.70 to 3.30 ms) when it starts cold and 1.59 ms (900 µs to 1.10 ms, generator-limited) when it is warm: not to be compared while the load generator limits them.",
			"8.2% of requests started cold (82 of 1,000).",
		}},
		{"a limited quantile of unknown starts", summary.Run{
			Invalid: []string{"generator-limited: ..."}, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{limited(group("a", "target", "unknown", 918, 1e6), "p90")},
		}, []string{
			"Do not use: p90 of target in a (1.49 to 1.59 ms): the load generator's own lag moves it by more than 5%. Every other quantile holds.",
			"A caller of target waits 1.00 ms (p50, 95% interval 900 µs to 1.10 ms); how its requests started is unknown.",
			"No request carries evidence of how it started, so there is no cold share.",
		}},
		{"a median that holds comes before a limited one", summary.Run{
			Invalid: []string{"generator-limited: ..."}, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "a"}, {Name: "b"}},
			Groups: []summary.Group{limited(group("a", "f", "warm", 918, 1e6), "p50", "p90", "p95", "p99", "p999"), group("b", "f", "warm", 20, 1e6)},
		}, []string{
			"Do not use: warm p50 of f in a (1.49 to 1.59 ms), warm p90 of f in a (1.49 to 1.59 ms), warm p95 of f in a (1.49 to 1.59 ms) and 2 more that the table marks with ~: the load generator's own lag moves them by more than 5%. Every other quantile holds.",
			"A caller of f waits 1.00 ms (p50, 95% interval 900 µs to 1.10 ms) when it is warm in b; no answered request is known to be cold.",
			"8.2% of requests started cold (82 of 1,000).",
		}},
		{"few cold", summary.Run{
			Valid: true, ColdShare: &share, Cold: 1, Known: 1000, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{group("a", "hello", "cold", 1, 0), group("a", "hello", "warm", 918, 1e6)},
		}, []string{
			"A caller of hello waits 1.00 ms (p50, 95% interval 900 µs to 1.10 ms) when it is warm; one answered request was cold, too few for a median.",
			"8.2% of requests started cold (1 of 1,000).",
		}},
		{"no evidence", summary.Run{
			Valid: true, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{group("a", "target", "unknown", 100, 1e6)},
		}, []string{
			"A caller of target waits 1.00 ms (p50, 95% interval 900 µs to 1.10 ms); how its requests started is unknown.",
			"No request carries evidence of how it started, so there is no cold share.",
		}},
		{"nothing but failures", summary.Run{
			Valid: true, Sent: 1200, Errors: 1200, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "a"}},
			Groups: []summary.Group{group("a", "hello", "cold", 1200, 0)},
		}, []string{
			"No request was answered with success, all 1,200 failed: there is no latency to tell.",
			"8.2% of requests started cold (82 of 1,000).",
		}},
		{"nothing", summary.Run{Condemned: true, Invalid: []string{"the run was interrupted"}}, []string{
			"These figures cannot be used: the run was interrupted.",
			"No request was sent, so there is nothing to tell.",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, reports.Answer(&tt.run)); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
		})
	}
}

func TestAnswerComparesTiers(t *testing.T) {
	of := func(g summary.Group, tier string) summary.Group {
		g.Tier = tier
		return g
	}
	run := summary.Run{Valid: true, Phases: []summary.Phase{{Name: "a"}}, Groups: []summary.Group{
		of(group("a", "plain", "cold", 12, 9e6), "process"), of(group("a", "plain", "warm", 90, 1e6), "process"),
		of(group("a", "paused", "cold", 1, 0), "pause"), of(group("a", "paused", "restored", 11, 2e6), "pause"),
		of(group("a", "pool", "prewarmed", 12, 3e6), "pool"), of(group("a", "rare", "cold", 2, 0), "namespace"),
	}}
	want := "A caller who finds no instance ready waits (p50) 2.00 ms for paused (restored), 3.00 ms for pool (prewarmed) and " +
		"9.00 ms for plain (cold). Too few requests for a median of rare."
	if got := reports.Answer(&run); got[0] != want || len(got) != 2 {
		t.Errorf("got  %q\nwant %q and the cold share", got, want)
	}
}

// TestEmulatedStartsAreSaidEverywhere: in the title, which stands over tables
// and on charts, in the answer, and beside each start kind that waits for one.
func TestEmulatedStartsAreSaidEverywhere(t *testing.T) {
	for _, emulated := range []bool{true, false} {
		run := summary.Run{Scenario: "shop", Platform: "reference", Valid: true, EmulatedStarts: emulated, Phases: []summary.Phase{{Name: "a"}}, Groups: []summary.Group{
			group("a", "f", "cold", 9, 5e8), group("a", "f", "restored", 9, 5e8), group("a", "f", "warm", 9, 1e6), group("a", "f", "provisioned", 9, 1e6)}}
		said := append([]string{reports.Title(&run)}, reports.Answer(&run)[0])
		for i := range run.Groups[:2] {
			said = append(said, reports.StartOf(&run, &run.Groups[i]))
		}
		for _, text := range said {
			if strings.Contains(text, "emulated") != emulated {
				t.Errorf("emulated %v: %q", emulated, text)
			}
		}
		for i := range run.Groups[2:] {
			if text := reports.StartOf(&run, &run.Groups[2+i]); strings.Contains(text, "emulated") {
				t.Errorf("emulated %v: %q waited for no start", emulated, text)
			}
		}
	}
}

func TestAnswerOfManyFunctionsIsShort(t *testing.T) {
	for names, want := range map[string]string{
		"a b c d e f g h i j": "The table has the other 4 functions.",
		"a b c d e f g":       "The table has the other function.",
	} {
		run := summary.Run{Valid: true, Phases: []summary.Phase{{Name: "a"}}}
		for f := range strings.FieldsSeq(names) {
			run.Groups = append(run.Groups, group("a", f, "warm", 9, 1e6))
		}
		if got := reports.Answer(&run); len(got) != 8 || got[6] != want {
			t.Errorf("%s: answer has %d sentences: %q, want %q", names, len(got), got, want)
		}
	}
}

func TestEveryReportHasAnAnswer(t *testing.T) {
	for name, rep := range map[string]*reports.Report{
		"quick": reportstest.Quick(), "broken": reportstest.Broken(), "empty": reportstest.Empty(), "languages": reportstest.Languages(),
	} {
		if got := reports.Answer(&rep.Document.Runs[0]); len(got) < 2 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestColdShareOfFew: a share of the few that tell is not shown as one of all.
func TestColdShareOfFew(t *testing.T) {
	for _, tt := range []struct {
		phase summary.Phase
		want  string
	}{
		{summary.Phase{Sent: 10, Known: 1, Cold: 1, ColdShare: new(1.)}, "100% of 1"},
		{summary.Phase{Sent: 10, Known: 4, Cold: 1, ColdShare: new(.25)}, "25% of 4"},
		{summary.Phase{Sent: 10, Known: 5, Cold: 5, ColdShare: new(1.)}, "100%"},
		{summary.Phase{Sent: 10}, "-"},
	} {
		if got := reports.ColdShare(&tt.phase); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.phase, got, tt.want)
		}
	}
}
