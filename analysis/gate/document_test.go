package gate_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/coldcurve/coldcurve/analysis/gate"
)

// TestDocumentsMeetTheirSchema: whatever the verdict, also where nothing is
// known or nothing was compared.
func TestDocumentsMeetTheirSchema(t *testing.T) {
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(gate.SchemaJSON()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("gate.json", text); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("gate.json")
	if err != nil {
		t.Fatal(err)
	}
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
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
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
