package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/sim/fleet"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports/text"
	"github.com/coldcurve/coldcurve/scenarios"
)

type simulateCmd struct {
	Scenario string `arg:"" optional:"" help:"Scenario whose arrivals and policy are simulated: a file, or a name of the embedded suite. Nothing is deployed."`

	trafficFlags `embed:"" group:"Traffic"`
	servingFlags `embed:"" group:"Serving"`
	policyFlags  `embed:"" group:"Policy"`
	besideFlags  `embed:"" group:"Fleet"`
	priceBook    `embed:""`

	Engine string   `enum:"events,levels" default:"events" help:"events follows every request; levels needs only counts per minute, takes a second for any number of requests, and says how far it may be off; what it would be too far off with, such as crowds that come during starts, is left to events."`
	Sweep  []string `sep:"none" placeholder:"KEY=A,B,..." help:"Simulate once for each value of a policy key, such as keep-alive=1m,10m,1h; twice for a grid."`
	Fit    string   `type:"path" placeholder:"RUN" help:"Take service times, start delays and the keep-alive from a measured run directory; without other traffic its requests too."`

	Price     string `default:"aws/lambda" placeholder:"PRODUCT" help:"Whose prices a month is billed by, such as aws/lambda; \"\" for no bill. It needs --memory, or traffic that tells it."`
	Out       string `type:"path" placeholder:"DIR" help:"Make a result directory: report.html, simulation.json, charts; coldcurve cost DIR and coldcurve report DIR read it."`
	Top       int    `default:"10" help:"So many functions have a row in the table."`
	JSON      bool   `name:"json" help:"Print one JSON document (schema coldcurve.simulation/v1, or coldcurve.sweep/v1 with --sweep) instead of tables."`
	Selfcheck bool   `help:"Hold the simulator against the laws, published figures and measurements that it must meet; it takes a minute."`
}

// trafficFlags say whose requests come when.
type trafficFlags struct {
	Trace      []string  `sep:"none" placeholder:"FILE" help:"Recorded traffic: counts per minute, timestamps, an access log, files of the Azure Functions traces, a run directory; gzipped or not. Or one that coldcurve ships: worldcup98, nasa, azure2021."`
	Rate       *rateFlag `help:"Arrivals at this mean rate, such as 0.9/s."`
	Arrivals   string    `enum:"poisson,constant,bursty" default:"poisson" help:"How they come with --rate: poisson, constant or bursty."`
	CV         float64   `name:"cv" default:"4" help:"Coefficient of variation of the gaps, for bursty arrivals."`
	Population countFlag `placeholder:"N" help:"A synthetic population of N functions, after what is published of Azure Functions."`
	Requests   countFlag `placeholder:"COUNT" help:"End after so many requests of each function, warm-up included. With --rate the default is 1e6."`
	Until      duration  `help:"Cut the traffic off after so long."`
	Seed       *uint64   `help:"Seed of every random choice. The default is the scenario's, or 1."`
}

// servingFlags say how requests are served.
type servingFlags struct {
	Service     distFlag  `placeholder:"DIST" help:"How long an instance works for a request: const:100ms, exp:2s, lognormal:p50=100ms,p99=2s, gamma:1s,0.5 (mean, coefficient of variation), weibull:1s,0.7 (scale, shape), table:p0=10ms,p50=80ms,p100=2s (geometric between its points). Or a file: a duration a line; rows of percentile,duration; a run's latency.hgrm or latency.hlog."`
	ColdService distFlag  `placeholder:"DIST" help:"The same for the first request of an instance."`
	StartDelay  string    `placeholder:"DIST" help:"How long a start takes; or profile, or profile:nodejs, for what is published of the profile's platform (only lambda has that)."`
	Memory      bytesFlag `placeholder:"SIZE" help:"Memory of an instance, for the bill."`
	Override    bool      `help:"Have --service, --cold-service and --memory replace what traffic or the run of --fit tells of a function. Without it they are those of the functions of which nothing is told."`
	Slowdown    float64   `placeholder:"FACTOR" help:"Requests that share an instance take longer by this share for each other one: 0.1 is 10%."`
	Cores       float64   `placeholder:"N" help:"Requests that share an instance share so many processors."`
	Warmup      duration  `help:"Leave so much of the beginning out of all figures. The default is three keep-alives, at most half of the traffic; for a scenario its own warm-up phases."`
}

