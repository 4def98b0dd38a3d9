package ci

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/gate"
)

// Badge writes the JSON that shields.io makes a badge of.
//
// Source: shields.io, Endpoint Badge, schema version 1.
func Badge(w io.Writer, d *gate.Document) error {
	colors := map[gate.Verdict]string{gate.Improved: "brightgreen", gate.Equivalent: "brightgreen", gate.Regressed: "red", gate.NoBaseline: "lightgrey"}
	color, ok := colors[d.Verdict]
	if !ok {
		color = "yellow"
	}
	text, err := json.Marshal(struct {
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
		IsError       bool   `json:"isError"`
	}{1, "cold starts", strings.ReplaceAll(string(d.Verdict), "_", " "), color, d.Verdict == gate.Regressed})
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write badge: %w", err)
	}
	return nil
}
