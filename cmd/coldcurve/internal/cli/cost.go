package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/reports"
	"github.com/coldcurve/coldcurve/reports/chart"
	"github.com/coldcurve/coldcurve/reports/csv"
	"github.com/coldcurve/coldcurve/reports/html"
	"github.com/coldcurve/coldcurve/reports/text"
)

type costCmd struct {
	Bill       costBillCmd       `cmd:"" default:"withargs" help:"What a month of traffic costs: flags, a scenario, a trace or a run directory, priced by one or several products."`
	Curve      costCurveCmd      `cmd:"" help:"What traffic costs as functions, containers and machines that hold the same target, over its rate, and where one becomes cheaper than the other."`
	Situations costSituationsCmd `cmd:"" help:"What a function costs and what its callers meet with low, moderate, spiking and sustained high traffic, beside containers and machines: one table."`

	Memory   costMemoryCmd   `cmd:"" help:"What a function costs and takes with each size of memory that it was run with: the cheapest, the fastest, the best balance."`
	Keepwarm costKeepwarmCmd `cmd:"" help:"What each avoided cold start costs by pings, instances kept ready and snapshots, and the cheapest way to hold their share."`
}

type costBillCmd struct {
	Traffic string `arg:"" optional:"" help:"A run directory, a recorded trace, a scenario file, or the name of a scenario or trace that coldcurve ships. Without it the flags say what traffic."`

	Product []string `default:"aws/lambda" help:"What serves it; several, with commas, side by side. With + products serve together: aws/lambda+aws/api-gateway-http. Machines with their type: aws/ec2/c7g.large."`

	workFlags  `embed:""`
	termsFlags `embed:""`

	By         string `enum:",function,version,consumer,stage" default:"" placeholder:"WHAT" help:"Share the bill out by function, version, consumer or stage of a run."`
	IdleRule   string `enum:"proportional,even,peak" default:"proportional" help:"How instances that wait are shared out: proportional, even or peak."`
	SharedRule string `enum:"proportional,even,peak" default:"proportional" help:"How what stands in front of all is shared out."`

	Out  string `type:"path" placeholder:"DIR" help:"Make a directory with bill.html, bill.json, bill.csv and a chart of what each bill is made of (SVG, PNG)."`
	JSON bool   `name:"json" xor:"form" help:"Print one JSON document (schema coldcurve.cost/v1)."`
	CSV  bool   `name:"csv" xor:"form" help:"Print the lines as CSV."`
}

// termsFlags are what holds for the account.
type termsFlags struct {
	priceBook  `embed:""`
	FreeTier   bool   `help:"The account's free tier is this traffic's."`
	Commitment string `help:"Committed prices by their name in the book, such as savings_plan_no_upfront; the default is on demand."`
}

// workFlags are the traffic, or what a file does not say of it.
type workFlags struct {
	Requests countFlag `help:"Requests a month, such as 3e6."`
	Rate     rateFlag  `help:"Requests a second in place of --requests, such as 1.5/s."`

	functionFlags `embed:""`

	Reply  bytesFlag `help:"Payload of a response."`
	Ready  uint64    `name:"provisioned" help:"Instances kept ready all month: provisioned concurrency, minimum or always-ready instances."`
	Served shareFlag `name:"provisioned-share" default:"100%" help:"Share of requests that these serve."`
	Fleet  meanFlag  `name:"instances" placeholder:"N" help:"Containers or machines that run all month, on average: 2, or 2.5."`
	Once   bool      `help:"Price a scenario, trace or run as it is, and not repeated until the month is full."`
}

