package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
)

type runCmd struct {
	Scenarios []string `arg:"" optional:"" name:"scenario" help:"Scenario files, or names of the embedded suite (quick, idle, spike, sustained, ...). The default is quick."`

	overrideFlags `embed:""`
	pricing       `embed:""`
	consent       `embed:""`

	Out  string `default:"runs" type:"path" help:"Folder that run directories are made in."`
	JSON bool   `name:"json" help:"Print one JSON document (coldcurve schema summary) instead of tables."`

	NoCgroups bool   `help:"Reference runtime: do not limit memory and CPU by cgroups."`
	Cache     string `type:"path" help:"Folder for built functions. The default is the user's cache folder."`

	AllowAnyLocalUser bool `help:"Reference runtime: let every user of this machine answer the functions' invocations. The default is you and root."`
}

// overrideFlags change a scenario before it is validated.
type overrideFlags struct {
	Platform  string   `help:"Platform in place of the scenario's: reference, http, server, lambda, workers or docker."`
	URL       string   `name:"url" help:"Platform http: where to send requests; {function} in it is the function's name."`
	Preset    string   `help:"Platform http: how the platform there wants to be asked (azure, cloudrun, knative, openfaas)."`
	HostName  string   `name:"host" help:"Platform http: host to ask for, where one address serves many."`
	Endpoint  string   `name:"endpoint-url" help:"Platform lambda: what speaks Lambda's API, in place of AWS."`
	Region    string   `help:"Platform lambda: AWS region. The default is that of AWS's own configuration."`
	Role      string   `help:"Platform lambda: ARN of the functions' execution role."`
	Runtime   string   `help:"Language of fixtures in place of the scenario's: go, nodejs, python or wasm."`
	OCI       string   `name:"oci-runtime" help:"Platform docker: what runs containers: runc, crun, runsc (gVisor). The default is the engine's."`
	Tier      string   `help:"Platform docker: how much of a container is there before a request (plain, created, paused)."`
	Seed      *uint64  `help:"Seed in place of the scenario's."`
	Scale     float64  `default:"1" help:"Multiply rates and counts by this."`
	TimeScale float64  `default:"1" help:"Multiply durations and the keep-alive by this."`
	KeepAlive duration `help:"Keep-alive in place of the scenario's, such as 10m."`
	Sandbox   []string `help:"Reference runtime: what instances are (process, namespace, wasm, container); several, with commas, run each function in each."`
	Start     []string `help:"Reference runtime: how instances are started (plain, pool, zygote, pause); several, with commas, run each function with each."`
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
	// To scenarios a factor of 0 is one that is not given.
	if f.Scale == 0 || f.TimeScale == 0 {
		return scenarios.Overrides{}, usage("--scale and --time-scale: write a number from %g to %.0f, such as 0.1", scenarios.LeastFactor, scenarios.MostFactor)
	}
	if (f.URL != "" || f.Preset != "") && f.Platform == "" {
		f.Platform = "http" // only http has them
	}
	return scenarios.Overrides{
		Endpoint: f.Endpoint, Region: f.Region, Role: f.Role, OCIRuntime: f.OCI, Tier: f.Tier,
		Platform: f.Platform, URL: f.URL, Preset: f.Preset, Host: f.HostName, Runtime: platform.Runtime(f.Runtime), Seed: f.Seed, Scale: f.Scale, TimeScale: f.TimeScale,
		KeepAlive: f.KeepAlive.value, Sandboxes: f.Sandbox, Starts: f.Start,
	}, nil
}

// given are the flags that change a scenario, as the manifest keeps them. The
// URL is among the platform's facts, without its secrets.
func (f *overrideFlags) given() map[string]string {
	flags := make(map[string]string)
	add := func(name string, given bool, value any) {
		if given {
			flags[name] = fmt.Sprint(value)
		}
	}
	add("platform", f.Platform != "", f.Platform)
	add("preset", f.Preset != "", f.Preset)
	add("host", f.HostName != "", f.HostName)
	add("runtime", f.Runtime != "", f.Runtime)
	add("region", f.Region != "", f.Region)
	add("oci-runtime", f.OCI != "", f.OCI)
	add("tier", f.Tier != "", f.Tier)
	add("scale", f.Scale != 1, f.Scale)
	add("time-scale", f.TimeScale != 1, f.TimeScale)
	add("sandbox", f.Sandbox != nil, strings.Join(f.Sandbox, ","))
	add("start", f.Start != nil, strings.Join(f.Start, ","))
	if f.Seed != nil {
		add("seed", true, *f.Seed)
	}
	if f.KeepAlive.value != nil {
		add("keep-alive", true, *f.KeepAlive.value)
	}
	return flags
}

// plan is a scenario with its schedule drawn up.
type plan struct {
	*scenarios.Scenario
	schedule *scenarios.Schedule
}

func (p *plan) length() time.Duration { return p.schedule.Phases[len(p.schedule.Phases)-1].End }

// Run validates every scenario before the first one starts.
func (c *runCmd) Run(ctx context.Context, w *World) error {
	list, err := c.load()
	if err != nil {
		return err
	}
	if _, _, err := c.open(); err != nil {
		return err // now, and not when the run is over
	}
	fmt.Fprintf(w.Stderr, "coldcurve: %s\n", intention(list))
	doc := summary.Document{Schema: summary.Schema, Runs: []summary.Run{}}
	broken := 0
	var failed error
	for _, s := range list {
		run, err := carryOut(ctx, w, s, c)
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
	case ctx.Err() != nil && len(doc.Runs) == 0:
		return errors.New("interrupted before the first request") // what failed did so for that
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return errors.New("interrupted; what was measured is kept and marked")
	case broken > 0:
		return &failure{code: exitRegression, err: fmt.Errorf("%s not held", count(uint64(broken), "budget"))}
	}
	return nil
}

// intention says what is going to be done, and how long it takes.
func intention(list []*plan) string {
	var names []string
	var requests int
	var length time.Duration
	for _, p := range list {
		names = append(names, p.Name)
		requests += len(p.schedule.Times)
		length += p.length()
	}
	what := "scenarios " + strings.Join(names, ", ")
	if len(list) == 1 {
		var phases []string
		for _, p := range list[0].Phases {
			phases = append(phases, p.Name)
		}
		what = fmt.Sprintf("scenario %s (%s) on %s", names[0], strings.Join(phases, ", "), list[0].Platform.Name)
	}
	return fmt.Sprintf("%s: %s in %s, then a table and a report", what, count(uint64(requests), "request"), units.FormatDuration(length))
}

func (c *runCmd) load() ([]*plan, error) {
	overrides, err := c.overrides()
	if err != nil {
		return nil, err
	}
	names := c.Scenarios
	if len(names) == 0 {
		names = []string{"quick"}
	}
	var list []*plan
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
		schedule, err := s.Schedule()
		if err != nil {
			return nil, &failure{code: exitUsage, err: err}
		}
		list = append(list, &plan{s, schedule})
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