// policyFlags are keys of a scenario's platform.
type policyFlags struct {
	Policy              string `type:"path" placeholder:"FILE" help:"YAML file with the policy, in the keys of a scenario's platform."`
	Profile             string `placeholder:"NAME" help:"A named platform's policy, which the other flags change: lambda, azure, cloud-run, knative, openwhisk."`
	KeepAlive           string `placeholder:"DURATION" help:"How long an idle instance lives, such as 10m; 0 reaps at once; or forever. The default is 10m."`
	PauseAfter          string `placeholder:"DURATION" help:"Freeze instances that have been idle for so long."`
	InstanceConcurrency string `placeholder:"N" help:"Most requests that one instance serves at once."`
	RoutingNoise        string `placeholder:"SHARE" help:"Share of warm requests that take any idle instance instead of the one used last."`
	Provisioned         string `placeholder:"N" help:"Instances kept ready ahead of requests."`
	ProvisionedPeriod   string `placeholder:"DURATION" help:"After how long a list of provisioned levels begins again."`
	Ping                string `placeholder:"PING" help:"Requests that keep functions warm, such as '{every: 5m}'."`
	Concurrency         string `placeholder:"N" help:"Most requests at once, by function; 0 is no limit."`
	StartBurst          string `placeholder:"N" help:"Starts allowed at once; goes with --start-rate."`
	StartRate           string `placeholder:"RATE" help:"Starts allowed in the long run; goes with --start-burst."`
	Queue               string `placeholder:"N" help:"Most requests that wait for an instance; 0 throttles at once."`
	MemoryBudget        string `placeholder:"SIZE" help:"Most memory of all functions' instances together; the one used longest ago makes room."`
	QueueTimeout        string `placeholder:"DURATION" help:"Longest wait in the queue."`
	Binding             string `placeholder:"WHEN" help:"early: a request that starts an instance is served by that one; late: by whichever comes free first."`
}

// settings are the flags that were given, as keys of a policy.
func (f *policyFlags) settings() []scenarios.Setting {
	var given []scenarios.Setting
	for _, s := range []struct{ key, value string }{
		{"profile", f.Profile}, {"keep_alive", f.KeepAlive}, {"pause_after", f.PauseAfter},
		{"instance_concurrency", f.InstanceConcurrency}, {"routing_noise", f.RoutingNoise},
		{"provisioned", f.Provisioned}, {"provisioned_period", f.ProvisionedPeriod}, {"ping", f.Ping},
		{"concurrency", f.Concurrency}, {"start_burst", f.StartBurst}, {"start_rate", f.StartRate},
		{"queue", f.Queue}, {"queue_timeout", f.QueueTimeout}, {"memory_budget", f.MemoryBudget}, {"binding", f.Binding},
	} {
		if s.value != "" {
			given = append(given, scenarios.Setting{From: "--" + dashed(s.key), Key: s.key, Value: s.value})
		}
	}
	return given
}

// parsed is a flag in the notation of scenario files.
type parsed[T any] struct {
	value T
	given bool
}

func (p *parsed[T]) set(v T, err error) error {
	p.value, p.given = v, true
	return err
}

type (
	rateFlag  struct{ parsed[units.Rate] }
	countFlag struct{ parsed[int64] }
	bytesFlag struct{ parsed[units.Bytes] }
	distFlag  struct{ parsed[dist.Distribution] }
)

// UnmarshalText parses "0.9/s".
func (f *rateFlag) UnmarshalText(text []byte) error { return f.set(units.ParseRate(string(text))) }

// UnmarshalText parses "20e6".
func (f *countFlag) UnmarshalText(text []byte) error { return f.set(units.ParseCount(string(text))) }

// UnmarshalText parses "512MB".
func (f *bytesFlag) UnmarshalText(text []byte) error { return f.set(units.ParseBytes(string(text))) }

