package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/matrix"
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

	referenceFlags `embed:""`

	AllowAnyLocalUser bool `help:"Reference runtime: let every user of this machine answer the functions' invocations. The default is you and root."`

	Rounds int `placeholder:"N" help:"With several platforms: how often each goes through the scenario, in an order that favours none. The default is 2."`

	stay stay `kong:"-"` // on a platform of several
}

// overrideFlags change a scenario before it is validated.
type overrideFlags struct {
	Platform  string   `help:"Platform in place of the scenario's: reference, http, server, lambda, workers, openwhisk or docker; of run several, with commas, each in turn."`
	URL       string   `name:"url" help:"Platform http: where to send requests; {function} in it is the function's name."`
	Preset    string   `help:"Platform http: how the platform there wants to be asked (azure, cloudflare, cloudrun, knative, openfaas)."`
	HostName  string   `name:"host" help:"Platform http: host to ask for, where one address serves many."`
	Endpoint  string   `name:"endpoint-url" help:"Platform lambda: what speaks Lambda's API, in place of AWS."`
	Region    string   `help:"Platform lambda: AWS region. The default is that of AWS's own configuration."`
	Role      string   `help:"Platform lambda: ARN of the functions' execution role."`
	Runtime   string   `help:"Language of fixtures in place of the scenario's: go, nodejs, python or wasm."`
	Existing  []string `placeholder:"[FUNCTION=]NAME" help:"Platform lambda: invoke what is there by this name, in place of deploying the scenario's function."`
	Change    bool     `name:"change-existing" help:"Platform lambda: may change a variable of functions that are there, and put it back, to make their starts cold."`
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

func (f *overrideFlags) overrides(w *World) (scenarios.Overrides, error) {
	// To scenarios a factor of 0 is one that is not given.
	if f.Scale == 0 || f.TimeScale == 0 {
		return scenarios.Overrides{}, usage("--scale and --time-scale: write a number from %g to %.0f, such as 0.1", scenarios.LeastFactor, scenarios.MostFactor)
	}
	if (f.URL != "" || f.Preset != "") && f.Platform == "" {
		f.Platform = "http" // only http has them
	}
	existing, err := byFunction("--existing", f.Existing)
	if err != nil {
		return scenarios.Overrides{}, err
	}
	return scenarios.Overrides{
		Endpoint: f.Endpoint, Region: f.Region, Role: f.Role, Existing: existing, Change: f.Change, OCIRuntime: f.OCI, Tier: f.Tier,
		Platform: f.Platform, URL: f.URL, Preset: f.Preset, Host: f.HostName, Runtime: platform.Runtime(f.Runtime), Seed: f.Seed, Scale: f.Scale, TimeScale: f.TimeScale,
		KeepAlive: f.KeepAlive.value, Sandboxes: f.Sandbox, Starts: f.Start, Env: w.Env,
	}, nil
}

// on is the flags for one platform of several, as [scenarios.Overrides.On] has them.
func (f overrideFlags) on(o scenarios.Overrides) overrideFlags {
	f.Platform, f.URL, f.Preset, f.HostName = o.Platform, o.URL, o.Preset, o.Host
	f.Endpoint, f.Region, f.Role = o.Endpoint, o.Region, o.Role
	f.OCI, f.Tier = o.OCIRuntime, o.Tier
	if f.Change = o.Change; o.Existing == nil {
		f.Existing = nil
	}
	f.KeepAlive.value, f.Sandbox, f.Start = o.KeepAlive, o.Sandboxes, o.Starts
	return f
}

// byFunction reads values that may each begin with whose they are.
func byFunction(flag string, list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	values := make(map[string]string)
	for _, text := range list {
		function, value, ok := strings.Cut(text, "=")
		if !ok {
			function, value = "", text
		}
		if _, twice := values[function]; twice || value == "" {
			return nil, usage("%s %s: write NAME, or FUNCTION=NAME once for each function", flag, text)
		}
		values[function] = value
	}
	return values, nil
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
	add("existing", f.Existing != nil, strings.Join(f.Existing, ","))
	add("change-existing", f.Change, f.Change)
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

// task is a scenario on the platforms that it goes through, a plan for each.
type task []*plan

// results are what tasks came to.
type results struct {
	document summary.Document
	matrices []*matrix.Document
	broken   int // budgets
}

// Run validates every scenario before the first one starts.
func (c *runCmd) Run(ctx context.Context, w *World) error {
	tasks, err := c.load(w)
	if err != nil {
		return err
	}
	if err := c.check(tasks); err != nil {
		return err
	}
	if _, _, err := c.open(); err != nil {
		return err // now, and not when the run is over
	}
	fmt.Fprintf(w.Stderr, "coldcurve: %s\n", c.intention(tasks))
	if err := c.foresee(ctx, w, c.ahead(tasks)); err != nil {
		return err
	}
	r := results{document: summary.Document{Schema: summary.Schema, Runs: []summary.Run{}}}
	var failed error
	for _, t := range tasks {
		if err := c.carry(ctx, w, t, &r); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", t[0].Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if c.JSON {
		if err := r.print(w); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil && len(r.document.Runs)+len(r.matrices) == 0:
		return errors.New("interrupted before the first request") // what failed did so for that
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return errors.New("interrupted; what was measured is kept and marked")
	case r.broken > 0:
		return &failure{code: exitRegression, err: fmt.Errorf("%s not held", count(uint64(r.broken), "budget"))}
	}
	return nil
}

// carry carries a task out. What it came to is there beside an error, too.
func (c *runCmd) carry(ctx context.Context, w *World, t task, r *results) error {
	if len(t) > 1 {
		made, err := c.inTurn(ctx, w, t)
		if made != nil {
			r.matrices, r.broken = append(r.matrices, made), r.broken+made.Broken()
		}
		return err
	}
	run, err := carryOut(ctx, w, t[0], c)
	if run != nil {
		r.document.Runs = append(r.document.Runs, *run)
		r.broken += brokenBudgets(run)
	}
	if err == nil && run.Complete && run.NoSuccess() {
		words, hint := summary.Silence(run.Sent, run.Causes)
		return &failure{code: exitFailure, err: errors.New(words), hint: hint}
	}
	return err
}

// print prints the document; of a matrix its own, which then is the only one.
func (r *results) print(w *World) error {
	if len(r.matrices) > 0 {
		return printJSON(w.Stdout, r.matrices[0])
	}
	return printJSON(w.Stdout, r.document)
}

// mostRounds of a matrix are more than anybody waits for.
const mostRounds = 1000

// check refuses what does not go together.
func (c *runCmd) check(tasks []task) error {
	several := slices.ContainsFunc(tasks, func(t task) bool { return len(t) > 1 })
	switch {
	case c.Rounds < 0 || c.Rounds > mostRounds:
		return usage("--rounds %d: write a number from 1 to %d", c.Rounds, mostRounds)
	case c.Rounds > 0 && !several:
		return usage("--rounds is for several platforms, such as --platform reference,lambda; to repeat on one, name the scenario again")
	case c.JSON && several && len(tasks) > 1:
		return usage("--json prints one document: run one scenario at a time on several platforms, or leave --json out")
	}
	return nil
}

// rounds are how often each of several platforms goes through a scenario: once
// there and once back, unless something else is asked for.
func (c *runCmd) rounds() int { return cmp.Or(c.Rounds, 2) }

// intention says what is going to be done, and how long it takes.
func (c *runCmd) intention(tasks []task) string {
	var names []string
	var requests int
	var length time.Duration
	for _, t := range tasks {
		times := 1
		if len(t) > 1 {
			times = c.rounds()
		}
		names = append(names, t[0].Name)
		for _, p := range t {
			requests += times * len(p.schedule.Times)
			length += time.Duration(times) * p.length()
		}
	}
	what := "scenarios " + strings.Join(names, ", ")
	if len(tasks) == 1 {
		what = tasks[0].words()
		if len(tasks[0]) > 1 {
			what += ", " + count(uint64(c.rounds()), "time") + " each"
		}
	}
	return fmt.Sprintf("%s: %s in %s, then a table and a report", what, count(uint64(requests), "request"), units.FormatDuration(length))
}

// words name the scenario, its phases and its platforms.
func (t task) words() string {
	var phases, on []string
	for _, p := range t[0].Phases {
		phases = append(phases, p.Name)
	}
	for _, p := range t {
		on = append(on, p.Platform.Title())
	}
	return fmt.Sprintf("scenario %s (%s) on %s", t[0].Name, strings.Join(phases, ", "), strings.Join(on, ", "))
}

func (c *runCmd) load(w *World) ([]task, error) {
	asked := c.Platform // before it is concluded from other flags
	overrides, err := c.overrides(w)
	if err != nil {
		return nil, err
	}
	names := c.Scenarios
	if len(names) == 0 {
		names = []string{"quick"}
	}
	var tasks []task
	var all scenarios.Faults
	for _, name := range names {
		platforms, err := platformsOf(name, asked)
		if err != nil {
			return nil, err
		}
		t, err := planned(name, platforms, overrides)
		if faults, ok := errors.AsType[scenarios.Faults](err); ok {
			all = append(all, faults...)
			continue
		}
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	if len(all) > 0 {
		return nil, all
	}
	return tasks, nil
}

// platformsOf are the platforms that a scenario goes through, by the command
// line or else by the file; fewer than two where it is as overrides say.
func platformsOf(name, asked string) ([]scenarios.Listed, error) {
	var own []scenarios.Listed
	// Another platform than those of the file asks for nothing of theirs. Whoever
	// reads it with its overrides says what is wrong.
	if s, err := scenarios.Find(name, scenarios.Overrides{Platform: "reference"}); err == nil {
		own = s.Platforms
	}
	if asked == "" {
		return own, nil
	}
	var list []scenarios.Listed
	for title := range strings.SplitSeq(asked, ",") {
		called := func(p scenarios.Listed) bool { return p.Title == title }
		switch {
		case title == "":
			return nil, usage("--platform %s: a name is empty; write for example --platform reference,lambda", asked)
		case slices.ContainsFunc(list, called):
			return nil, usage("--platform names %s twice", title)
		}
		p := scenarios.Listed{Title: title, Name: title}
		if i := slices.IndexFunc(own, called); i >= 0 {
			p = own[i]
		}
		list = append(list, p)
	}
	return list, nil
}

// planned reads a scenario for each of several platforms, or as overrides say.
// What is wrong for each of them is said once.
func planned(name string, platforms []scenarios.Listed, o scenarios.Overrides) (task, error) {
	each := []scenarios.Overrides{o}
	if len(platforms) > 1 {
		each = nil
		for _, p := range platforms {
			each = append(each, o.On(p, platforms))
		}
	}
	var t task
	var all scenarios.Faults
	for _, o := range each {
		p, err := scheduled(scenarios.Find(name, o))
		if faults, ok := errors.AsType[scenarios.Faults](err); ok {
			all = append(all, slices.DeleteFunc(faults, func(f scenarios.Fault) bool { return slices.Contains(all, f) })...)
			continue
		}
		if err != nil {
			return nil, err
		}
		t = append(t, p)
	}
	if len(all) > 0 {
		return nil, all
	}
	return t, nil
}

// scheduled draws up the schedule of a scenario that was just read.
func scheduled(s *scenarios.Scenario, err error) (*plan, error) {
	if err != nil {
		return nil, err
	}
	schedule, err := s.Schedule()
	if err != nil {
		return nil, &failure{code: exitUsage, err: err}
	}
	return &plan{s, schedule}, nil
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
