package scenarios

import (
	"encoding/json"
	"maps"
	"slices"
)

// SchemaJSON is the JSON Schema (draft 2020-12) of a scenario file, for
// editors. It is drawn up from the tables that files are read by, so it knows
// the same keys; what only a reading of the whole file can tell (that a phase
// exists, that a burst lies within it) it leaves to [Parse].
func SchemaJSON() []byte {
	root := scenarioFields().object("")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "coldcurve scenario"
	root["description"] = "What is deployed, what traffic is sent at it and what is expected of the outcome."
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // the schema is made of strings, numbers, lists and maps
	}
	return append(text, '\n')
}

// schema is a JSON Schema.
type schema map[string]any

// object describes one variant of a mapping.
func (fs fields[T]) object(variant string) schema {
	properties := schema{}
	required := []string{}
	for _, f := range fs {
		if !f.has(variant) {
			continue
		}
		property := maps.Clone(f.schema)
		property["description"] = f.doc
		if f.def != nil {
			property["default"] = f.def
		}
		properties[f.name] = property
		if slices.Contains(f.needed, variant) {
			required = append(required, f.name)
		}
	}
	return schema{
		"type":                 "object",
		"properties":           properties,
		"required":             required,
		"additionalProperties": false,
	}
}

// variants describes a mapping whose keys depend on what one of them says.
func (fs fields[T]) variants(selector string, names []string) schema {
	var cases []schema
	for _, name := range names {
		c := fs.object(name)
		c["title"] = name
		c["properties"].(schema)[selector] = schema{"const": name, "description": "the keys here are those of " + name}
		cases = append(cases, c)
	}
	return schema{"oneOf": cases}
}

func quantitySchema(pattern, example string, zero bool) schema {
	text := schema{"type": "string", "pattern": pattern, "examples": []string{example}}
	if !zero {
		return text
	}
	return schema{"anyOf": []schema{text, {"const": 0}}}
}

func listSchema(items schema) schema {
	return schema{"type": "array", "minItems": 1, "items": items}
}

// oneOfSchema wants exactly one key.
func oneOfSchema(s schema) schema {
	s["minProperties"], s["maxProperties"] = 1, 1
	return s
}

// anyOfSchema wants at least one of some keys.
func anyOfSchema(s schema, keys ...string) schema {
	var cases []schema
	for _, k := range keys {
		cases = append(cases, schema{"required": []string{k}})
	}
	s["anyOf"] = cases
	return s
}

func platformSchema() schema {
	return schema{"anyOf": []schema{
		{"enum": platformNames()},
		platformFields().variants("name", platformNames()),
	}}
}

func arrivalsSchema() schema {
	one := arrivalFields().variants("process", processes())
	return schema{"anyOf": []schema{one, {"type": "array", "items": one}}}
}
