package cli

import "github.com/coldcurve/coldcurve/reports/text"

type platformsCmd struct {
	JSON bool `name:"json" help:"Print JSON (schema coldcurve.platforms/v1)."`
}

// listed is a platform and where it runs.
type listed struct {
	Name string `json:"name"`
	Is   string `json:"is"`
	Here bool   `json:"here"` // this system is one that it runs on
}

// Run lists the platforms; it tries none of them, which doctor does.
func (c *platformsCmd) Run(w *World) error {
	list := platformList(w.OS)
	if c.JSON {
		return printJSON(w.Stdout, struct {
			Schema    string   `json:"schema"`
			Platforms []listed `json:"platforms"`
		}{"coldcurve.platforms/v1", list})
	}
	var items []text.Item
	for _, p := range list {
		item := text.Item{Name: p.Name, State: "yes", Detail: p.Is}
		if !p.Here {
			item.State, item.Detail = "no", p.Is+"; it needs Linux"
		}
		items = append(items, item)
	}
	return text.List(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), items)
}

// platformList are the platforms that openPlatform opens.
func platformList(system string) []listed {
	return []listed{
		{"reference", "the built-in function runtime: cold and warm starts, keep-alive, limits, attested by its own record", system == "linux"},
		{"server", "each function as a long-lived HTTP server: what one vCPU carries within a latency target (run capacity)", system == "linux"},
		{"lambda", "AWS Lambda, or what speaks its API (--endpoint-url); cold starts by its own report of each request", true},
		{"http", "whatever answers at a URL; start kinds are unknown unless it tells them", true},
	}
}
