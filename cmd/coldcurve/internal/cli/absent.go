package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/scenarios"
	"github.com/coldcurve/coldcurve/scenarios/drive"
)

// absence is a function of the scenario that cannot be run on this machine. The
// others are, and the result says which was not and why.
type absence struct {
	function string
	why      error
}

// cast are a scenario's functions: those that can be run, and the others.
type cast struct {
	present []platform.Function
	absent  []absence
}

// castOf builds what can be run of a scenario. It is an error if that is
// nothing, or if what stands in the way is not this machine.
func castOf(ctx context.Context, w *World, s *scenarios.Scenario, cache string) (*cast, error) {
	c := &cast{}
	lacking := lackingSandboxes(ctx, s)
	for _, f := range s.Functions {
		err := lacking[f.Sandbox]
		if err == nil {
			var built platform.Function
			if built, err = buildFunction(ctx, w, s, &f, cache); err == nil {
				c.present = append(c.present, built)
				continue
			}
			if _, missing := errors.AsType[*fixtures.MissingError](err); !missing {
				return nil, advised(err)
			}
		}
		c.absent = append(c.absent, absence{f.Name, err})
	}
	return c, c.empty()
}

// lackingSandboxes are those of a scenario's sandboxes that this machine does
// not have, with the reasons.
func lackingSandboxes(ctx context.Context, s *scenarios.Scenario) map[string]error {
	lacking := make(map[string]error)
	if s.Platform.Name != "reference" {
		return lacking
	}
	for _, f := range s.Functions {
		if _, known := lacking[f.Sandbox]; !known {
			lacking[f.Sandbox] = reference.Available(ctx, f.Sandbox)
		}
	}
	return lacking
}

// empty is the error of a cast in which nobody is left.
func (c *cast) empty() error {
	if len(c.present) > 0 {
		return nil
	}
	var errs []error
	for _, a := range c.absent {
		if !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == a.why.Error() }) {
			errs = append(errs, a.why)
		}
	}
	err := advised(errors.Join(errs...))
	if _, hinted := errors.AsType[*failure](err); !hinted {
		return &failure{code: exitFailure, err: err, hint: "coldcurve doctor lists what can run here"}
	}
	return err
}

// spare says whether a function that could not be deployed is one of several
// ways to run the same, of which another one is there: then only it is left out.
func (c *cast) spare(name string, s *scenarios.Scenario) bool {
	i := slices.IndexFunc(s.Functions, func(f scenarios.Function) bool { return f.Name == name })
	of := s.Functions[i].Of
	return of != "" && slices.ContainsFunc(s.Functions, func(f scenarios.Function) bool {
		return f.Of == of && f.Name != name &&
			slices.ContainsFunc(c.present, func(p platform.Function) bool { return p.Name == f.Name })
	})
}

// leave takes a function out.
func (c *cast) leave(name string, why error) {
	c.present = slices.DeleteFunc(c.present, func(f platform.Function) bool { return f.Name == name })
	c.absent = append(c.absent, absence{name, why})
}

// notes say who is left out, a line a reason.
func (c *cast) notes() []string {
	var notes []string
	for i, a := range c.absent {
		same := func(o absence) bool { return o.why.Error() == a.why.Error() }
		if slices.ContainsFunc(c.absent[:i], same) {
			continue
		}
		var names []string
		for _, o := range c.absent[i:] {
			if same(o) {
				names = append(names, o.function)
			}
		}
		notes = append(notes, fmt.Sprintf("left out: %s: %s", strings.Join(names, ", "), drive.OneLine(a.why.Error())))
	}
	return notes
}

// without is the plan with whoever is absent left out, and noted; the others'
// requests come as they would have.
func (p *plan) without(c *cast, stderr io.Writer) (*plan, error) {
	if len(c.absent) == 0 {
		return p, nil
	}
	var names []string
	for _, a := range c.absent {
		names = append(names, a.function)
	}
	for _, note := range c.notes() {
		fmt.Fprintf(stderr, "coldcurve: %s\n", note)
	}
	s := *p.Scenario
	s.Functions = slices.DeleteFunc(slices.Clone(s.Functions), func(f scenarios.Function) bool { return slices.Contains(names, f.Name) })
	s.Notes = slices.Concat(s.Notes, c.notes())
	left := &plan{&s, p.schedule.Without(names...)}
	if len(left.schedule.Times) == 0 {
		return nil, fmt.Errorf("nobody is left to send requests to")
	}
	return left, nil
}
