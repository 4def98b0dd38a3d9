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
	MaxCost money `name:"max-cost" default:"$1" help:"Most that each run on a paid platform may cost, by the price book and if each request takes all of its time."`
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
	var b bound
	book, on, err := c.pricing.open()
	if err == nil {
		s, err = sized(ctx, p, s)
	}
	if err == nil {
		b, err = boundOf(s, c.stay, p.Region(), book, on)
	}
	if err == nil {
		fmt.Fprintf(w.Stderr, "coldcurve: %s: at most %s, and at most %s if each takes all of its time%s; CloudWatch Logs bills what they print, which is not in it\n",
			where, count(b.requests, "invocation"), b.cost, b.doubt)
		err = c.consent.agree(w, b)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
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

// sized is the scenario with what functions that are there may really take.
func sized(ctx context.Context, p *lambdaplatform.Platform, s *scenarios.Scenario) (*scenarios.Scenario, error) {
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
		f.Memory, f.Timeout, f.Storage = size.Memory, size.Timeout, size.Storage
	}
	return &out, nil
}

// bound is the most that a run can come to.
type bound struct {
	requests uint64
	cost     units.Money
	doubt    string // of the cost; "" for none
}

// keptFor is how long what is kept ready may stay beyond the run's own length:
// until it is ready, and until it is removed.
const keptFor = 10 * time.Minute

// stay is how often a platform goes through a scenario, and how long its
// functions are there for that. The zero value is once, as long as that takes.
type stay struct {
	times  uint64
	length time.Duration
}

// boundOf prices a scenario's requests as if each took its function's timeout,
// after an init as long as one may be. Nothing else is sent, and nothing is
// repeated.
func boundOf(s *scenarios.Scenario, there stay, region string, book *prices.Book, on prices.Date) (bound, error) {
	schedule, err := s.Schedule()
	if err != nil {
		return bound{}, err
	}
	option, err := cost.New(book, "aws/lambda", cost.Terms{On: on})
	if err != nil {
		return bound{}, err
	}
	there.times = max(there.times, 1)
	there.length = max(there.length, schedule.Phases[len(schedule.Phases)-1].End)
	asked := make(map[string]uint64)
	for _, id := range schedule.Source {
		asked[schedule.Sources[id].Function] += there.times
	}
	var works []*cost.Work
	for _, f := range s.Functions {
		n := asked[f.Name]
		w := &cost.Work{
			Name: f.Name, Region: region, Arch: s.Platform.Lambda.Architecture, Memory: f.Memory, Storage: f.Storage,
			Requests: n, Durations: cost.Constant(f.Timeout), Cold: n, Init: cost.Constant(lambdaplatform.LambdaLimits().Init),
		}
		if ready := s.Platform.Lambda.Provisioned; ready > 0 {
			w.Provisioned = []cost.Provisioned{{Instances: uint64(ready), For: there.length + keptFor}}
		}
		if s.Platform.Lambda.SnapStart {
			w.Snapshots = cost.Snapshots{Versions: 1 + n, For: keptFor, Restores: n} // a version an eviction
		}
		works = append(works, w)
	}
	b := bound{requests: uint64(len(schedule.Times)) * there.times}
	bill, err := option.Bill(works...)
	if unknown, ok := errors.AsType[*prices.Unknown](err); ok && unknown.What == "region" {
		for _, w := range works {
			w.Region = ""
		}
		if bill, err = option.Bill(works...); err == nil {
			b.doubt = fmt.Sprintf(", by the prices of %s: the price book has none for %s, --prices FILE gives them", bill.Region, region)
		}
	}
	if err != nil {
		return bound{}, fmt.Errorf("what the run may cost: %w", err)
	}
	b.cost = bill.Total
	return b, nil
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
func (c *runCmd) agreeUnpriced(w *World, s *scenarios.Scenario, where, reason string) error {
	schedule, err := s.Schedule()
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Stderr, "coldcurve: %s: at most %s; %s\n", where, count(uint64(len(schedule.Times))*max(c.stay.times, 1), "invocation"), reason)
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
