package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/cost"
	"github.com/coldcurve/coldcurve/analysis/prices"
	"github.com/coldcurve/coldcurve/analysis/units"
	lambdaplatform "github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/scenarios"
)

// consent is what somebody who pays is asked, or has said beforehand.
type consent struct {
	Yes     bool  `help:"Do not ask before something is made that may cost money."`
	MaxCost money `name:"max-cost" default:"$1" help:"Most that all runs on paid platforms may cost together, by the price book and if each request takes all of its time."`

	agreed *agreement // to what is still to be run; nil where each run is asked about by itself
}

// money is a flag in dollars.
type money struct{ units.Money }

// UnmarshalText parses "$1", "$0.05".
func (m *money) UnmarshalText(text []byte) (err error) {
	m.Money, err = units.ParseMoney(string(text))
	return err
}

// openLambda opens platform lambda, once whoever pays has agreed.
func openLambda(ctx context.Context, w *World, s *scenarios.Scenario, c *runCmd) (*lambdaplatform.Platform, error) {
	p, err := lambdaplatform.New(ctx, lambdaOptions(s))
	if err != nil {
		return p, err
	}
	where := p.Beyond(ctx, existing(s))
	if where == "" {
		return p, nil
	}
	b, err := c.boundAt(ctx, w, p, s)
	if err == nil && !c.agreed.covers(b) {
		b.say(w, where)
		err = c.consent.agree(w, b)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}

// boundAt is the most that a scenario can come to on a platform.
func (c *runCmd) boundAt(ctx context.Context, w *World, p *lambdaplatform.Platform, s *scenarios.Scenario) (bound, error) {
	book, on, err := c.pricing.open()
	if err != nil {
		return bound{}, err
	}
	if s, err = sized(ctx, w, p, s); err != nil {
		return bound{}, err
	}
	return boundOf(s, c.stay, p.Region(), book, on)
}

// existing are the functions that are there already.
func existing(s *scenarios.Scenario) (names []string) {
	for _, f := range s.Functions {
		if f.Existing != "" {
			names = append(names, f.Existing)
		}
	}
	return names
}

func lambdaOptions(s *scenarios.Scenario) lambdaplatform.Options {
	p := &s.Platform
	return lambdaplatform.Options{
		Existing: len(existing(s)) == len(s.Functions), Change: p.Lambda.Change,
		Endpoint: p.Lambda.Endpoint, Region: p.Lambda.Region, Profile: p.Lambda.Profile, Role: p.Lambda.Role,
		Architecture: p.Lambda.Architecture, SnapStart: p.Lambda.SnapStart, Provisioned: p.Lambda.Provisioned, Answer: p.Timeout,
	}
}

// sized is the scenario with what functions that are there may really take, or
// the most where that is not to be known, which is said.
func sized(ctx context.Context, w *World, p *lambdaplatform.Platform, s *scenarios.Scenario) (*scenarios.Scenario, error) {
	out := *s
	out.Functions = slices.Clone(s.Functions)
	for i := range out.Functions {
		f := &out.Functions[i]
		if f.Existing == "" {
			continue
		}
		size, err := p.Size(ctx, f.Existing)
		if err != nil {
			return nil, fmt.Errorf("what the run may cost: %w", err)
		}
		if size.Denied != nil {
			fmt.Fprintf(w.Stderr, "coldcurve: %v: counted as the largest that Lambda has, %s, %s and %s of storage\n",
				size.Denied, size.Memory, units.FormatDuration(size.Timeout), size.Storage)
		}
		f.Memory, f.Timeout, f.Storage = size.Memory, size.Timeout, size.Storage
	}
	return &out, nil
}

// bound is the most that a run can come to.
type bound struct {
	requests uint64
	cost     units.Money
	kept     time.Duration // that what costs without requests is counted for; 0 for nothing of the kind
	transfer units.Money   // beside cost, if each answer is as large as one may be
	notes    []string      // on the prices
}

// keptFor is how long what is kept ready may be there beyond the run's own
// length, for each time that a function is deployed, put away between rounds, or
// removed: one waits for the other.
const keptFor = 10 * time.Minute

// stay is how often a platform goes through a scenario, how long its functions
// are there for that, and how many functions other platforms deploy meanwhile.
// The zero value is once, as long as that takes, and none.
type stay struct {
	times  uint64
	length time.Duration
	others int
}

// boundOf prices a scenario's requests as if each took its function's timeout,
// after an init as long as one may be. Nothing else is sent, and nothing is
// repeated.
func boundOf(s *scenarios.Scenario, there stay, region string, book *prices.Book, on prices.Date) (bound, error) {
	schedule, err := s.Schedule()
	if err != nil {
		return bound{}, err
	}
	there.times = max(there.times, 1)
	there.length = max(there.length, schedule.Phases[len(schedule.Phases)-1].End)
	b := bound{requests: uint64(len(schedule.Times)) * there.times}
	var longest time.Duration
	for _, f := range s.Functions {
		longest = max(longest, f.Timeout) // the last request may begin at the run's end
	}
	if s.Platform.Lambda.Provisioned > 0 || s.Platform.Lambda.SnapStart {
		b.kept = there.length + longest + keptFor*time.Duration(len(s.Functions)+there.others)*time.Duration(there.times)
	}
	works, err := worksOf(s, schedule, there.times, b.kept, region, book, on)
	if err != nil {
		return bound{}, err
	}
	bill, err := billOf(book, "aws/lambda", on, works...)
	if err != nil {
		return bound{}, err
	}
	b.cost, b.notes = bill.Total.Shown(), bill.Notes
	answers := &cost.Work{Region: region, Requests: b.requests, Durations: cost.Constant(longest), Out: lambdaplatform.LambdaLimits().Response}
	bill, err = billOf(book, "aws/data-transfer-out", on, answers)
	if err != nil {
		return bound{}, err
	}
	b.transfer = bill.Total.Shown()
	return b, nil
}

// billOf prices works as dear as they may be: where the book has no price of a
// region, by the dearest that it has.
func billOf(book *prices.Book, product string, on prices.Date, works ...*cost.Work) (*cost.Bill, error) {
	option, err := cost.New(book, product, cost.Terms{On: on, Dearest: true})
	if err != nil {
		return nil, err
	}
	bill, err := option.Bill(works...)
	if err != nil {
		return nil, fmt.Errorf("what the run may cost: %w", err)
	}
	return bill, nil
}

// worksOf is what a scenario's functions do at most: each request cold, and what
// is started ahead of requests beside them.
func worksOf(s *scenarios.Scenario, schedule *scenarios.Schedule, times uint64, kept time.Duration, region string, book *prices.Book, on prices.Date) (works []*cost.Work, err error) {
	ahead, err := initAhead(book, on)
	if err != nil {
		return nil, err
	}
	asked, evicted := make(map[string]uint64), make(map[string]uint64)
	for _, id := range schedule.Source {
		source := schedule.Sources[id]
		asked[source.Function] += times
		if source.Evict {
			evicted[source.Function] += times
		}
	}
	for _, f := range s.Functions {
		n := asked[f.Name]
		w := &cost.Work{
			Name: f.Name, Region: region, Arch: s.Platform.Lambda.Architecture, Memory: f.Memory, Storage: f.Storage,
			Requests: n, Durations: cost.Constant(f.Timeout), Cold: n, Init: cost.Constant(lambdaplatform.LambdaLimits().Init),
		}
		works = append(works, w)
		var early uint64 // starts ahead of requests
		if ready := s.Platform.Lambda.Provisioned; ready > 0 {
			early = uint64(ready)
			w.Init = cost.Constant(ahead) // also of a start that they leave over
			w.Provisioned = []cost.Provisioned{{Instances: early, For: kept}}
		}
		if s.Platform.Lambda.SnapStart {
			early = times + evicted[f.Name] // a version at first, between rounds, and an eviction
			w.Snapshots = cost.Snapshots{Versions: early, For: kept, Restores: n}
		}
		if early > 0 {
			works = append(works, &cost.Work{Name: f.Name, Region: region, Arch: w.Arch, Memory: f.Memory, Storage: f.Storage, Requests: early, Durations: cost.Constant(ahead)})
		}
	}
	return works, nil
}

// initAhead is the longest init of what is started ahead of requests.
func initAhead(book *prices.Book, on prices.Date) (time.Duration, error) {
	product, err := book.Product("aws/lambda")
	if err != nil {
		return 0, err
	}
	fact, err := product.Fact("init_ahead_max", on)
	return fact.Duration, err
}

// say states a bound, and what is not in it.
func (b *bound) say(w *World, where string) {
	fmt.Fprintf(w.Stderr, "coldcurve: %s: at most %s, and at most %s if each takes all of its time; not in it are what CloudWatch Logs bills for what they print, and data transfer out, which is %s if each answers %s\n",
		where, count(b.requests, "invocation"), b.cost, b.transfer, lambdaplatform.LambdaLimits().Response)
	if b.kept > 0 {
		fmt.Fprintf(w.Stderr, "coldcurve: what is kept ready is counted for %s; should the run be killed, it costs on until `coldcurve cleanup`\n", units.FormatDuration(b.kept))
	}
	for _, note := range b.notes {
		fmt.Fprintf(w.Stderr, "coldcurve: %s --prices FILE gives others.\n", note)
	}
}

// agree refuses what costs more than it may, and asks about the rest.
func (c *consent) agree(w *World, b bound) error {
	if b.cost > c.MaxCost.Money {
		return hinted(fmt.Errorf("the run may cost %s, and --max-cost is %s", b.cost, c.MaxCost.Money),
			"lower the functions' timeouts or --scale, or allow it: --max-cost '"+b.cost.String()+"'")
	}
	return c.ask(w, "Go on?")
}

// agreeUnpriced asks about what a run sends somewhere whose bill nobody here can
// foresee, for the reason that is given.
func (c *runCmd) agreeUnpriced(w *World, s *scenarios.Scenario, where, reason string) (err error) {
	schedule, err := s.Schedule()
	if err != nil {
		return err
	}
	runs := ""
	if a := c.agreed; a != nil && a.runs > 1 {
		if a.unpriced[where] {
			return nil
		}
		runs = fmt.Sprintf(" a run, in at most %d runs", a.runs)
		defer func() { a.unpriced[where] = err == nil }()
	}
	fmt.Fprintf(w.Stderr, "coldcurve: %s: at most %s%s; %s\n", where, count(uint64(len(schedule.Times))*max(c.stay.times, 1), "invocation"), runs, reason)
	return c.consent.ask(w, "Go on?")
}

// ask wants a yes, unless that was said beforehand.
func (c *consent) ask(w *World, question string) error {
	if c.Yes {
		return nil
	}
	if !w.Terminal.In {
		return hinted(errors.New("nobody is there to be asked: standard input is no terminal"), "add --yes")
	}
	fmt.Fprintf(w.Stderr, "coldcurve: %s [y/N] ", question)
	answer, err := bufio.NewReader(w.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("not agreed to; nothing was started")
}
