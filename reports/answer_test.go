package reports_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		{"cold and warm in different phases", summary.Run{
			Valid: true, ColdShare: &share, Cold: 82, Known: 1000, Unknown: 3, Phases: []summary.Phase{{Name: "a"}, {Name: "b"}},
			Groups: []summary.Group{group("a", "hello", "cold", 82, 3.1e8), group("b", "hello", "warm", 918, 1e6)},
		}, []string{
			"A caller of hello waits 310 ms (p50, 95% interval 279 to 341 ms) when it starts cold in a and 1.00 ms (900 µs to 1.10 ms) when it is warm in b: 310 times as long.",
			"8.2% of requests started cold (82 of 1,000; 3 more without evidence).",
		}},
		{"the phase with the most warm requests", summary.Run{
			Valid: true, ColdShare: &share, Cold: 82, Known: 1000, Phases: []summary.Phase{{Name: "heat", Warmup: true}, {Name: "a"}, {Name: "b"}},
			Groups: []summary.Group{group("a", "f", "cold", 9, 9e6), group("a", "f", "warm", 10, 1e6), group("b", "f", "cold", 9, 4e6), group("b", "f", "warm", 90, 2e6)},
		}, []string{
			"In b, a caller of f waits 4.00 ms (p50, 95% interval 3.60 to 4.40 ms) when it starts cold and 2.00 ms (1.80 to 2.20 ms) when it is warm: 2.0 times as long. Cold by phase: 9.00 ms in a, 4.00 ms in b.",
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
		{"nothing", summary.Run{Invalid: []string{"the run was interrupted"}}, []string{
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

func TestAnswerOfManyFunctionsIsShort(t *testing.T) {
	run := summary.Run{Valid: true, Phases: []summary.Phase{{Name: "a"}}}
	for _, f := range strings.Split("a b c d e f g h i j", " ") {
		run.Groups = append(run.Groups, group("a", f, "warm", 9, 1e6))
	}
	got := reports.Answer(&run)
	if len(got) != 8 || got[6] != "The table has the other 4 functions." {
		t.Errorf("answer has %d sentences: %q", len(got), got)
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
