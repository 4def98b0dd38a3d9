package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/digest"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/queue"
	"github.com/coldcurve/coldcurve/analysis/rundir"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/study"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/csv"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/text"
)

// comparedFlags are what is set against what, and what all must hold.
type comparedFlags struct {
	Measured string `arg:"" optional:"" name:"run" type:"path" help:"A run directory: how long the requests of its function take, its memory and its cold starts are taken from it. Flags come before it."`
	Function string `placeholder:"NAME" help:"Which of the run's functions, where it has several."`

	Product string   `default:"aws/lambda" help:"What serves it now, or is meant to. With + products serve together: aws/lambda+aws/api-gateway-http."`
	Against []string `default:"aws/ec2/c7g.large,aws/fargate" help:"What it is set against, with commas: products, containers, machines with their type, aws/ec2/c7g.large+aws/alb."`

	functionFlags `embed:""`
	termsFlags    `embed:""`

	Reply  bytesFlag  `help:"Payload of a response."`
	Target targetFlag `placeholder:"p99=300ms" help:"Response time that all options must hold; fleets are sized to it."`

	Timeout     duration  `help:"How long callers wait for a response before it is an error; the default is for ever."`
	ErrorBudget shareFlag `name:"error-budget" help:"Share of requests that may be such errors."`
	Capacity    string    `type:"path" placeholder:"RUN" help:"A run directory of platform server, which tells the CPU time of a request; in place of --cpu-time."`
	Least       int       `name:"min-instances" default:"2" help:"Fewest instances of a fleet. With the default, 2, one of them, or its zone, can fail."`
	Balancing   string    `enum:"pooled,split" default:"pooled" help:"pooled: a request waits for any instance, the best that a balancer can do; split: for the one that chance gave it, about the worst."`
	Concurrency uint64    `help:"Most calls that the account may have under way; the default is the product's quota."`
}

type costCurveCmd struct {
	comparedFlags `embed:""`

	Over   string   `enum:"rate,duty,memory,duration" default:"rate" help:"What the cost is drawn over: the rate of requests, the share of the month in which they come at a rate (duty), memory, or duration."`
	Rate   spanFlag `default:"0.01/s..1000/s" help:"Requests a second, from and to; with another --over a single rate."`
	Range  string   `placeholder:"FROM..TO" help:"Of what the cost is drawn over, where that is not the rate: 1%..100%, 128MB..10GB, 10ms..10s."`
	Points int      `default:"121" help:"Places on the curve."`

	At  string `placeholder:"PLACE" help:"Place of the curve that bills are taken apart at and whose costs are set against response times, such as 10/s; the default is halfway."`
	Out string `type:"path" placeholder:"DIR" help:"Make a directory with the charts (SVG, PNG), curve.json, curve.csv and a page, curve.html, that shows exact values under the pointer."`

	Sensitivity bool `help:"Vary each input by 10% and to twice as much, and say which moves the break-even point most."`

	JSON bool `name:"json" xor:"form" help:"Print one JSON document (schema coldcurve.curve/v1)."`
	CSV  bool `name:"csv" xor:"form" help:"Print the points of all curves as CSV."`
}

// rateSpan is a range of rates, or one.
type rateSpan struct{ from, to units.Rate }

type (
	spanFlag   struct{ parsed[rateSpan] }
	targetFlag struct{ parsed[queue.Goal] }
)

// UnmarshalText parses "0.01/s..1000/s" and "10/s".
func (f *spanFlag) UnmarshalText(input []byte) error {
	first, last, both := strings.Cut(string(input), "..")
	from, err := units.ParseRate(first)
	if err != nil || !both {
		return f.set(rateSpan{from, from}, err)
	}
	to, err := units.ParseRate(last)
	return f.set(rateSpan{from, to}, errors.Join(err, ascending(float64(from), float64(to), first, last)))
}

// ascending says what is wrong with a range on a logarithmic axis.
func ascending(from, to float64, first, last string) error {
	switch {
	case from <= 0:
		return fmt.Errorf("range %s..%s: it must begin above 0", first, last)
	case to < from:
		return fmt.Errorf("range %s..%s: it is reversed: write %s..%s", first, last, last, first)
	case to == from:
		return fmt.Errorf("range %s..%s: it is a single place: end it later", first, last)
	}
	return nil
}

// UnmarshalText parses "p99=300ms".
func (f *targetFlag) UnmarshalText(input []byte) error {
	name, within, ok := strings.Cut(string(input), "=")
	percent, err := strconv.ParseFloat(strings.TrimPrefix(name, "p"), 64)
	if !ok || err != nil || !strings.HasPrefix(name, "p") || !(percent > 0 && percent < 100) {
		return fmt.Errorf("target %q: write a quantile and its limit: p99=300ms", input)
	}
	limit, err := units.ParseDuration(within)
	return f.set(queue.Goal{Quantile: percent / 100, Within: limit}, err)
}

