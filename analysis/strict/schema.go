package strict

import (
	"encoding/json"
	"maps"
	"slices"
)

// Schema is a JSON Schema.
type Schema map[string]any

// Object describes one variant of a mapping.
func (fs Fields[C, T]) Object(variant string) Schema {
	properties := Schema{}
	required := []string{}
	for _, f := range fs {
		if !f.Has(variant) {
			continue
		}
		property := maps.Clone(f.Schema)
		property["description"] = f.Doc
		if f.Default != nil {
			property["default"] = f.Default
		}
		properties[f.Name] = property
		if slices.Contains(f.Needed, variant) {
			required = append(required, f.Name)
		}
	}
	return Schema{
		"type":                 "object",
		"properties":           properties,
		"required":             required,
		"additionalProperties": false,
	}
}

// Variants describes a mapping whose keys depend on what one of them says.
func (fs Fields[C, T]) Variants(selector string, names []string) Schema {
	var cases []Schema
	for _, name := range names {
		c := fs.Object(name)
		c["title"] = name
		c["properties"].(Schema)[selector] = Schema{"const": name, "description": "the keys here are those of " + name}
		cases = append(cases, c)
	}
	return Schema{"oneOf": cases}
}

// QuantitySchema describes a number with its unit; zero says that 0 may stand
// without one.
func QuantitySchema(pattern, example string, zero bool) Schema {
	text := Schema{"type": "string", "pattern": pattern, "examples": []string{example}}
	if !zero {
		return text
	}
	return Schema{"anyOf": []Schema{text, {"const": 0}}}
}

// ListSchema describes a list of at least one.
func ListSchema(items Schema) Schema {
	return Schema{"type": "array", "minItems": 1, "items": items}
}

// OneOfSchema wants exactly one key.
func OneOfSchema(s Schema) Schema {
	s["minProperties"], s["maxProperties"] = 1, 1
	return s
}

// AnyOfSchema wants at least one of some keys.
func AnyOfSchema(s Schema, keys ...string) Schema {
	var cases []Schema
	for _, k := range keys {
		cases = append(cases, Schema{"required": []string{k}})
	}
	s["anyOf"] = cases
	return s
}

// Document is the schema of a whole file (JSON Schema, draft 2020-12).
func (s Schema) Document(title, description string) []byte {
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = title
	s["description"] = description
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // a schema is made of strings, numbers, lists and maps
	}
	return append(text, '\n')
}
