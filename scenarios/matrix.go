package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
)

// choices are one of a few words, or a list of them.
func choices(what string, allowed []string) form[[]string] {
	return several(what, words(what, allowed))
}

// several are one of a form, or a list of different ones.
func several[T comparable](what string, one form[T]) form[[]T] {
	list := strict.ListSchema(one.Schema)
	list["uniqueItems"] = true
	return form[[]T]{
		Example: one.Example,
		Schema:  schema{"anyOf": []schema{one.Schema, list}},
		Read: func(r *reader, v strict.Value) ([]T, bool) {
			items := []strict.Value{v}
			if v.IsList() {
				items, _ = v.List(what)
			}
			var list []T
			for _, item := range items {
				x, ok := one.Read(r, item)
				switch {
				case !ok:
					return nil, false
				case slices.Contains(list, x):
					item.Fault(fmt.Sprintf("a second %v", x), "leave it out")
					return nil, false
				}
				list = append(list, x)
			}
			if len(list) == 0 {
				v.Fault("an empty list", "write at least one "+what+", or leave the key out")
			}
			return list, len(list) > 0
		},
	}
}

// tier is one way to run a function.
type tier struct{ sandbox, start string }

// tiers are the ways that are asked for and can be, the function's own before
// the platform's.
func (r *reader) tiers(f *declared) (list []tier, left []string) {
	sandboxes, starts := r.overrides.Sandboxes, r.overrides.Starts
	if sandboxes == nil {
		sandboxes = f.sandboxes
	}
	if starts == nil {
		starts = f.starts
	}
	if sandboxes == nil {
		sandboxes = []string{usual(r.scenario.Platform.Sandbox, f.Runtime)}
	}
	if starts == nil {
		starts = []string{r.scenario.Platform.Start}
	}
	for _, sandbox := range sandboxes {
		for _, start := range starts {
			problem := impossible(f.Runtime, sandbox, start)
			if problem == "" && r.scenario.Platform.Policy.Pause {
				problem = impossible(f.Runtime, sandbox, "pause")
			}
			if problem != "" {
				left = append(left, fmt.Sprintf("%s in %s, %s: %s", f.Name, sandbox, start, problem))
				continue
			}
			list = append(list, tier{sandbox, start})
		}
	}
	return list, left
}

// usual is the sandbox of a runtime that has only one.
func usual(sandbox string, runtime platform.Runtime) string {
	switch runtime {
	case platform.Wasm:
		return "wasm"
	case platform.Image:
		return "container"
	}
	return sandbox
}

// impossible says why a runtime cannot be run in a way, "" for nothing. What
// the sandboxes can is their optional interfaces' to say (package sandbox); a
// test holds this against them.
func impossible(runtime platform.Runtime, sandbox, start string) string {
	own := usual("", runtime)
	switch {
	case own != "" && sandbox != own:
		return fmt.Sprintf("runtime %s needs sandbox %s", runtime, own)
	case own == "" && sandbox == "wasm":
		return fmt.Sprintf("sandbox wasm cannot run runtime %s", runtime)
	case start == "pool" && !slices.Contains(pooled(), runtime):
		return fmt.Sprintf("runtime %s cannot be booted before it is known for what", runtime)
	case start == "zygote" && runtime != platform.Python:
		return fmt.Sprintf("runtime %s cannot fork", runtime)
	case (start == "pool" || start == "zygote") && sandbox != "process":
		return "sandbox " + sandbox + " has no start " + start
	case start == "pause" && sandbox == "wasm":
		return "an idle module takes no processor time, so there is nothing to pause"
	}
	return ""
}

// uploads gives the functions that are called by files only, and name no
// payload, a file of their fixture's own.
func (r *reader) uploads() {
	s := &r.scenario
	for i := range s.Functions {
		f, direct, files := &s.Functions[i], false, false
		for a := range s.arrivals() {
			if a.Function == f.Name {
				direct, files = direct || a.Trigger != sample.Folder, files || a.Trigger == sample.Folder
			}
		}
		p := f.Payload
		if files && !direct && p.JSON == nil && p.Size == 0 && p.File == "" && f.Fixture != "" {
			f.Payload.Data = fixtures.Upload(f.Fixture)
		}
	}
}

// expand replaces each function by one for each of its tiers, and sends each of
// them the arrivals, with its own random stream; idle probes take turns. Budgets and faults that name
// the function hold for each.
func (r *reader) expand(m strict.Map) {
	s := &r.scenario
	copies := make(map[string][]string)
	var list []Function
	for i, f := range s.Functions {
		tiers, left := r.tiers(&r.declared[i])
		for _, l := range left {
			if len(tiers) == 0 {
				m.Get("functions").Fault(l, "choose another sandbox or start for it")
			} else {
				s.Notes = append(s.Notes, "left out: "+l)
			}
		}
		for _, t := range tiers {
			c := f
			c.Sandbox, c.Start = t.sandbox, t.start
			if len(tiers) > 1 {
				c.Of, c.Name = f.Name, tierName(f.Name, t, tiers)
			}
			copies[f.Name] = append(copies[f.Name], c.Name)
			list = append(list, c)
		}
	}
	several := len(list) > len(s.Functions)
	s.Functions = list
	for i := range s.Phases {
		p := &s.Phases[i]
		p.Arrivals = each(p.Arrivals, copies, func(a *Arrivals) *string { return &a.Function })
		if several {
			takeTurns(p.Arrivals)
		}
	}
	s.Expect = each(s.Expect, copies, func(e *budget.Budget) *string { return &e.Function })
	s.Faults = each(s.Faults, copies, func(f *platform.Fault) *string { return &f.Function })
}

// takeTurns spreads idle probes with the same gap over it. Together they would
// start together, and measure each other: eight at once on two cores took a Go
// function 95 ms in place of 5.
func takeTurns(list []Arrivals) {
	together := make(map[time.Duration][]*Arrivals)
	for i := range list {
		if a := &list[i]; a.Process == gap && a.At == 0 {
			together[a.Gap] = append(together[a.Gap], a)
		}
	}
	for every, probes := range together {
		for i, a := range probes {
			a.At = every * time.Duration(i) / time.Duration(len(probes))
		}
	}
}

// tierName is a function's name with what tells the tier from the others.
func tierName(name string, t tier, among []tier) string {
	same := func(of func(tier) string) bool {
		return !slices.ContainsFunc(among, func(o tier) bool { return of(o) != of(t) })
	}
	if !same(func(t tier) string { return t.sandbox }) {
		name += "-" + t.sandbox
	}
	if !same(func(t tier) string { return t.start }) {
		name += "-" + t.start
	}
	return name
}

// each repeats what names a function for each of its copies; what names none,
// or one that is not there, stays.
func each[T any](list []T, copies map[string][]string, name func(*T) *string) []T {
	if len(list) == 0 {
		return list
	}
	var out []T
	for _, item := range list {
		names, known := copies[*name(&item)]
		if !known {
			out = append(out, item)
			continue
		}
		for _, n := range names {
			c := item
			*name(&c) = n
			out = append(out, c)
		}
	}
	return out
}
