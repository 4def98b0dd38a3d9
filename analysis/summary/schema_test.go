package summary_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/coldcurve/coldcurve/analysis/capacity"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/analysis/summary"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	return stricttest.Schema(t, summary.SchemaJSON())
}

func TestDocumentsFollowTheSchema(t *testing.T) {
	schema := compile(t)
	check := func(name string, text []byte) {
		t.Helper()
		doc := stricttest.Value(t, text)
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	golden, err := os.ReadFile("testdata/document.json")
	if err != nil {
		t.Fatal(err)
	}
	check("golden", golden)
	for seed := range uint64(10) {
		in, samples := random(rand.New(rand.NewPCG(seed, 9)), int(seed*97))
		text, err := json.Marshal(summary.Document{Schema: summary.Schema, Runs: []summary.Run{build(in, samples...).Run()}})
		if err != nil {
			t.Fatal(err)
		}
		check("random", text)
	}
	empty, err := json.Marshal(summary.Document{Schema: summary.Schema, Runs: []summary.Run{summary.New(summary.Input{}).Run()}})
	if err != nil {
		t.Fatal(err)
	}
	check("empty", empty)
}

func TestSchemaRefusesWhatIsNoDocument(t *testing.T) {
	schema := compile(t)
	golden, err := os.ReadFile("testdata/document.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"coldcurve.summary/v1"`, `"coldcurve.summary/v2"`},
		{`"start": "cold"`, `"start": "Cold"`},
		{`"valid"`, `"Valid"`},
		{`"seed": 42`, `"seed": 42.5`},
	} {
		text := strings.Replace(string(golden), change[0], change[1], 1)
		doc := stricttest.Value(t, []byte(text))
		if schema.Validate(doc) == nil {
			t.Errorf("%s in place of %s is accepted", change[1], change[0])
		}
	}
}

// TestSchemaHasEveryField holds the schema to the types: the same fields, the
// same that may be left out, and words for each.
func TestSchemaHasEveryField(t *testing.T) {
	type object struct {
		Properties map[string]map[string]any `json:"properties"`
		Required   []string                  `json:"required"`
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(summary.SchemaJSON(), &schema); err != nil {
		t.Fatal(err)
	}
	for name, typ := range map[string]reflect.Type{
		"": reflect.TypeFor[summary.Document](), "run": reflect.TypeFor[summary.Run](), "phase": reflect.TypeFor[summary.Phase](),
		"group": reflect.TypeFor[summary.Group](), "figures": reflect.TypeFor[summary.Figures](), "intervals": reflect.TypeFor[summary.Intervals](),
		"lag": reflect.TypeFor[summary.Lag](), "breakdown": reflect.TypeFor[summary.Breakdown](), "check": reflect.TypeFor[summary.Check](),
		"warning": reflect.TypeFor[summary.Warning](), "cost": reflect.TypeFor[summary.Cost](), "cost_option": reflect.TypeFor[summary.CostOption](), "capacity": reflect.TypeFor[capacity.Capacity](), "step": reflect.TypeFor[capacity.Figure](),
	} {
		o := schema.object
		if name != "" {
			o = schema.Defs[name]
		}
		if len(o.Properties) != typ.NumField() {
			t.Errorf("%s: schema has %d fields, %v has %d", name, len(o.Properties), typ, typ.NumField())
		}
		for i := range typ.NumField() {
			key, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			p, ok := o.Properties[key]
			if !ok {
				t.Errorf("%s: no %q in the schema", name, key)
				continue
			}
			if p["description"] == nil && p["$ref"] == nil {
				t.Errorf("%s.%s has no description", name, key)
			}
			if got, want := slices.Contains(o.Required, key), !strings.Contains(options, "omitempty"); got != want {
				t.Errorf("%s.%s: required is %v, want %v", name, key, got, want)
			}
		}
	}
	starts := schema.Defs["group"].Properties["start"]["enum"].([]any)
	for s := sample.Unknown; s <= sample.Restored; s++ {
		if !slices.Contains(starts, any(s.String())) {
			t.Errorf("the schema does not know start kind %s", s)
		}
	}
	kinds := schema.Defs["group"].Properties["errors_by_kind"]["propertyNames"].(map[string]any)["enum"].([]any)
	for k := sample.Throttled; k <= sample.Cancelled; k++ {
		if !slices.Contains(kinds, any(k.String())) {
			t.Errorf("the schema does not know error kind %s", k)
		}
	}
}
