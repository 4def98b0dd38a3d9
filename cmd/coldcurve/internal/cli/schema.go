package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/baseline"
	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/comparison/calibration"
	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/gate"
	"github.com/coldcurve/coldcurve/analysis/keepalive"
	"github.com/coldcurve/coldcurve/analysis/matrix"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/scenarios"
)

type schemaCmd struct {
	Name string `arg:"" help:"Which one: scenario, policy or serve (the files; serve is what serve --config reads), summary (what run --json prints), matrix (what it prints of several platforms), keepalive (keepalive --json), cleanup (cleanup --json), simulation or sweep (simulate --json), gate (gate --json), comparison (compare --json), calibration (gate calibrate --json), cost (cost --json), curve, situations, keepwarm or memory (cost curve, situations, keepwarm and memory --json), situations-file (the file)."`
}

// schemas is the list of documented formats.
func schemas() map[string]func() []byte {
	return map[string]func() []byte{
		"cleanup":     func() []byte { return cleanupSchemaJSON },
		"comparison":  comparison.SchemaJSON,
		"baseline":    baseline.SchemaJSON,
		"calibration": calibration.SchemaJSON,
		"cost":        cost.SchemaJSON,
		"curve":       study.CurveSchemaJSON,
		"gate":        gate.SchemaJSON,
		"keepalive":   keepalive.SchemaJSON,
		"keepwarm":    study.KeepWarmSchemaJSON,
		"matrix":      matrix.SchemaJSON,
		"memory":      cost.MemorySchemaJSON,
		"policy":      gate.PolicySchemaJSON,
		"scenario":    scenarios.SchemaJSON,
		"prices":      prices.SchemaJSON,
		"serve":       scenarios.ServerSchemaJSON,
		"simulation":  study.SimulationSchemaJSON,
		"summary":     summary.SchemaJSON,
		"situations":  study.SituationsSchemaJSON,
		"sweep":       study.SweepSchemaJSON,

		"situations-file": study.SituationsFileSchemaJSON,
	}
}

// Run prints the schema.
func (c *schemaCmd) Run(w *World) error {
	text, ok := schemas()[c.Name]
	if !ok {
		var names []string
		for name := range schemas() {
			names = append(names, name)
		}
		slices.Sort(names)
		return usage("no schema %q: write one of %s", c.Name, strings.Join(names, ", "))
	}
	_, err := fmt.Fprintf(w.Stdout, "%s\n", strings.TrimRight(string(text()), "\n"))
	return err
}
