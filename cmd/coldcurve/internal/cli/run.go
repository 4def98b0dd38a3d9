package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/scenarios"
)

type runCmd struct {
	Scenarios []string `arg:"" optional:"" name:"scenario" help:"Scenario files, or names of the embedded suite (quick, idle, spike, sustained, ...). The default is quick."`

	overrideFlags `embed:""`

	Out  string `default:"runs" type:"path" help:"Folder that run directories are made in."`
	JSON bool   `name:"json" help:"Print one JSON document (coldcurve schema summary) instead of tables."`

	NoCgroups bool   `help:"Reference runtime: do not limit memory and CPU by cgroups."`
	Cache     string `type:"path" help:"Folder for built functions. The default is the user's cache folder."`
}

// overrideFlags change a scenario before it is validated.
type overrideFlags struct {
	Platform  string   `help:"Platform in place of the scenario's: reference or http."`
	URL       string   `name:"url" help:"Platform http: where to send requests."`
	Seed      *uint64  `help:"Seed in place of the scenario's."`
	Scale     float64  `default:"1" help:"Multiply rates and counts by this."`
	TimeScale float64  `default:"1" help:"Multiply durations and the keep-alive by this."`
	KeepAlive duration `help:"Keep-alive in place of the scenario's, such as 10m."`
	Sandbox   string   `help:"Reference runtime: how instances are made (process)."`
}

// duration is a flag in the units that scenario files use.
type duration struct{ value *time.Duration }

// UnmarshalText parses "1.5s", "10m", "2d".
func (d *duration) UnmarshalText(text []byte) error {
	v, err := units.ParseDuration(string(text))
	d.value = &v
	return err
}

func (f *overrideFlags) overrides() (scenarios.Overrides, error) {
	if !(f.Scale > 0) {
		return scenarios.Overrides{}, usage("--scale %v: write a number above 0, such as 0.1", f.Scale)
	}
	if !(f.TimeScale > 0) {
		return scenarios.Overrides{}, usage("--time-scale %v: write a number above 0, such as 0.1", f.TimeScale)
	}
	if f.URL != "" && f.Platform == "" {
		f.Platform = "http" // only http has one
	}
	return scenarios.Overrides{
		Platform: f.Platform, URL: f.URL, Seed: f.Seed, Scale: f.Scale, TimeScale: f.TimeScale,
		KeepAlive: f.KeepAlive.value, Sandbox: f.Sandbox,
	}, nil
}

// Run validates every scenario before the first one starts.
func (c *runCmd) Run(ctx context.Context, w *World) error {
	list, err := c.load()
	if err != nil {
		return err
	}
	doc := summary.Document{Schema: summary.Schema, Runs: []summary.Run{}}
	broken := 0
	var failed error
	for _, s := range list {
		run, err := execute(ctx, w, s, c)
		if run != nil {
			doc.Runs = append(doc.Runs, *run)
			broken += brokenBudgets(run)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", s.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if c.JSON {
		if err := printJSON(w.Stdout, doc); err != nil {
			return err
		}
	}
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return errors.New("interrupted; what was measured is kept and marked")
	case broken > 0:
		return &failure{code: exitRegression, err: fmt.Errorf("%s not held", count(uint64(broken), "budget"))}
	}
	return nil
}

func (c *runCmd) load() ([]*scenarios.Scenario, error) {
	overrides, err := c.overrides()
	if err != nil {
		return nil, err
	}
	names := c.Scenarios
	if len(names) == 0 {
		names = []string{"quick"}
	}
	var list []*scenarios.Scenario
	var all scenarios.Faults
	for _, name := range names {
		s, err := scenarios.Find(name, overrides)
		if faults, ok := errors.AsType[scenarios.Faults](err); ok {
			all = append(all, faults...)
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(all) > 0 {
		return nil, all
	}
	return list, nil
}

func brokenBudgets(run *summary.Run) int {
	n := 0
	for _, check := range run.Expect {
		if !check.Held {
			n++
		}
	}
	return n
}
