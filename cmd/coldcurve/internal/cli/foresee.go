package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/analysis/comparison"
	"github.com/coldcurve/coldcurve/analysis/units"
	lambdaplatform "github.com/coldcurve/coldcurve/platform/lambda"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/pairs"
)

// agreement is what was agreed to before the first of several runs, less what
// runs since have taken of it.
type agreement struct {
	money    units.Money
	runs     int             // on each platform, at most
	unpriced map[string]bool // where somebody has agreed to what nobody can price
}

// covers takes a run's bound out of the agreement, if that is enough for it.
func (a *agreement) covers(b bound) bool {
	if a == nil || a.money < b.cost {
		return false
	}
	a.money -= b.cost
	return true
}

// ahead is runs that are going to be made on one platform.
type ahead struct {
	command *runCmd
	runs    []*scenarios.Scenario
}

// foresee asks once about everything that a command is going to make on paid
// platforms, before the first of it. A platform whose bound cannot be told now
// says why when it is opened, and is asked about then.
func (c *consent) foresee(ctx context.Context, w *World, all []ahead) error {
	c.agreed = &agreement{runs: 1, unpriced: make(map[string]bool)}
	var paid []ahead
	n := 0
	for _, a := range all {
		c.agreed.runs = max(c.agreed.runs, len(a.runs))
		if a.runs[0].Platform.Name == "lambda" {
			paid, n = append(paid, a), n+len(a.runs)
		}
	}
	if n < 2 {
		return nil // which is asked about where it is opened
	}
	var total bound
	var places []string
	n = 0
	for _, a := range paid {
		where, b, err := a.bound(ctx, w)
		if err != nil || where == "" {
			continue
		}
		total.add(b)
		if n += len(a.runs); !slices.Contains(places, where) {
			places = append(places, where)
		}
	}
	if n < 2 {
		return nil
	}
	total.say(w, strings.Join(places, ", ")+", "+count(uint64(n), "run")+" in all")
	if err := c.agree(w, total); err != nil {
		return err
	}
	c.agreed.money = total.cost
	return nil
}

// bound is the most that the runs can come to together, and where; "" where
// nobody is asked.
func (a *ahead) bound(ctx context.Context, w *World) (where string, total bound, err error) {
	p, err := lambdaplatform.New(ctx, lambdaOptions(a.runs[0]))
	if err != nil {
		return "", bound{}, err
	}
	defer p.Close(ctx)
	if where = p.Beyond(ctx, existing(a.runs[0])); where == "" {
		return "", bound{}, nil
	}
	for _, s := range a.runs {
		b, err := a.command.boundAt(ctx, w, p, s)
		if err != nil {
			return "", bound{}, err
		}
		total.add(b)
	}
	return where, total, nil
}

func (b *bound) add(other bound) {
	b.requests, b.cost, b.transfer = b.requests+other.requests, b.cost+other.cost, b.transfer+other.transfer
	b.kept = max(b.kept, other.kept)
	for _, note := range other.notes {
		if !slices.Contains(b.notes, note) {
			b.notes = append(b.notes, note)
		}
	}
}

// ahead is what a run is going to make.
func (c *runCmd) ahead(tasks []task) []ahead {
	var all []ahead
	for _, t := range tasks {
		for _, p := range t {
			command := *c
			if len(t) > 1 {
				command.stay = t.stay(p, c.rounds())
			}
			all = append(all, ahead{&command, []*scenarios.Scenario{p.Scenario}})
		}
	}
	return all
}

// foresee asks about the pairs that are still to be made, from a number on.
func (t *contest) foresee(ctx context.Context, seed uint64, from int) error {
	var all []ahead
	for _, side := range []*pairs.Side{&t.base, &t.head} {
		a := ahead{command: &runCmd{overrideFlags: t.command.overrideFlags}}
		for n := from; n <= comparison.MostPairs(t.looks); n++ {
			s, err := side.Parse(new(seed + uint64(n-1)))
			if err != nil {
				return err
			}
			if a.runs = append(a.runs, s); s.Platform.Name == "reference" {
				break // where nothing costs
			}
		}
		if len(a.runs) > 0 {
			all = append(all, a)
		}
	}
	return t.command.consent.foresee(ctx, t.w, all)
}
