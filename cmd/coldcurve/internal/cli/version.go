package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print JSON (schema coldcurve.version/v1)."`
}

type versionDocument struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Run prints the version.
func (c *versionCmd) Run(w *World) error {
	doc := versionDocument{
		Schema:   "coldcurve.version/v1",
		Version:  buildVersion(),
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if c.JSON {
		return printJSON(w.Stdout, doc)
	}
	_, err := fmt.Fprintf(w.Stdout, "coldcurve %s (%s, %s)\n", doc.Version, doc.Go, doc.Platform)
	return err
}

// buildVersion prefers what the linker was told over what `go install` records.
func buildVersion() string {
	if version != "devel" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return version
}
