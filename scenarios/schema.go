package scenarios

import (
	"slices"

	"github.com/coldcurve/coldcurve/analysis/strict"
)

// SchemaJSON is the JSON Schema (draft 2020-12) of a scenario file, for
// editors. It is drawn up from the tables that files are read by, so it knows
// the same keys; what only a reading of the whole file can tell (that a phase
// exists, that a burst lies within it) it leaves to [Parse].
func SchemaJSON() []byte {
	root := scenarioFields().Object("")
	return root.Document("coldcurve scenario", "What is deployed, what traffic is sent at it and what is expected of the outcome.")
}

func platformSchema() schema {
	one := []schema{{"enum": platformNames()}, platformFields().Variants("name", platformNames())}
	return schema{"anyOf": append(one, strict.ListSchema(schema{"anyOf": slices.Clone(one)}))}
}

func arrivalsSchema() schema {
	one := arrivalFields().Variants("process", processes())
	return schema{"anyOf": []schema{one, {"type": "array", "items": one}}}
}
