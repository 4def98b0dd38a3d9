package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/reports/text"
)

type costKeepwarmCmd struct {
	Traffic string `arg:"" optional:"" name:"run" type:"path" help:"A run directory of one function, whose requests, service times and starts are taken. Without it the flags say what traffic."`

	Rate      *rateFlag `help:"Arrivals at this mean rate, such as 0.01/s."`
	Arrivals  string    `enum:"poisson,constant,bursty" default:"poisson" help:"How they come: poisson, constant or bursty."`
	CV        float64   `name:"cv" default:"4" help:"Coefficient of variation of the gaps, for bursty arrivals."`
	Requests  countFlag `default:"200000" help:"Simulate so many requests, warm-up included; all of a run's."`
	Seed      *uint64   `help:"Seed of every random choice; the default is 1."`
	KeepAlive string    `help:"How long the platform keeps an idle instance, such as 10m. The default is what a run measured, else what is published of the platform."`

	Duration distFlag  `placeholder:"DIST" help:"How long a request takes: 120ms, exp:120ms, lognormal:p50=100ms,p99=2s. A run tells."`
	Init     string    `placeholder:"DIST" help:"How long a start takes, such as 400ms. A run tells."`
	Memory   bytesFlag `help:"Memory of an instance, such as 512MB. For a run the default is what it ran with."`
	Region   string    `help:"Region; the default is the product's own."`
	Arch     string    `enum:"x86,x86_64,arm,arm64" default:"x86" help:"Architecture: x86 or arm64."`
	Product  string    `default:"aws/lambda" help:"What serves it."`

	ColdShare shareFlag `default:"1%" help:"Most of the requests that may start cold."`
	PingEvery duration  `default:"5m" help:"Time between pings."`
	PingTakes duration  `default:"1ms" help:"How long the function runs for a ping."`
	Restore   duration  `help:"How long a start from a snapshot takes: prices snapshots, too."`

	termsFlags `embed:""`

	JSON bool `name:"json" help:"Print one JSON document (schema coldcurve.keepwarm/v1)."`
}

// Run says what each avoided cold start costs, and what holds the share.
func (c *costKeepwarmCmd) Run(ctx context.Context, w *World) error {
	options, err := c.options(c.Product)
	if err != nil {
		return err
	}
	sim := c.simulation()
	if c.Traffic == "" && (c.Rate == nil || c.Duration.value == nil || c.Init == "" || c.Memory.value == 0) {
		return usage("no traffic: write a run directory, or --rate 0.01/s, --duration 120ms, --init 400ms and --memory 512MB")
	}
	subject, err := sim.subject(ctx)
	if err != nil {
		return err
	}
	defer subject.source.Close()
	o := study.WarmOptions{Option: options[0], Region: c.Region, Share: c.ColdShare.value, PingEvery: *c.PingEvery.value, PingTakes: *c.PingTakes.value}
	if strings.HasPrefix(c.Arch, "arm") {
		o.Arch = "arm64"
	}
	if c.Restore.value != nil {
		o.Restore = *c.Restore.value
	}
	k, err := study.KeepWarmOf(ctx, sim.plan(subject), o)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return sim.explained(mistaken(err))
	}
	if c.Traffic == "" {
		k.Notes = append(k.Notes, "Idle instances are kept "+keptHow(profileOf(c.Product), c.KeepAlive))
	}
	k.Notes = append(k.Notes, subject.notes...)
	if c.JSON {
		return printJSON(w.Stdout, k)
	}
	return text.KeepWarm(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), k)
}

// simulation is the same traffic and policy as `simulate` has them.
func (c *costKeepwarmCmd) simulation() *simulateCmd {
	s := &simulateCmd{Engine: "events", Fit: c.Traffic}
	s.Rate, s.Arrivals, s.CV, s.Requests, s.Seed = c.Rate, c.Arrivals, c.CV, c.Requests, c.Seed
	if c.Traffic != "" && c.Rate == nil {
		s.Requests = countFlag{}
	}
	if c.Traffic == "" && c.KeepAlive == "" {
		s.Profile = profileOf(c.Product)
	}
	s.KeepAlive, s.Service, s.StartDelay, s.Memory = c.KeepAlive, c.Duration, c.Init, c.Memory
	s.Override = c.Duration.given || c.Memory.given // before what a run tells
	return s
}
