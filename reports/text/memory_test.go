package text_test

import (
	"encoding/json"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	"github.com/coldcurve/coldcurve/reports/reportstest"
)

func TestMemorySchema(t *testing.T) {
	s := stricttest.Schema(t, cost.MemorySchemaJSON())
	text, err := json.Marshal(reportstest.MemorySizes())
	if err != nil {
		t.Fatal(err)
	}
	value := stricttest.Value(t, text)
	if err := s.Validate(value); err != nil {
		t.Errorf("the document does not follow its schema: %v", err)
	}
}
