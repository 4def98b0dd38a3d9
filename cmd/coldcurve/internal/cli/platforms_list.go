package cli

import (
	"github.com/coldcurve/coldcurve/fixtures/presets"
	httpplatform "github.com/coldcurve/coldcurve/platform/http"
	"github.com/coldcurve/coldcurve/reports/text"
)

type platformsCmd struct {
	JSON bool `name:"json" help:"Print JSON (schema coldcurve.platforms/v1)."`
}

// listed is a platform and where it runs.
type listed struct {
	Name string `json:"name"`
	Is   string `json:"is"`
	Here bool   `json:"here"` // this system is one that it runs on
}

// presetListed is one of platform http's presets, and what it has been tried on.
type presetListed struct {
	Name       string `json:"name"`
	Is         string `json:"is"`
	RunAgainst string `json:"run_against"`
}

// Run lists the platforms; it tries none of them, which doctor does.
func (c *platformsCmd) Run(w *World) error {
	list := platformList(w.OS)
	presetsOfHTTP, err := presetList()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(w.Stdout, struct {
			Schema    string         `json:"schema"`
			Platforms []listed       `json:"platforms"`
			Presets   []presetListed `json:"presets"`
		}{"coldcurve.platforms/v1", list, presetsOfHTTP})
	}
	var items []text.Item
	for _, p := range list {
		item := text.Item{Name: p.Name, State: "yes", Detail: p.Is}
		if !p.Here {
			item.State, item.Detail = "no", p.Is+"; it needs Linux"
		}
		items = append(items, item)
	}
	for _, p := range presetsOfHTTP {
		items = append(items, text.Item{Name: "http --preset " + p.Name, State: "yes", Detail: p.Is + ": " + p.RunAgainst})
	}
	return text.List(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), items)
}

// platformList are the platforms that openPlatform opens.
func platformList(system string) []listed {
	return []listed{
		{"reference", "the built-in function runtime: cold and warm starts, keep-alive, limits, attested by its own record", system == "linux"},
		{"server", "each function as a long-lived HTTP server: what one vCPU carries within a latency target (run capacity)", system == "linux"},
		{"lambda", "AWS Lambda, or what speaks its API (--endpoint-url); cold starts by its own report of each request (run against coldcurve serve and serverless-offline; at AWS not run live)", true},
		{"workers", "workerd, the runtime of Cloudflare Workers: each start a fresh isolate, observed by who has it loaded", system == "linux"},
		{"openwhisk", "Apache OpenWhisk's REST API; cold starts by its activation records (run against servers that speak it, not run live)", true},
		{"docker", "a container a function instance on the Docker engine here: created, started, paused; by runc, crun and others; gVisor not run live", system == "linux"},
		{"http", "whatever answers at a URL; start kinds are unknown unless it tells them", true},
	}
}

// presetList are platform http's presets.
func presetList() (list []presetListed, err error) {
	for _, name := range presets.Names() {
		p, err := httpplatform.FindPreset(name)
		if err != nil {
			return nil, err
		}
		list = append(list, presetListed{p.Name, p.Title, p.RunAgainst})
	}
	return list, nil
}