// functionFlags are what serves the traffic and what a request takes.
type functionFlags struct {
	Region   string     `help:"Region; the default is each product's own (us-east-1, us-central1, ...)."`
	Arch     string     `enum:"x86,x86_64,arm,arm64" default:"x86" help:"Architecture: x86 or arm64."`
	Duration groupsFlag `help:"How long a request takes: 120ms, or several with their weights: 100ms:9,2s:1."`
	CPUTime  duration   `name:"cpu-time" help:"CPU time of a request, for those who bill it, and for what an instance carries."`
	Memory   bytesFlag  `help:"Memory of an instance, such as 1536MB. For a run the default is what it ran with."`
	Used     bytesFlag  `name:"memory-used" help:"Memory that is used of it, for those who bill that; the default is all."`
	VCPU     float64    `name:"vcpu" help:"vCPUs of an instance, where they can be chosen."`
	Package  string     `enum:"zip,custom,image" default:"zip" help:"How the code is deployed: zip for the provider's runtimes, custom, image."`
	Cold     shareFlag  `name:"cold-share" help:"Share of requests that start an instance, such as 1%."`
	Init     duration   `help:"How long such a start takes."`
	In       bytesFlag  `help:"Payload of a request."`
	Async    bytesFlag  `help:"Requests are queued events of this size."`
	Storage  bytesFlag  `help:"Configured /tmp of a function."`
	Disk     bytesFlag  `help:"Disk of each container or machine."`
	Address  bool       `help:"Each of them has a public IPv4 address."`
}

type (
	shareFlag  struct{ parsed[float64] }
	groupsFlag struct{ parsed[*cost.Durations] }
	meanFlag   struct{ parsed[*cost.Fleet] } // nil for 0
)

// UnmarshalText parses "2" and "2.5".
func (f *meanFlag) UnmarshalText(text []byte) error {
	n, err := prices.ParseDecimal(string(text))
	if err != nil || n.IsZero() {
		return f.set(nil, err)
	}
	return f.set(cost.Mean(n.Rat()))
}

// UnmarshalText parses "1%".
func (f *shareFlag) UnmarshalText(text []byte) error { return f.set(units.ParseShare(string(text))) }

// UnmarshalText parses "120ms" and "100ms:9,2s:1".
func (f *groupsFlag) UnmarshalText(text []byte) error {
	var groups []cost.Group
	for part := range strings.SplitSeq(string(text), ",") {
		first, weight, weighted := strings.Cut(part, ":")
		d, err := units.ParseDuration(first)
		if err != nil {
			return err
		}
		n := int64(1)
		if weighted {
			if n, err = units.ParseCount(weight); err != nil {
				return err
			}
		}
		groups = append(groups, cost.Group{Low: d, High: d, Count: uint64(n)})
	}
	return f.set(cost.Groups(groups...))
}

// Run prices the traffic by every product.
func (c *costBillCmd) Run(ctx context.Context, w *World) error {
	options, err := c.options(c.Product...)
	if err != nil {
		return err
	}
	load, err := c.load(ctx)
	if err != nil {
		return err
	}
	priced, err := cost.Price(options, func(cost.Option) []*cost.Work { return load.pointers() })
	if err != nil {
		return mistaken(err)
	}
	report := &reports.Cost{Traffic: load.traffic, FreeTier: c.FreeTier, Priced: priced}
	if c.By != "" {
		if report.Attribution, err = c.attribute(priced, load.users); err != nil {
			return err
		}
	}
	failed := c.unpriced(priced)
	if failed != nil && !c.JSON {
		return failed
	}
	return errors.Join(c.print(w, report), failed)
}

// unpriced is the error of options of which none has a bill: the flag's, where it
// is the given memory that keeps one from it.
func (c *costBillCmd) unpriced(priced []cost.Priced) error {
	var errs []error
	for _, p := range priced {
		if p.Bill != nil {
			return nil
		}
		errs = append(errs, p.Err)
	}
	if c.Memory.given {
		return unable(errs, len(errs))
	}
	return &failure{code: exitUsage, err: errors.Join(errs...)}
}