// Run computes the curves and prints them.
func (c *costCurveCmd) Run(ctx context.Context, w *World) error {
	comparison, err := c.comparison()
	if err != nil {
		return err
	}
	curves, err := comparison.Compare(ctx)
	if err != nil {
		return c.explained(err)
	}
	if err := useless(curves); err != nil {
		return err
	}
	if c.Sensitivity {
		if err := curves.Sensitivity(ctx); err != nil {
			return c.explained(err)
		}
	}
	report := reports.Curves{Curves: curves}
	if c.Out != "" {
		if err := writeCurves(c.Out, report); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return printJSON(w.Stdout, curves.Document(report.Answer(), report.Notes()))
	case c.CSV:
		return csv.Curve(w.Stdout, report)
	}
	err = text.Curve(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), report)
	if err == nil && c.Out != "" {
		_, err = fmt.Fprintf(w.Stdout, "\nReport: %s\n", filepath.Join(c.Out, "curve.html"))
	}
	return err
}

// useless is the error of an option that can do the work nowhere on the axis
// because of its memory, and of options of which none can do it at all.
func useless(curves *study.Curves) error {
	var none []error
	for _, s := range curves.Series {
		if s.Sample == nil {
			none = append(none, s.Points[0].Err)
		}
	}
	return unable(none, len(curves.Series))
}

// unable is the error of options that cannot do the work anywhere: where one of
// them is so for its memory, or all are.
func unable(none []error, options int) error {
	for i, err := range none {
		limit, _ := errors.AsType[*cost.Impossible](err)
		switch {
		case limit != nil && strings.Contains(limit.Limit, "memory"):
			return usage("--memory: %w", err)
		case limit != nil && strings.Contains(limit.Limit, "must be within"):
			none[i] = fmt.Errorf("--target: %w", err)
		}
	}
	if len(none) < options {
		return nil
	}
	return &failure{code: exitUsage, err: errors.Join(none...)}
}

// kept are the files of a result beside its charts, by name.
type kept map[string]func(io.Writer) error

