package text

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
)

// TestMemory prices a function that is four times as fast with four times the
// memory, and one size that the product does not have.
func TestMemory(t *testing.T) {
	lambda, err := cost.New(prices.Open(), "aws/lambda", cost.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	works := []cost.Work{
		{Name: "small", Memory: 128 * units.MB, Requests: 10, Durations: cost.Constant(400 * time.Millisecond)},
		{Name: "large", Memory: 512 * units.MB, Requests: 10, Durations: cost.Constant(100 * time.Millisecond)},
		{Name: "more", Memory: 1024 * units.MB, Requests: 10, Durations: cost.Constant(100 * time.Millisecond)},
		{Name: "huge", Memory: 20 * units.GB, Requests: 10, Durations: cost.Constant(time.Millisecond)},
	}
	tuned, err := cost.Tune(lambda, works, .5)
	if err != nil {
		t.Fatal(err)
	}
	doc := cost.NewMemoryDocument("aws/lambda", .5, works, tuned, []string{"A note."})
	var out bytes.Buffer
	if err := Memory(&out, Options{Width: 80}, doc); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"The best balance and the fastest is 512 MB ($1.03 a million, 100 ms a request)", "1 GB  more", "beaten",
		"aws/lambda cannot do this", "A note.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
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
	text, err := json.Marshal(doc)
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