func (c *costBillCmd) print(w *World, r *reports.Cost) error {
	document := func(out io.Writer) error {
		return printJSON(out, cost.NewDocument(r.Traffic, r.FreeTier, r.Priced, r.Attribution))
	}
	if c.Out != "" {
		charts := chart.Bills(r)
		if err := writeKept(c.Out, kept{
			"bill.json": document,
			"bill.html": func(out io.Writer) error { return html.Sheet(out, r.Page(), charts) },
			"bill.csv":  func(out io.Writer) error { return csv.Cost(out, r) },
		}, charts); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return document(w.Stdout)
	case c.CSV:
		return csv.Cost(w.Stdout, r)
	}
	return shown(w, r.Sheet(), c.Out, "bill.html")
}

// shown prints a sheet, and where its page is, if it was kept.
func shown(w *World, s *reports.Sheet, dir, page string) error {
	err := text.Sheet(w.Stdout, text.For(w.Terminal.Out, w.Terminal.Width, w.Env), s)
	if err == nil && dir != "" {
		_, err = fmt.Fprintf(w.Stdout, "\nReport: %s\n", filepath.Join(dir, page))
	}
	return err
}

// terms are the account's, and the book that they are of.
func (c *termsFlags) terms() (*prices.Book, cost.Terms, error) {
	book, on, err := c.open()
	return book, cost.Terms{On: on, FreeTier: c.FreeTier, Commitment: c.Commitment}, err
}

// options are the products, each with the account's terms.
func (c *termsFlags) options(names ...string) ([]cost.Option, error) {
	book, terms, err := c.terms()
	if err != nil {
		return nil, err
	}
	var options []cost.Option
	var failed error
	for _, name := range names {
		o, err := cost.New(book, name, terms)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("--product: %w", err))
			continue
		}
		options = append(options, o)
	}
	if failed != nil {
		return nil, &failure{code: exitUsage, err: failed, hint: pricesHint}
	}
	return options, nil
}

// attribute shares the only bill out.
func (c *costBillCmd) attribute(priced []cost.Priced, users []cost.User) (*cost.Attribution, error) {
	if len(priced) != 1 {
		return nil, usage("--by: write one --product, whose bill is to be shared out")
	}
	if priced[0].Bill == nil {
		return nil, nil // the reason is printed
	}
	if len(users) == 0 {
		return nil, usage("--by: only a run directory says who used what")
	}
	a, err := cost.Attribute(priced[0].Bill, users, cost.By(c.By), cost.Rules{Idle: cost.Rule(c.IdleRule), Shared: cost.Rule(c.SharedRule)})
	if err != nil {
		return nil, &failure{code: exitUsage, err: err}
	}
	return a, nil
}

const pricesHint = "coldcurve prices lists products, regions and what they cost; --prices FILE adds your own"

// mistaken gives a lookup that failed the exit code of a wrong command line.
func mistaken(err error) error {
	if unknown, ok := errors.AsType[*prices.Unknown](err); ok {
		if unknown.What == "region" {
			err = fmt.Errorf("--region: %w", err)
		}
		return &failure{code: exitUsage, err: err, hint: pricesHint}
	}
	if _, ok := errors.AsType[strict.Faults](err); ok {
		return err
	}
	return &failure{code: exitUsage, err: err}
}

// settings puts what the flags say into a work that a file or the flags began.
func (f *functionFlags) settings(w *cost.Work) {
	w.Region = f.Region
	if strings.HasPrefix(f.Arch, "arm") {
		w.Arch = "arm64"
	}
	if f.Package != "zip" {
		w.Package = cost.Package(f.Package)
	}
	if f.CPUTime.value != nil {
		w.CPU = cost.Constant(*f.CPUTime.value)
	}
	set(&w.Memory, f.Memory.value)
	set(&w.MemoryUsed, f.Used.value)
	set(&w.In, f.In.value)
	set(&w.Storage, f.Storage.value)
	w.MilliCPU = int64(f.VCPU*1000 + .5)
	if f.Async.value > 0 {
		w.Async, w.AsyncPayload = w.Requests, f.Async.value
	}
}

