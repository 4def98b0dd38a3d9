package gate_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
)

// TestDocumentsMeetTheirSchema: whatever the verdict, also where nothing is
// known or nothing was compared.
func TestDocumentsMeetTheirSchema(t *testing.T) {
	schema := stricttest.Schema(t, gate.SchemaJSON())
	rng := rand.New(rand.NewPCG(5, 5))
	base := runs(rng, 20, 100, .03)
	lagged := runs(rng, 20, 100, .03)
	for i := range lagged {
		lagged[i].Invalid = []string{"the load generator was late"}
	}
	policy := &gate.Policy{Rules: []gate.Rule{rule("latency.p50", .05)}}
	for want, c := range map[gate.Verdict]gate.Comparison{
		gate.Equivalent:   {Base: base, Head: runs(rng, 20, 100, .03), Paired: true},
		gate.Regressed:    {Base: base, Head: runs(rng, 20, 150, .03)},
		gate.Invalid:      {Base: base, Head: lagged},
		gate.Inconclusive: {Base: base[:1], Head: base[:1]},
		gate.NoBaseline:   {},
	} {
		var findings []gate.Finding
		if want != gate.NoBaseline {
			findings = gate.Judge(policy, c, gate.Look{})
		}
		d := gate.NewDocument(policy, c, findings)
		if d.Verdict != want {
			t.Errorf("verdict %s, want %s", d.Verdict, want)
		}
		encoded, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		value := stricttest.Value(t, encoded)
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestFitting: only rules on requests that no side has are left out.
func TestFitting(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	p := &gate.Policy{Rules: []gate.Rule{rule("latency.p50", .05), rule("cold_share", .01)}}
	if fitting, left := p.Fitting(gate.Comparison{Base: runs(rng, 1, 100, 0)}); len(fitting.Rules) != 2 || len(left) != 0 {
		t.Errorf("rules on requests of base: %d stay, %d left out", len(fitting.Rules), len(left))
	}
	if fitting, left := p.Fitting(gate.Comparison{}); fitting != p || len(left) != 0 {
		t.Errorf("of no rule that fits: %d stay, %d left out; want the policy as it was", len(fitting.Rules), len(left))
	}
}
