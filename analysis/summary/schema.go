package summary

import _ "embed"

//go:embed summary.schema.json
var schemaJSON string

// SchemaJSON is the JSON schema (draft 2020-12) of [Document].
func SchemaJSON() []byte { return []byte(schemaJSON) }
