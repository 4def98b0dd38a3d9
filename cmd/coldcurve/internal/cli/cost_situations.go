package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/dist"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/csv"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/scenarios"
)

type costSituationsCmd struct {
	comparedFlags `embed:""`

	File      string   `type:"path" placeholder:"FILE" help:"A YAML file with situations of your own in place of the four (coldcurve schema situations-file)."`
	Rate      []string `placeholder:"NAME=RATE" help:"A situation's rate in place of its own, with commas: sustained=500/s,spikes=20/s..400/s."`
	KeepAlive string   `placeholder:"DURATION" help:"How long functions' idle instances live, such as 10m. The default is what is published of the product's platform, else 10m."`
	Runtime   string   `enum:"go,nodejs,python" default:"go" help:"Whose published start delay functions have without --init: go, nodejs or python."`

	Utilisation shareFlag `placeholder:"SHARE" help:"Share of a fleet's vCPUs that its autoscaler aims at, such as 60%."`
	Boot        duration  `help:"How long a container or a machine takes from its start to its first request."`
	Seed        uint64    `default:"1" help:"Seed of every random choice."`

	Out string `type:"path" placeholder:"DIR" help:"Make a directory with situations.html, situations.json, situations.csv and the charts (SVG, PNG)."`

	JSON bool `name:"json" xor:"form" help:"Print one JSON document (schema coldcurve.situations/v1)."`
	CSV  bool `name:"csv" xor:"form" help:"Print a row for each option in each situation as CSV."`
}

// Run compares the options in each situation.
func (c *costSituationsCmd) Run(ctx context.Context, w *World) error {
	if c.Cold.given {
		return usage("--cold-share: cold starts are simulated here; --keep-alive and --init say how")
	}
	k, err := c.compared()
	if err != nil {
		return err
	}
	if k.Work.Init != nil && c.Init.value == nil {
		c.Init.value = new(k.Work.Init.Mean())
	}
	k.Work.Cold, k.Work.Init = 0, nil // they are simulated
	list, following, err := c.situations()
	if err != nil {
		return err
	}
	var doubts []string
	outlook, err := k.Outlook(ctx, list, following, func(option string) (study.Serving, error) { return c.serving(option, &doubts) }, c.Seed)
	if err != nil {
		return c.explained(err)
	}
	if err := nowhere(outlook); err != nil {
		return err
	}
	report := reports.Outlook{Outlook: outlook, Doubts: doubts}
	if c.Out != "" {
		if err := writeOutlook(c.Out, report); err != nil {
			return err
		}
	}
	sheet := report.Sheet()
	switch {
	case c.JSON:
		return printJSON(w.Stdout, outlook.Document(sheet.Answer, sheet.Notes))
	case c.CSV:
		return csv.Outlook(w.Stdout, report)
	}
	return shown(w, sheet, c.Out, "situations.html")
}

// nowhere is the error of options that can do the work in no situation.
func nowhere(o *study.Outlook) error {
	var none []error
	options := len(o.Cases[0].Served)
	for i := range options {
		if !slices.ContainsFunc(o.Cases, func(k study.Case) bool { return k.Served[i].Err == nil }) {
			none = append(none, o.Cases[0].Served[i].Err)
		}
	}
	return unable(none, options)
}

func writeOutlook(dir string, o reports.Outlook) error {
	sheet, charts := o.Sheet(), chart.Outlook(o)
	return writeKept(dir, kept{
		"situations.json": func(out io.Writer) error { return printJSON(out, o.Document(sheet.Answer, sheet.Notes)) },
		"situations.html": func(out io.Writer) error { return html.Sheet(out, sheet, charts) },
		"situations.csv":  func(out io.Writer) error { return csv.Outlook(out, o) },
	}, charts)
}

// situations are the four of the literature or the file's, changed by the flags.
func (c *costSituationsCmd) situations() ([]study.Situation, study.Following, error) {
	list, following := study.UsualSituations()
	if c.File != "" {
		text, err := os.ReadFile(c.File)
		if err != nil {
			return nil, following, &failure{code: exitUsage, err: err}
		}
		own, of, err := study.ParseSituations(c.File, text)
		if err != nil {
			return nil, following, err
		}
		if list = own; of != (study.Following{}) {
			following = of
		}
	}
	if c.Utilisation.given {
		if u := c.Utilisation.value; u <= 0 || u > 1 {
			return nil, following, usage("--utilisation: must be above 0 and at most 100%%")
		}
		following.Utilisation = c.Utilisation.value
	}
	if c.Boot.value != nil {
		following.BootContainers, following.BootMachines = *c.Boot.value, *c.Boot.value
	}
	for _, given := range c.Rate {
		if err := setRate(list, given); err != nil {
			return nil, following, err
		}
	}
	return list, following, nil
}

