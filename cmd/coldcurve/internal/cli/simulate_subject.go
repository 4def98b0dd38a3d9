package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/sim"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/traffic"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// subject is what is simulated: traffic, and the policy that it meets.
type subject struct {
	name     string
	source   traffic.Source
	platform scenarios.Platform
	keys     map[string]string // of the policy, as given
	notes    []string
	seed     uint64
	requests int64
	warmup   time.Duration // 0 is the simulator's default, below 0 none
	adjust   func(function string, o *sim.Options)
	fit      *study.Fit // nil for none
	measured []study.Measured
	changed  []string        // flags by which the policy is not the run's
	option   cost.Option     // nil for no bill
	machines *study.Machines // nil for none
}

// subject finds the traffic and reads the policy.
func (c *simulateCmd) subject(ctx context.Context) (*subject, error) {
	if c.Fit != "" && c.Scenario == "" && len(c.Trace) == 0 && c.Rate == nil && !c.Population.given {
		c.Trace = []string{c.Fit}
	}
	sources := 0
	for _, given := range []bool{c.Scenario != "", len(c.Trace) > 0, c.Rate != nil, c.Population.given} {
		if given {
			sources++
		}
	}
	if sources != 1 {
		return nil, &failure{code: exitUsage, err: errors.New("simulate needs traffic from one source: a scenario, --trace, --rate or --population"),
			hint: "for example: coldcurve simulate --trace nasa --service exp:100ms --keep-alive 10m"}
	}
	if err := c.mistakes(); err != nil {
		return nil, err
	}
	s := &subject{seed: 1, keys: make(map[string]string), requests: c.Requests.value}
	if c.Seed != nil {
		s.seed = *c.Seed
	}
	if c.Warmup.value != nil {
		s.warmup = *c.Warmup.value
		if s.warmup == 0 {
			s.warmup = -1 // to the simulator 0 is its default
		}
	}
	err := c.fitted(s)
	if err == nil {
		s.machines, err = c.machines()
	}
	if c.Price != "" && err == nil {
		s.option, err = c.priced("--price", c.Price)
	}
	switch {
	case err != nil:
	case c.Scenario != "":
		return s, c.ofScenario(s)
	case len(c.Trace) > 0:
		err = c.ofTrace(ctx, s)
	case c.Population.given:
		err = c.ofPopulation(s)
	default:
		c.ofRate(s)
	}
	if err != nil {
		return nil, err
	}
	if err := c.readPolicy(s); err != nil {
		s.source.Close()
		return nil, err
	}
	return s, nil
}

// priced is a product of a flag, by the price book and the day of the others.
func (c *simulateCmd) priced(flag, product string) (cost.Option, error) {
	book, on, err := c.open()
	if err != nil {
		return nil, err
	}
	option, err := cost.New(book, product, cost.Terms{On: on})
	if err != nil {
		return nil, mistaken(fmt.Errorf("%s: %w", flag, err))
	}
	return option, nil
}

// fitted reads the run that --fit names.
func (c *simulateCmd) fitted(s *subject) error {
	if c.Fit == "" {
		return nil
	}
	fit, err := study.FitRun(c.Fit)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	s.fit = fit
	met := fit // whose requests are simulated, where a run's are, all of them
	if len(c.Trace) == 1 && c.Trace[0] != c.Fit {
		if _, err := rundir.Open(c.Trace[0]); err != nil {
			return nil // no run: nobody has measured what this traffic meets
		}
		if met, err = study.FitRun(c.Trace[0]); err != nil {
			s.notes = append(s.notes, "nothing measured is shown beside: "+err.Error())
			return nil
		}
	}
	if len(c.Trace) == 1 {
		c.beside(s, met)
		if s.warmup == 0 {
			s.warmup = cmp.Or(met.Warmup, -1)
		}
	}
	return nil
}

// beside has what a run measured of the same requests shown, unless some are left out.
func (c *simulateCmd) beside(s *subject, met *study.Fit) {
	if c.Requests.given || c.Until.value != nil || c.Warmup.value != nil {
		s.notes = append(s.notes, "what the run measured is of all its requests, and not shown beside those that --requests, --until or --warmup leave")
		return
	}
	s.measured = met.Measured
}

// metBy has what the run of --fit measured shown beside, if it met the scenario's arrivals.
func (c *simulateCmd) metBy(s *subject, scenario *scenarios.Scenario) error {
	if s.fit == nil || s.fit.Scenario != s.name {
		return nil
	}
	schedule, err := scenario.Schedule()
	if err != nil {
		return err
	}
	if !s.fit.Met(func(yield func(string, time.Duration) bool) {
		for i, at := range schedule.Times {
			if !yield(schedule.Sources[schedule.Source[i]].Function, at) {
				return
			}
		}
	}) {
		s.notes = append(s.notes, "what the run measured is not shown beside: it is of "+s.name+" with another seed, or other phases or arrivals")
		return nil
	}
	c.beside(s, s.fit)
	return nil
}