// writeKept makes a directory, which holds nothing yet, of files and charts.
func writeKept(dir string, files kept, charts []chart.Chart) error {
	if err := study.MakeDir(dir); err != nil {
		return occupied(err)
	}
	for name, render := range files {
		var b bytes.Buffer
		err := render(&b)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	_, err := chart.WriteDir(filepath.Join(dir, "charts"), charts)
	return err
}

func writeCurves(dir string, c reports.Curves) error {
	return writeKept(dir, kept{
		"curve.json": func(out io.Writer) error { return printJSON(out, c.Document(c.Answer(), c.Notes())) },
		"curve.html": func(out io.Writer) error { return html.Curve(out, c) },
		"curve.csv":  func(out io.Writer) error { return csv.Curve(out, c) },
	}, chart.Curves(c))
}

// comparison is what the flags ask for.
func (c *costCurveCmd) comparison() (study.Comparison, error) {
	k, err := c.compared()
	if err != nil {
		return k, err
	}
	k.Over, k.Points = study.Over(c.Over), c.Points
	if err := c.axis(&k); err != nil {
		return k, err
	}
	if c.At != "" {
		if k.At, err = c.place(k.Over, c.At); err != nil {
			return k, usage("--at: %w", err)
		}
		if k.At < k.From || k.At > k.To {
			return k, usage("--at: %s does not lie on the curve", c.At)
		}
	}
	return k, nil
}

// compared is everything of a comparison but its axis.
func (c *comparedFlags) compared() (study.Comparison, error) {
	k := study.Comparison{
		Options: append([]string{c.Product}, c.Against...), MinInstances: c.Least, Concurrency: c.Concurrency, Disk: c.Disk.value, Address: c.Address,
	}
	var err error
	if k.Book, k.Terms, err = c.terms(); err != nil {
		return k, err
	}
	if c.Balancing == "split" {
		k.Sizing.Balancing = study.Split
	}
	if k.Goal, err = c.goal(); err != nil {
		return k, err
	}
	if k.CPU, k.CPUBasis, err = c.cpu(); err != nil {
		return k, err
	}
	if k.Work, err = c.work(); err != nil {
		return k, err
	}
	if k.CPU == 0 && c.Measured != "" {
		k.CPU, k.CPUBasis = k.Work.Durations.Mean(), study.AllOfACall
	}
	return k, nil
}

func (c *comparedFlags) goal() (queue.Goal, error) {
	if !c.Target.given {
		if c.Timeout.value != nil || c.ErrorBudget.given {
			return queue.Goal{}, usage("--timeout and --error-budget go with a response time: write --target p99=300ms, too")
		}
		return queue.Goal{}, nil
	}
	goal := c.Target.value
	if c.Timeout.value != nil {
		goal.Timeout = *c.Timeout.value
	}
	goal.ErrorBudget = c.ErrorBudget.value
	if err := goal.Validate(); err != nil {
		return goal, usage("--target, --timeout, --error-budget: %w", err)
	}
	return goal, nil
}

// axis is what the cost is drawn over, from where to where.
func (c *costCurveCmd) axis(k *study.Comparison) error {
	rate := c.Rate.value
	if k.Over == study.OverRate {
		if c.Range != "" {
			return usage("--range: over the rate write --rate 0.01/s..1000/s")
		}
		if rate.from == rate.to {
			return usage("--rate: write a range, 0.01/s..1000/s, or say what else the cost is drawn over: --over duty")
		}
		k.From, k.To = float64(rate.from), float64(rate.to)
		return nil
	}
	if rate.from != rate.to {
		return usage("--rate: over %s write a single rate, --rate 10/s", c.Over)
	}
	k.Rate = rate.from
	whole := c.Range
	if whole == "" {
		whole = map[study.Over]string{study.OverDuty: "0.1%..100%", study.OverMemory: "128MB..10240MB", study.OverDuration: "1ms..1000s"}[k.Over]
	}
	first, last, _ := strings.Cut(whole, "..")
	var err, err2 error
	k.From, err = c.place(k.Over, first)
	k.To, err2 = c.place(k.Over, last)
	if err = errors.Join(err, err2); err == nil {
		err = ascending(k.From, k.To, first, last)
	}
	if err != nil {
		return usage("--range: %w", err)
	}
	return nil
}

func (c *costCurveCmd) place(over study.Over, input string) (float64, error) {
	switch over {
	case study.OverRate:
		r, err := units.ParseRate(input)
		return float64(r), err
	case study.OverDuty:
		return units.ParseShare(input)
	case study.OverMemory:
		b, err := units.ParseBytes(input)
		return float64(b), err
	}
	d, err := units.ParseDuration(input)
	return d.Seconds(), err
}

// cpu is the CPU time of a request, and how it is known.
func (c *comparedFlags) cpu() (time.Duration, string, error) {
	switch {
	case c.Capacity != "" && c.CPUTime.value != nil:
		return 0, "", usage("--cpu-time and --capacity: write one of them")
	case c.Capacity != "":
		return measuredCPU(c.Capacity)
	case c.CPUTime.value == nil:
		return 0, "", nil
	case *c.CPUTime.value <= 0:
		return 0, "", usage("--cpu-time: must be above 0")
	}
	return *c.CPUTime.value, "given", nil
}

// measuredCPU is what a run of platform server tells.
func measuredCPU(path string) (time.Duration, string, error) {
	dir, err := rundir.Open(path)
	if err != nil {
		return 0, "", &failure{code: exitUsage, err: fmt.Errorf("--capacity: %w", err)}
	}
	builder, err := digest.Read(dir)
	if err != nil {
		return 0, "", err
	}
	measured, err := capacities(dir, builder)
	if err != nil {
		return 0, "", err
	}
	for _, m := range measured {
		if m.CPUPerRequest != nil && *m.CPUPerRequest >= 1 {
			return time.Duration(math.Round(*m.CPUPerRequest)), fmt.Sprintf("measured of %s by %s", m.Function, path), nil
		}
	}
	return 0, "", usage("--capacity: %s tells no CPU time of a request: it takes a run of platform server (coldcurve run capacity)", path)
}

// work is one request's, as a month of many.
func (c *comparedFlags) work() (cost.Work, error) {
	const requests = 1_000_000 // a scale for shares, nothing else
	w := cost.Work{Requests: requests}
	if c.Measured != "" {
		var err error
		if w, err = c.measuredWork(); err != nil {
			return w, err
		}
	}
	if c.Duration.value != nil {
		w.Durations = c.Duration.value
	}
	if w.Durations == nil {
		return w, usage("no duration: write --duration 120ms, or a run directory")
	}
	if err := c.starts(&w); err != nil {
		return w, err
	}
	c.settings(&w)
	w.Out = c.Reply.value
	return w, nil
}

// measuredWork is what a run says of a function.
func (c *comparedFlags) measuredWork() (cost.Work, error) {
	m, err := openMeasured(c.Measured)
	if err != nil {
		return cost.Work{}, err
	}
	works, err := m.works(c.Memory.value)
	if err != nil {
		return cost.Work{}, err
	}
	var names []string
	for _, w := range works {
		if w.Name == c.Function || c.Function == "" && len(works) == 1 {
			return w, nil
		}
		names = append(names, w.Name)
	}
	if c.Function == "" {
		return cost.Work{}, usage("%s has %s: say which with --function: %s", c.Measured, units.FormatNoun(len(names), "function"), strings.Join(names, ", "))
	}
	return cost.Work{}, usage("--function: %s has no function %q: %s", c.Measured, c.Function, strict.Instead(c.Function, names))
}

// explained adds which flag is meant and what the reader can do.
func (c *comparedFlags) explained(err error) error {
	if unknown, ok := errors.AsType[*study.UnknownCapacity](err); ok {
		return &failure{code: exitUsage, err: unknown,
			hint: "give the CPU time of a request, --cpu-time 100ms, or measure it: coldcurve run capacity, then --capacity RUN"}
	}
	if unknown, ok := errors.AsType[*prices.Unknown](err); ok && unknown.What != "region" {
		flag := "--against"
		if strings.HasPrefix(c.Product, unknown.Name) || strings.Contains(c.Product, unknown.Name) {
			flag = "--product"
		}
		return mistaken(fmt.Errorf("%s: %w", flag, err))
	}
	return mistaken(err)
}