// setRate gives the situation that is named in NAME=RATE another rate, or, from
// and to, another peak.
func setRate(list []study.Situation, given string) error {
	name, rate, ok := strings.Cut(given, "=")
	var names []string
	for i := range list {
		names = append(names, list[i].Name)
	}
	i := slices.Index(names, name)
	if !ok || i < 0 {
		return usage("--rate %s: %s", given, strict.Instead(name, names)+", as in "+names[0]+"=10/s")
	}
	var span spanFlag
	if err := span.UnmarshalText([]byte(rate)); err != nil {
		return usage("--rate %s: %w", given, err)
	}
	s := &list[i]
	peaks := span.value.from != span.value.to
	switch {
	case span.value.from <= 0:
		return usage("--rate %s: a rate must be above 0", given)
	case peaks != (s.Peak > 0) && peaks:
		return usage("--rate %s: %s has no peaks: write a single rate", given, name)
	case peaks != (s.Peak > 0):
		return usage("--rate %s: %s has peaks: write both rates, %s=10/s..100/s", given, name, name)
	}
	s.Source = "the rate as given, the shape: " + s.Source
	if s.Rate = span.value.from; peaks {
		s.Peak = span.value.to
	}
	return nil
}

// profileOf is the published profile of the platform that a product is of; ""
// for none.
func profileOf(option string) string {
	provider, _, _ := strings.Cut(option, "/")
	return map[string]string{"aws": "lambda", "gcp": "cloud-run", "azure": "azure"}[provider]
}

// keptHow says how long idle instances are kept: given, or by a profile.
func keptHow(profile, keepAlive string) string {
	switch {
	case keepAlive != "":
		return "for " + keepAlive
	case profile != "":
		return "as published of the platform (profile " + profile + ")"
	}
	return "for 10 min, because nobody publishes how long"
}

// serving is how an option's platform keeps and starts instances; what a reader
// must know of that is added to the doubts.
func (c *costSituationsCmd) serving(option string, doubts *[]string) (s study.Serving, err error) {
	setting := func(key, value string) scenarios.Setting {
		return scenarios.Setting{From: "--" + dashed(key), Key: key, Value: value}
	}
	settings := []scenarios.Setting{setting("instance_concurrency", "1")}
	profile := profileOf(option)
	if profile != "" {
		settings = append(settings, setting("profile", profile))
	}
	if c.KeepAlive != "" {
		settings = append(settings, setting("keep_alive", c.KeepAlive))
	}
	p, err := scenarios.ParsePolicy("the policy", nil, settings...)
	if err != nil {
		return s, err
	}
	s.Policy = p.Policy
	took := "as given"
	if c.Init.value != nil {
		s.Start = dist.Constant(*c.Init.value)
	} else if s.Start, err = c.published(profile); err != nil {
		return s, err
	} else if s.Start == nil {
		took = "no time, because nobody publishes how long: say it with --init 300ms"
	} else {
		took = fmt.Sprintf("as published for %s, %s at the median (--init says how long yours takes)", c.Runtime, units.FormatDuration(s.Start.Quantile(.5)))
	}
	*doubts = append(*doubts, fmt.Sprintf("%s: cold starts are simulated, each call with an instance to itself; idle ones are kept %s; a start takes %s.", option, keptHow(profile, c.KeepAlive), took))
	return s, nil
}

// published is how long a profile's platform takes to start the runtime; nil
// where nobody says.
func (c *costSituationsCmd) published(profile string) (dist.Distribution, error) {
	if profile == "" {
		return nil, nil
	}
	text, err := fixtures.Profile(profile)
	if err != nil {
		return nil, err
	}
	p, err := scenarios.ParseProfile(profile, text)
	if err != nil {
		return nil, err
	}
	quantiles := p.StartDelay[platform.Runtime(c.Runtime)]
	if len(quantiles) == 0 {
		return nil, nil
	}
	return delayOf(quantiles)
}
