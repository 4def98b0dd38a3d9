package gate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/analysis/units"
)

const full = `risk: 1%
power: 80%
looks: [12, 24]
no_baseline: warn
cost: {trace: shop.csv, until: 2d, keep_alive: 5m, memory: 512MB, product: gcp/cloud-run, on: 2026-08-01, seed: 3}
rules:
  - {metric: cost.month, margin: 2%, max: $20}
  - {metric: latency.p50, start: cold, phase: idle, function: shop, max: 400ms, margin: 5%, pairs: 12, severity: warn}
  - {metric: cold_share, margin: 2%, risk: 0.5%}
  - {metric: errors, max: 0}
  - {metric: init.mean, margin: 300%}
  - {metric: dropped, margin: 3}
`

func TestParsePolicy(t *testing.T) {
	p, err := gate.ParsePolicy("p.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := &gate.Policy{
		Risk: .01, Power: .8, Looks: []int{12, 24}, NoBaseline: gate.Warn,
		Basis: gate.Basis{Trace: "shop.csv", Until: 48 * time.Hour, KeepAlive: 5 * time.Minute, Memory: 512 * units.MB, Product: "gcp/cloud-run", On: 20260801, Seed: 3},
		Rules: []gate.Rule{
			{Budget: budget.Budget{Metric: "cost.month", Max: &budget.Bound{Text: "$20", Value: 20e9}}, Margin: .02},
			{Budget: budget.Budget{Metric: "latency.p50", Start: "cold", Phase: "idle", Function: "shop", Max: &budget.Bound{Text: "400ms", Value: 400e6}}, Margin: .05, Pairs: 12, Severity: gate.Warn},
			{Budget: budget.Budget{Metric: "cold_share"}, Margin: .02, Risk: .005},
			{Budget: budget.Budget{Metric: "errors", Max: &budget.Bound{Text: "0"}}},
			{Budget: budget.Budget{Metric: "init.mean"}, Margin: 3},
			{Budget: budget.Budget{Metric: "dropped"}, Margin: 3},
		},
	}
	if diff := cmp.Diff(want, p, cmpopts.IgnoreUnexported(gate.Policy{}, gate.Rule{}), cmpopts.IgnoreFields(budget.Budget{}, "Line", "Column")); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	usual, _ := gate.UsualPolicy()
	if err := usual.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPolicyFileFaults(t *testing.T) {
	_, err := gate.ParsePolicy("p.yaml", []byte(`risk: 60%
looks: [10, 10]
rule: []
rules:
  - {metric: latency.p5, margin: 5%}
  - {metric: latency.p50, margin: 0}
  - {metric: latency.p50, margin: 5, severity: loud}
  - {metric: latency.p50, max: 5}
  - {metric: errors}
  - {metric: cost.month, start: cold, margin: 2%}
  - {metric: cost.mounth, margin: 2%}
  - {metric: throughput, margin: 100%}
  - {metric: init.mean, margin: 200000%}
  - {metric: cold_share, margin: 300%}
  - {metric: init.mean, margin: 5%, risk: 51%}
  - {metric: service.p50, start: cold, margin: 5%, max: 2s}
  - {metric: service.p50, start: cold, margin: 5%, max: 1s}
  - {metric: service.p50, start: cold, margin: 0.05, max: 2000ms, severity: warn}
cost: {product: aws/lamda, on: 2026-08, tarce: nasa}
`))
	if err == nil {
		t.Fatal("a policy full of faults is accepted")
	}
	for _, want := range []string{
		"p.yaml:1:7: ", "p.yaml:2:13: 10 after 10: looks ascend", "p.yaml:3:1: ", "p.yaml:5:14: ", "write latency.p50",
		"p.yaml:6:35: a margin of 0", "p.yaml:7:35: ", "p.yaml:7:48: ", "p.yaml:8:32: ", "p.yaml:9:5: a rule with nothing to judge by",
		"p.yaml:10:33: a cost of cold requests alone", `p.yaml:11:14: metric "cost.mounth": there is no such figure; write cost.month`,
		"p.yaml:12:34: a margin of 100%: more than all of it cannot be lost",
		`p.yaml:13:33: share "200000%": is more than 1000 times the whole; write at most 100000%`, `p.yaml:14:34: share "300%": is more than the whole`,
		"p.yaml:15:43: ", "p.yaml:18:5: the same as rule 12; leave one of them out",
		"p.yaml:19:17: ", "aws/lambda", `p.yaml:19:32: "2026-08" is not a day`, "p.yaml:19:41: ", "write trace",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("faults lack %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "p.yaml:7:5: ") {
		t.Errorf("a rule whose margin cannot be read is called the same as another:\n%v", err)
	}
}

// TestBlind: a look is told of where not even the most lucky pairs decide a rule.
func TestBlind(t *testing.T) {
	for text, want := range map[string]string{
		"looks: [3]\nrules: [{metric: init.mean, margin: 5%}]":                                     "looks at 3 pairs can have no verdict, which takes 5 or more at a risk of 5% over 1 look and 1 rule",
		"looks: [3, 4, 8]\nrules: [{metric: init.mean, margin: 5%}, {metric: errors, max: 0}]":     "looks at 3, 4 pairs can have no verdict, which takes 7 or more at a risk of 5% over 3 looks and 2 rules",
		"looks: [5]\nrules: [{metric: init.mean, margin: 5%}]":                                     "",
		"looks: [10, 20]\nrules: [{metric: init.mean, margin: 5%, pairs: 20}]":                     "looks at 10 pairs can have no verdict, which takes 20 or more at a risk of 5% over 2 looks and 1 rule",
		"looks: [2]\nrules: [{metric: init.mean, margin: 5%}, {metric: cost.million, margin: 5%}]": "",
		"rules: [{metric: init.mean, margin: 5%}]":                                                 "",
	} {
		p, err := gate.ParsePolicy("p.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Blind(); got != want {
			t.Errorf("%s:\n%q, want %q", text, got, want)
		}
	}
}

// TestPolicyFileAlone: faults of files that are good otherwise.
func TestPolicyFileAlone(t *testing.T) {
	for text, want := range map[string]string{
		"looks: []\nrules: [{metric: errors, max: 0}]":                                  "p.yaml:1:8: no looks: a comparison would never be judged; write for example [10, 14, 20, 28], or leave the key out",
		"risk: 2%\nrules: [{metric: errors, max: 0, risk: 3%}]":                         "p.yaml:2:40: a risk of 3%, and that of all rules together is 2%; write at most 2%, or raise the policy's",
		"rules: [{metric: service.p50, max: 1s}, {metric: service.p50, max: 1s}]":       "p.yaml:1:41: the same as rule 1; leave one of them out: each rule makes the others stricter",
		"rules: [{metric: errors, max: 0, risk: 5%}, {metric: errors, max: 1}]":         "",
		"rules: [{metric: errors, max: 0}, {metric: errors, max: 0, phase: elsewhere}]": "",
	} {
		_, err := gate.ParsePolicy("p.yaml", []byte(text))
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%s:\n%s, want %q", text, got, want)
		}
	}
}

func TestCheckTrace(t *testing.T) {
	p, err := gate.ParsePolicy("p.yaml", []byte("cost: {until: 1d, trace: nope.csv}\nrules: [{metric: errors, max: 0}]"))
	if err != nil {
		t.Fatal(err)
	}
	missing := func(trace string) (string, bool) { return "write nasa", trace != "nasa" }
	if err := p.CheckTrace("p.yaml", missing); err == nil || !strings.HasPrefix(err.Error(), `p.yaml:1:26: trace "nope.csv": there is no such file`) {
		t.Errorf("a trace that is not there: %v", err)
	}
	p, _ = gate.UsualPolicy()
	if err := p.CheckTrace("p.yaml", missing); err != nil {
		t.Errorf("no trace is given: %v", err)
	}
}

func TestCheckScope(t *testing.T) {
	p, err := gate.ParsePolicy("p.yaml", []byte(`rules:
  - {metric: latency.p50, phase: sael, margin: 5%}
  - {metric: latency.p50, phase: sale, function: chart, margin: 5%}
  - {metric: latency.p50, margin: 5%}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := `p.yaml:2:34: no run has figures of phase "sael"; write sale (there are: sale, warm)
p.yaml:3:50: no run has figures of function "chart"; write cart (there are: cart, shop)`
	if err := p.CheckScope("p.yaml", []string{"sale", "warm"}, []string{"cart", "shop"}); err == nil || err.Error() != want {
		t.Errorf("faults:\n%v\nwant\n%s", err, want)
	}
	for _, known := range [][]string{{"sael", "sale", "chart"}, nil} {
		if err := p.CheckScope("p.yaml", known, known); err != nil {
			t.Errorf("where there are %q: %v", known, err)
		}
	}
}

func TestPolicySchema(t *testing.T) {
	s := stricttest.Schema(t, gate.PolicySchemaJSON())
	rule := map[string]any{"metric": "latency.p50", "margin": "5%", "severity": "warn"}
	if err := s.Validate(map[string]any{"risk": "5%", "looks": []any{10, 20}, "rules": []any{rule}}); err != nil {
		t.Errorf("a good policy: %v", err)
	}
	for name, bad := range map[string]map[string]any{
		"no rules":         {"risk": "5%"},
		"an unknown key":   {"rules": []any{rule}, "rlues": 1},
		"nothing to judge": {"rules": []any{map[string]any{"metric": "errors"}}},
	} {
		if s.Validate(bad) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(full))
	_, text := gate.UsualPolicy()
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := gate.ParsePolicy("p.yaml", text)
		if err == nil && p.Validate() != nil {
			t.Errorf("read without a fault, and not valid: %v", p.Validate())
		}
	})
}
