package scenarios

import (
	"fmt"
	"maps"
	"slices"

	"github.com/coldcurve/coldcurve/analysis/strict"
)

// exists says whether a function is there already, so that nothing of it is to
// be deployed. Elsewhere than on the platform that has it the name means nothing.
func (r *reader) exists(f *Function) bool {
	if r.scenario.Platform.Name != lambdaPlatform {
		f.Existing = ""
	}
	return f.Existing != "" || covers(r.overrides.Existing, f.Name)
}

// covers says whether an override by function is, or may be, about this one.
func covers(byFunction map[string]string, name string) bool {
	_, own := byFunction[name]
	_, only := byFunction[""]
	return own || only
}

// replaceExisting names functions as the command line does.
func (r *reader) replaceExisting() {
	for _, name := range slices.Sorted(maps.Keys(r.overrides.Existing)) {
		if i, ok := r.whose("--existing", name, r.overrides.Existing[name]); ok {
			r.scenario.Functions[i].Existing = r.overrides.Existing[name]
		}
	}
}

// checkChange finds leave to change functions of which none is there already: who
// gives it means one that was not named.
func (r *reader) checkChange() {
	there := slices.ContainsFunc(r.scenario.Functions, func(f Function) bool { return f.Existing != "" })
	if r.overrides.Change && r.scenario.Platform.Name == lambdaPlatform && !there {
		r.faults = append(r.faults, Fault{File: "--change-existing", Problem: "no function of the scenario is there already", Instead: "add --existing NAME, or leave it out"})
	}
}

// whose is the index of the function that something of the command line is for.
func (r *reader) whose(from, name, what string) (int, bool) {
	if i := r.named(name); i >= 0 {
		return i, true
	}
	var known []string
	for _, f := range r.scenario.Functions {
		known = append(known, f.Name)
	}
	problem, instead := "unknown function "+strict.Quote(name), strict.Instead(name, known)
	if name == "" {
		problem, instead = fmt.Sprintf("the scenario has %d functions", len(known)), "say which one is meant: "+known[0]+"="+what
	}
	r.faults = append(r.faults, Fault{File: from, Problem: problem, Instead: instead})
	return -1, false
}

// spare keeps functions that are there from being put away, unless that was
// asked for: it takes a change of theirs.
func (s *Scenario) spare() {
	if s.Platform.Name != lambdaPlatform || s.Platform.Lambda.Change {
		return
	}
	var spared []string
	for a := range s.arrivals() {
		there := slices.ContainsFunc(s.Functions, func(f Function) bool { return f.Name == a.Function && f.Existing != "" })
		if there && slices.Contains(a.Evict, lambdaPlatform) {
			a.Evict = slices.DeleteFunc(slices.Clone(a.Evict), func(p string) bool { return p == lambdaPlatform })
			spared = append(spared, a.Function)
		}
	}
	slices.Sort(spared)
	if spared = slices.Compact(spared); len(spared) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s: there already, and not to be changed: no start is made cold (--change-existing does that)", commas(spared)))
	}
}