// UnmarshalText parses "exp:2s", or reads a file of percentiles or durations.
func (f *distFlag) UnmarshalText(text []byte) error { return f.set(distribution(string(text))) }

// distribution is what a text says, or else the file of that name.
func distribution(text string) (dist.Distribution, error) {
	d, err := dist.Parse(text)
	if err == nil {
		return d, nil
	}
	file, missing := os.Open(text)
	if missing != nil {
		return nil, fmt.Errorf("%w; nor is it a file of percentiles or durations", err)
	}
	defer file.Close()
	return dist.Read(text, file)
}

// Run simulates, and prints what the traffic would meet.
func (c *simulateCmd) Run(ctx context.Context, w *World) error {
	if c.Selfcheck {
		return c.selfcheck(ctx, w)
	}
	subject, err := c.subject(ctx)
	if err != nil {
		return err
	}
	defer subject.source.Close()
	if len(c.Sweep) > 0 {
		return c.sweep(ctx, w, subject)
	}
	c.unshared(subject)
	progress := newSimulating(w, subject.name)
	plan := c.plan(subject)
	plan.Progress = progress.show
	simulate := study.Simulate
	if plan.Fit != nil {
		simulate = study.Predict
	}
	s, err := simulate(ctx, plan)
	progress.end()
	if err != nil {
		return c.explained(err)
	}
	s.Took(w.Now().Sub(progress.began))
	s.Traffic.Name, s.Policy = subject.name, subject.keys
	s.Notes = append(s.Notes, subject.notes...)
	if s.Fleet != nil {
		for _, r := range c.rules() {
			s.Fleet.Rules[r.key] = r.value
		}
	}
	return c.present(w, s, s.Complete, &study.Outcome{Simulation: s})
}

// unshared notes flags that are of no effect by the subject's policy.
func (c *simulateCmd) unshared(s *subject) {
	if s.platform.Policy.Slots <= 1 && (c.Slowdown > 0 || c.Cores > 0) {
		s.notes = append(s.notes, "--slowdown and --cores change nothing where requests share no instance: --instance-concurrency has them do that")
	}
}

// sweep simulates the subject once for each policy.
func (c *simulateCmd) sweep(ctx context.Context, w *World, subject *subject) error {
	var axes []study.Axis
	for _, given := range c.Sweep {
		axis, err := study.ParseAxis(given)
		if err != nil {
			return usage("--sweep %w", err)
		}
		axes = append(axes, axis)
	}
	if !slices.ContainsFunc(axes, func(a study.Axis) bool { return a.Key == "instance_concurrency" }) {
		c.unshared(subject)
	}
	progress := newSimulating(w, subject.name)
	s, err := study.Sweeping(ctx, axes, func(values []string) (study.Plan, error) { return c.varied(*subject, axes, values) }, progress.show)
	progress.end()
	if err != nil {
		return c.explained(err)
	}
	s.Wall = w.Now().Sub(progress.began).Seconds()
	s.Traffic.Name = subject.name
	s.Notes = append(s.Notes, subject.notes...)
	return c.present(w, s, s.Complete, &study.Outcome{Sweep: s})
}

// varied is the plan of a subject whose policy has some keys replaced.
func (c *simulateCmd) varied(s subject, axes []study.Axis, values []string) (study.Plan, error) {
	var settings []scenarios.Setting
	for i, a := range axes {
		settings = append(settings, scenarios.Setting{From: "--sweep " + dashed(a.Key), Key: a.Key, Value: values[i]})
	}
	var err error
	if s.platform, err = s.platform.With(settings...); err != nil {
		return study.Plan{}, err
	}
	return c.plan(&s), nil
}

// present prints a result, or its document, and keeps it where --out says.
func (c *simulateCmd) present(w *World, document any, complete bool, o *study.Outcome) error {
	var err error
	if c.JSON {
		err = printJSON(w.Stdout, document)
	} else {
		report, _ := simulated(o, c.Top)
		err = text.Simulated(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), report)
	}
	if err == nil && c.Out != "" {
		if err = c.keep(w, o); err == nil && !c.JSON {
			_, err = fmt.Fprintf(w.Stdout, "\nResult: %s\n", filepath.Join(c.Out, "report.html"))
		}
	}
	if err == nil && !complete {
		err = errors.New("interrupted; the figures are of what was simulated until then")
	}
	return err
}