// standing puts in what a curve says otherwise: responses, and what is there all
// month.
func (f *workFlags) standing(w *cost.Work) {
	set(&w.Out, f.Reply.value)
	if f.Ready > 0 {
		w.Provisioned = []cost.Provisioned{{Instances: f.Ready, For: cost.Month, Requests: shareOf(w.Requests, f.Served.value)}}
	}
	if f.Fleet.value != nil {
		fleet := *f.Fleet.value
		fleet.Disk, fleet.Address = f.Disk.value, f.Address
		w.Fleet = &fleet
	}
}

func set[T comparable](to *T, given T) {
	var zero T
	if given != zero {
		*to = given
	}
}

func shareOf(n uint64, share float64) uint64 { return min(n, uint64(float64(n)*share+.5)) }

// flagsWork is the traffic that the flags alone say.
func (f *workFlags) flagsWork() (cost.Work, error) {
	var w cost.Work
	switch {
	case f.Requests.given && f.Rate.given:
		return w, usage("--requests and --rate: write one of them")
	case f.Requests.given:
		w.Requests = uint64(f.Requests.value)
	case f.Rate.given:
		w.Requests = cost.PerMonth(f.Rate.value)
	case f.Fleet.value == nil:
		return w, usage("no traffic: write --requests 3e6, --rate 1.5/s, or a scenario, trace or run directory")
	}
	w.Durations = f.Duration.value
	if w.Durations == nil && w.Requests > 0 && f.Fleet.value == nil {
		return w, usage("no duration: write --duration 120ms")
	}
	if err := f.starts(&w); err != nil {
		return w, err
	}
	f.settings(&w)
	f.standing(&w)
	return w, nil
}

// starts has a share of the requests start an instance.
func (f *functionFlags) starts(w *cost.Work) error {
	if f.Cold.value == 0 {
		return nil
	}
	if f.Init.value == nil {
		return usage("--cold-share without --init: write how long a start takes, --init 300ms")
	}
	w.Cold, w.Init = shareOf(w.Requests, f.Cold.value), cost.Constant(*f.Init.value)
	return nil
}

// costLoad is the traffic to be priced.
type costLoad struct {
	works   []cost.Work
	traffic cost.Traffic
	users   []cost.User
}

func (l *costLoad) pointers() []*cost.Work {
	list := make([]*cost.Work, len(l.works))
	for i := range l.works {
		list[i] = &l.works[i]
	}
	return list
}

// load reads the traffic.
func (c *costBillCmd) load(ctx context.Context) (*costLoad, error) {
	if c.Fleet.value == nil && (c.Disk.given || c.Address) {
		return nil, usage("--disk and --address are of instances: say how many, --instances 2")
	}
	if c.Traffic == "" {
		w, err := c.flagsWork()
		if err != nil {
			return nil, err
		}
		works := []cost.Work{w}
		return &costLoad{works: works, traffic: cost.TrafficOf("flags", works)}, nil
	}
	if c.Requests.given || c.Rate.given {
		return nil, usage("--requests and --rate say what traffic, and so does %s: write one of them", c.Traffic)
	}
	return c.fileLoad(ctx)
}

// month fills the month with traffic of a span, unless it is to be priced once.
func (c *costBillCmd) month(source string, works []cost.Work, span time.Duration, notes []string) (*costLoad, error) {
	if span <= 0 {
		return nil, fmt.Errorf("%s: it lasts no time at all: nothing can be said of a month", source)
	}
	if c.Once {
		return c.priceable(source, works, 0, notes), nil
	}
	return c.priceable(source, cost.InMonth(works, span), span, notes), nil
}

// priceable puts what the flags say into works of a month, which were repeated
// from a span.
func (c *costBillCmd) priceable(source string, works []cost.Work, repeated time.Duration, notes []string) *costLoad {
	for i := range works {
		c.settings(&works[i])
		c.standing(&works[i])
	}
	l := &costLoad{works: works, traffic: cost.TrafficOf(source, works)}
	l.traffic.Repeated = repeated
	l.traffic.Notes = slices.Concat(l.traffic.Notes, notes)
	return l
}
