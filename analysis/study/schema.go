package study

import _ "embed"

//go:embed simulation.schema.json
var simulationSchema string

// SimulationSchemaJSON is the JSON schema (draft 2020-12) of [Simulation].
func SimulationSchemaJSON() []byte { return []byte(simulationSchema) }

//go:embed sweep.schema.json
var sweepSchema string

// SweepSchemaJSON is the JSON schema (draft 2020-12) of [Sweep].
func SweepSchemaJSON() []byte { return []byte(sweepSchema) }

//go:embed curve.schema.json
var curveSchema string

// CurveSchemaJSON is the JSON schema (draft 2020-12) of [CurveDocument].
func CurveSchemaJSON() []byte { return []byte(curveSchema) }

//go:embed keepwarm.schema.json
var keepWarmSchema string

// KeepWarmSchemaJSON is the JSON schema (draft 2020-12) of [KeepWarm].
func KeepWarmSchemaJSON() []byte { return []byte(keepWarmSchema) }

//go:embed situations.schema.json
var situationsSchema string

// SituationsSchemaJSON is the JSON schema (draft 2020-12) of [OutlookDocument].
func SituationsSchemaJSON() []byte { return []byte(situationsSchema) }