// explained adds what the reader can do about err.
func (c *simulateCmd) explained(err error) error {
	if unknown, ok := errors.AsType[*study.UnknownService](err); ok {
		return &failure{code: exitUsage, err: unknown, hint: "add --service, such as --service exp:100ms, or --fit RUN"}
	}
	if unknown, ok := errors.AsType[*study.UnknownMemory](err); ok {
		return &failure{code: exitUsage, err: fmt.Errorf("--memory-budget: %w", unknown), hint: "add --memory, such as --memory 512MB"}
	}
	if many, ok := errors.AsType[*study.TogetherError](err); ok {
		return &failure{code: exitUsage, err: fmt.Errorf("--fleet: %w", many), hint: "give one function's traffic, or a smaller --population"}
	}
	const more = "shorten the warm-up, --warmup 0, or give more traffic"
	if short, ok := errors.AsType[*fleet.WarmupError](err); ok {
		return &failure{code: exitUsage, err: short, hint: more}
	}
	if none, ok := errors.AsType[*study.WarmupError](err); ok {
		return &failure{code: exitUsage, err: none, hint: more}
	}
	if levels, ok := errors.AsType[*sim.LevelsError](err); ok {
		return &failure{code: exitUsage, err: levels, hint: "leave --engine levels out, or write --engine events"}
	}
	if axes, ok := errors.AsType[*study.AxesError](err); ok {
		return &failure{code: exitUsage, err: axes}
	}
	return faulty(err)
}

// faulty gives faults of input files their exit code.
func faulty(err error) error {
	if fault, ok := errors.AsType[*traffic.Fault](err); ok {
		return &failure{code: exitUsage, err: fault}
	}
	if errors.Is(err, os.ErrNotExist) {
		return &failure{code: exitUsage, err: err}
	}
	return err
}

// plan is the simulation of a subject.
func (c *simulateCmd) plan(s *subject) study.Plan {
	plan := study.Plan{
		Option: s.option, Budget: s.platform.Memory, Machines: s.machines, Target: c.Target.value,
		Source: s.source, Engine: sim.Engine(c.Engine), Override: c.Override, Fit: s.fit, Measured: s.measured, Changed: s.changed, Adjust: s.adjust,
		Options: sim.Options{
			Policy: s.platform.Policy, Service: c.Service.value, ColdService: c.ColdService.value,
			Contention: c.contention(),
			Warmup:     s.warmup, Requests: uint64(s.requests), Seed: s.seed, Memory: c.Memory.value,
		},
	}
	if c.Until.value != nil {
		plan.Until = *c.Until.value
	}
	return plan
}

// simulating tells how a simulation is getting on, and how long it will still take.
type simulating struct {
	progress
	began, told time.Time
}

func newSimulating(w *World, name string) *simulating {
	return &simulating{progress: progress{w: w, scenario: name}, began: w.Now()}
}

func (p *simulating) show(share float64) {
	now := p.w.Now()
	every := plainEvery
	if p.w.Terminal.Err {
		every = 200 * time.Millisecond
	}
	if now.Sub(p.began) < time.Second || now.Sub(p.told) < every {
		return
	}
	p.told = now
	line := fmt.Sprintf("%s: %s simulated, %s left", p.scenario, units.FormatShare(share), left(now.Sub(p.began), share))
	if p.w.Terminal.Err {
		fmt.Fprintf(p.w.Stderr, "\r%s\x1b[K", fit(line, p.w.Terminal.Width))
		p.open = true
		return
	}
	fmt.Fprintf(p.w.Stderr, "coldcurve: %s\n", line)
}

// left is about how long a task still takes of which a share is done.
func left(elapsed time.Duration, share float64) string {
	if share <= 0 {
		return "an unknown time"
	}
	return time.Duration(float64(elapsed) * (1 - share) / share).Round(time.Second).String()
}

// dashed is a policy's key as a flag.
func dashed(key string) string { return strings.ReplaceAll(key, "_", "-") }