// unsaidKeepAlive is that of scenarios that say none.
const unsaidKeepAlive = 10 * time.Minute

// kept is the keep-alive of the run of --fit, where nobody says another one: no
// flag, and not the scenario, unless it says what the run's platform says.
func (c *simulateCmd) kept(s *subject, of *scenarios.Scenario) []scenarios.Setting {
	if s.fit == nil || c.KeepAlive != "" || c.Profile != "" || c.Policy != "" {
		return nil
	}
	if of != nil && s.fit.KeepAlive > 0 {
		own := of.Platform.Policy
		says := own.Survival != nil || own.Hybrid != nil || own.KeepAlive != unsaidKeepAlive
		if says && own.KeepAlive != s.fit.Stated && (s.fit.Stated > 0 || s.fit.Scenario != s.name) {
			s.notes = append(s.notes, "the keep-alive is the scenario's own, not the run's "+units.FormatDuration(s.fit.KeepAlive)+"; --keep-alive replaces it")
			s.changed = append(s.changed, "this scenario's keep_alive")
			return nil
		}
	}
	if !slices.ContainsFunc(c.Sweep, func(axis string) bool { return strings.HasPrefix(dashed(axis), "keep-alive=") }) {
		s.notes = append(s.notes, s.fit.KeptBy)
	}
	if s.fit.KeepAlive == 0 {
		return nil
	}
	s.keys["keep_alive"] = s.fit.KeepAlive.String()
	return []scenarios.Setting{{From: "--fit", Key: "keep_alive", Value: s.fit.KeepAlive.String()}}
}

func (c *simulateCmd) ofTrace(ctx context.Context, s *subject) (err error) {
	if s.name = strings.Join(c.Trace, ", "); len(c.Trace) > 2 { // days of Azure's trace
		s.name = fmt.Sprintf("%s and %s", c.Trace[0], units.FormatNoun(len(c.Trace)-1, "more file"))
	}
	s.source, err = openTrace(ctx, c.Trace...)
	return err
}

// openTrace opens recorded traffic: paths, or the name of what is shipped.
func openTrace(ctx context.Context, names ...string) (traffic.Source, error) {
	if _, missing := os.Stat(names[0]); missing != nil && len(names) == 1 {
		switch shipped := fixtures.TraceNames(); {
		case slices.Contains(shipped, names[0]):
			return traffic.OpenShipped(ctx, names[0])
		case !strings.ContainsAny(names[0], "./"):
			return nil, &failure{code: exitUsage, err: missing, hint: "traces that coldcurve ships: " + strings.Join(shipped, ", ")}
		}
	}
	source, err := traffic.Open(ctx, names...)
	return source, faulty(err)
}

func (c *simulateCmd) ofPopulation(s *subject) error {
	p := traffic.Population{Functions: int(c.Population.value), Seed: s.seed}
	if c.Until.value != nil {
		p.Span = *c.Until.value
	}
	if c.Arrivals == "bursty" {
		p.CV = c.CV
	}
	if err := p.Validate(); err != nil {
		return &failure{code: exitUsage, err: err}
	}
	s.name, s.source = "population", p.Source()
	return nil
}

// ofRate is one function's arrivals at an even mean rate, for as many requests
// or as long as is asked for.
func (c *simulateCmd) ofRate(s *subject) {
	var process arrival.Process
	switch rate := c.Rate.value; c.Arrivals {
	case "constant":
		process = arrival.Constant{Rate: rate}
	case "bursty":
		process = arrival.Bursty{Rate: rate, CV: c.CV}
	default:
		process = arrival.Poisson{Rate: rate}
	}
	s.name = c.Arrivals + " " + units.FormatRate(c.Rate.value)
	f := &traffic.Function{Name: "function"}
	if c.Until.value != nil {
		s.source = traffic.Of(traffic.About{Format: "arrival process"}, traffic.Phases(f, traffic.Phase{Duration: *c.Until.value, Process: process}))
		return
	}
	if s.requests == 0 {
		s.requests = 1e6
	}
	lasts := time.Duration(min(float64(s.requests)/float64(c.Rate.value)*1e9, math.MaxInt64/2))
	s.source = traffic.Of(traffic.About{Format: "arrival process", Span: lasts}, traffic.Endless(f, process, c.Rate.value, uint64(s.requests)))
}

