package text_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

func TestMemorySchema(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(cost.MemorySchemaJSON()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("memory.json", schema); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("memory.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(reportstest.MemorySizes())
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("the document does not follow its schema: %v", err)
	}
}