// ofScenario takes a scenario's arrivals, policy and memory. It begins with no
// instances, as a run does, so that only its own warm-up phases are left out.
func (c *simulateCmd) ofScenario(s *subject) error {
	scenario, err := scenarios.Find(c.Scenario, scenarios.Overrides{Seed: c.Seed})
	if err != nil {
		return err
	}
	s.name, s.seed, s.notes = scenario.Name, scenario.Seed, append(s.notes, scenario.Notes...)
	if err := c.metBy(s, scenario); err != nil {
		return err
	}
	if s.platform, err = scenario.Platform.With(append(c.policySettings(s), c.kept(s, scenario)...)...); err != nil {
		return err
	}
	var list []*traffic.Function
	runtimes := make(map[string]platform.Runtime)
	for _, f := range scenario.Functions {
		stretches, err := scenario.Stretches(f.Name)
		if err != nil {
			return err
		}
		phases := make([]traffic.Phase, len(stretches))
		for i, p := range stretches {
			phases[i] = traffic.Phase{Start: p.Start, Duration: p.Duration, Process: p.Process, Seed: func() *rand.Rand { return p.Random() }}
		}
		list = append(list, traffic.Phases(&traffic.Function{Name: f.Name, Memory: f.Memory}, phases...))
		runtimes[f.Name] = f.Runtime
	}
	for _, f := range list {
		f.Span = scenario.Length() // also where it is not called in the last phase
	}
	s.source = traffic.Of(traffic.About{Format: "scenario"}, list...)
	if s.warmup == 0 {
		s.warmup = -1
		for _, p := range scenario.Phases {
			if !p.Warmup {
				break
			}
			s.warmup = max(s.warmup, 0) + p.Duration
		}
	}
	return c.startDelays(s, func(function string) platform.Runtime { return runtimes[function] })
}

// readPolicy reads the policy of traffic that brings none along.
func (c *simulateCmd) readPolicy(s *subject) error {
	name, text := "the policy", []byte(nil)
	if c.Policy != "" {
		var err error
		if text, err = os.ReadFile(c.Policy); err != nil {
			return &failure{code: exitUsage, err: err}
		}
		name = c.Policy
	}
	var err error
	if s.platform, err = scenarios.ParsePolicy(name, text, append(c.policySettings(s), c.kept(s, nil)...)...); err != nil {
		return err
	}
	return c.startDelays(s, nil)
}

// policySettings are the flags of the policy, which the result keeps.
func (c *simulateCmd) policySettings(s *subject) []scenarios.Setting {
	settings := c.settings()
	for _, setting := range settings {
		s.keys[setting.Key] = setting.Value
		s.changed = append(s.changed, setting.From)
	}
	if c.Policy != "" {
		s.keys["policy"] = c.Policy
		s.changed = append(s.changed, "--policy")
	}
	if c.StartDelay != "" {
		s.changed = append(s.changed, "--start-delay")
	}
	if c.Override {
		s.changed = append(s.changed, "--override")
	}
	if strings.HasPrefix(c.StartDelay, "profile") {
		settings = append(settings, scenarios.Setting{From: "--start-delay", Key: "start_delay", Value: "profile"})
	}
	return settings
}

// startDelays has instances take as long to start as the flag says, or the
// policy for the function's runtime.
func (c *simulateCmd) startDelays(s *subject, runtimeOf func(function string) platform.Runtime) error {
	fixed, err := c.fixedDelay()
	if err != nil {
		return err
	}
	if _, runtime, ok := strings.Cut(c.StartDelay, ":"); ok && strings.HasPrefix(c.StartDelay, "profile:") {
		if s.platform.StartDelay[platform.Runtime(runtime)] == nil {
			return usage("--start-delay %s: the profile has none for runtime %q; write one of %s", c.StartDelay, runtime, strings.Join(runtimesOf(s.platform), ", "))
		}
		runtimeOf = func(string) platform.Runtime { return platform.Runtime(runtime) }
	}
	if runtimeOf == nil {
		runtimeOf = func(string) platform.Runtime { return platform.Go }
	}
	delays := make(map[platform.Runtime]dist.Distribution)
	for runtime, quantiles := range s.platform.StartDelay {
		if delays[runtime], err = delayOf(quantiles); err != nil {
			return usage("start_delay of %s: %w", runtime, err)
		}
	}
	s.adjust = func(function string, o *sim.Options) {
		if d := delays[runtimeOf(function)]; d != nil {
			o.StartDelay, o.StartBeside = d, nil
		}
		if fixed != nil {
			o.StartDelay, o.StartBeside = fixed, nil
		}
	}
	return nil
}

// fixedDelay is the distribution that --start-delay names, nil for none.
func (c *simulateCmd) fixedDelay() (dist.Distribution, error) {
	if c.StartDelay == "" || c.StartDelay == "profile" || strings.HasPrefix(c.StartDelay, "profile:") {
		return nil, nil
	}
	d, err := dist.Parse(c.StartDelay)
	if err != nil {
		return nil, usage("--start-delay: %w", err)
	}
	return d, nil
}

// delayOf is a distribution with the given quantiles.
func delayOf(quantiles []scenarios.Quantile) (dist.Distribution, error) {
	points := make([]dist.Point, len(quantiles))
	for i, q := range quantiles {
		points[i] = dist.Point{Q: q.Share, Value: q.Delay}
	}
	return dist.NewTable(points)
}

func runtimesOf(p scenarios.Platform) []string {
	var names []string
	for runtime := range p.StartDelay {
		names = append(names, string(runtime))
	}
	slices.Sort(names)
	return names
}
