package scenarios

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// Parse reads a scenario from text. The name is the file's: it stands in
// faults, and what the scenario refers to is looked for beside it. An error is
// a [Faults] with all that is wrong with text and overrides.
func Parse(name string, text []byte, o Overrides) (*Scenario, error) {
	return parse(&reader{file: name, dir: filepath.Dir(name), overrides: o}, text)
}

// reader reads one file. The scenario grows in the order of the tables, so
// that what stands later can be checked against what stands earlier.
type reader struct {
	file      string
	dir       string // what relative paths in the file start from
	overrides Overrides
	title     string // of the listed platform that the overrides name; "" for none
	faults    Faults
	scenario  Scenario
	declared  []declared       // functions as the file has them, one for each of the scenario's
	policy    lifecycle.Policy // the platform's before the file's keys
	profile   Profile          // of the platform; zero for none
	lacks     []lack           // of the environment, for the platform that was read last
}

func parse(r *reader, text []byte) (*Scenario, error) {
	root, ok := strict.Parse(text, r.faults.Collect(r.file))
	if ok {
		r.resolve(root)
	}
	r.faults = append(r.overrides.check(), r.faults...)
	s := &r.scenario
	*s = Scenario{
		Seed:     1,
		Platform: defaultPlatform(r.overrides.platform(referencePlatform)),
		InFlight: InFlight{Max: 10_000, When: "drop"},
		Source:   r.file,
		Text:     text,
	}
	if !ok {
		return nil, r.faults.Err()
	}
	m, ok := root.Map("the scenario")
	if !ok {
		return nil, r.faults.Err()
	}
	scenarioFields().Into(s, r, m, "the scenario", "")
	r.faults = append(r.faults, r.overrides.misplaced(s.Platform.Name)...)
	r.assign()
	r.replaceCode()
	r.replaceExisting()
	r.checkChange()
	if s.Platform.Name == referencePlatform {
		r.uploads()
		r.expand(m)
	}
	r.overrides.apply(s)
	s.spare()
	s.noteProfile(r.profile)
	s.noteCuts()
	r.completePlatform(m)
	r.checkHeaders()
	r.completeFunctions(m)
	r.checkSize(m)
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	if strike(root) {
		s.Text = root.Encode()
	}
	return s, nil
}

func scenarioFields() fields[Scenario] {
	return fields[Scenario]{
		key("name", names(), func(s *Scenario) *string { return &s.Name },
			"what the scenario is called in results").Must(),
		key("description", texts(), func(s *Scenario) *string { return &s.Description },
			"the question that the scenario answers"),
		key("seed", seeds(), func(s *Scenario) *uint64 { return &s.Seed },
			"of every random choice; the same seed draws up the same schedule").Defaults(1),
		key("platform", platforms(), func(s *Scenario) *Platform { return &s.Platform },
			"what runs the functions: a name, or a mapping of name and options; of a list, each in turn").Defaults(referencePlatform),
		key("functions", functions(), func(s *Scenario) *[]Function { return &s.Functions },
			"what is called; may be left out on platform http"),
		key("phases", phases(), func(s *Scenario) *[]Phase { return &s.Phases },
			"the traffic: stretches of time, one after the other").Must(),
		key("expect", expectations(), func(s *Scenario) *[]budget.Budget { return &s.Expect },
			"budgets: what the figures must keep, or the run ends with exit code 3"),
		key("max_in_flight", counts(1, 1_000_000), func(s *Scenario) *int { return &s.InFlight.Max },
			"most requests under way at once").Defaults(10_000),
		key("faults", faults(), func(s *Scenario) *[]platform.Fault { return &s.Faults },
			"what goes wrong on purpose, on platform reference"),
		key("when_full", words("when_full", []string{"drop", "wait"}), func(s *Scenario) *string { return &s.InFlight.When },
			"what becomes of an arrival at max_in_flight: it is dropped and counted, or waits").Defaults("drop"),
	}
}

// completePlatform sees to it that platform http has a URL.
func (r *reader) completePlatform(m strict.Map) {
	s := &r.scenario
	if s.Platform.Name != httpPlatform || s.Platform.URL != "" || r.overrides.badURL {
		return
	}
	if r.overrides.Platform == httpPlatform {
		r.faults = append(r.faults, Fault{File: "--platform", Problem: "platform http has no url", Instead: "add --url, for example --url http://127.0.0.1:8080/"})
		return
	}
	const instead = "add platform: {name: http, url: http://127.0.0.1:8080/}, or --url"
	switch v := m.Get("platform"); {
	case !v.Given():
		m.Fault("platform http has no url", instead)
	case !v.IsMap() || !v.Has("url"): // a bad one has been reported
		v.Fault("platform http has no url", instead)
	}
}

// target is the function of a scenario that names none, on platform http.
const target = "target"

// standIn names the function that platform http calls where the file has none.
func (r *reader) standIn() {
	if s := &r.scenario; s.Platform.Name == httpPlatform && len(s.Functions) == 0 {
		s.Functions = []Function{{Name: target}}
	}
}

// completeFunctions sees to it that there is a function, and that platform
// http is not thought to deploy any.
func (r *reader) completeFunctions(m strict.Map) {
	s := &r.scenario
	if s.Platform.Name != httpPlatform {
		if !m.Get("functions").Given() {
			m.Fault("the scenario has no functions", "add functions: [{name: hello, fixture: hello}], or use platform http")
		}
		r.checkRuntimes(m)
		switch s.Platform.Name {
		case serverPlatform:
			r.completeServers(m)
		case workersPlatform, openwhiskPlatform:
			r.checkReserved(m)
		case lambdaPlatform:
			r.checkWhole(m)
		}
		return
	}
	var left []string
	for i, f := range s.Functions {
		if f.Fixture != "" || f.Code != "" {
			left = append(left, f.Name)
		}
		s.Functions[i] = Function{Name: f.Name, Payload: f.Payload}
	}
	if len(left) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf(
			"platform http deploys nothing: of %s only name and payload were used", commas(left)))
	}
}

// runtimesOf are the runtimes that a platform runs, where those are not all.
func runtimesOf(name string) []platform.Runtime {
	switch name {
	case serverPlatform:
		return []platform.Runtime{platform.Go, platform.NodeJS, platform.Python}
	case workersPlatform:
		return []platform.Runtime{platform.NodeJS}
	case openwhiskPlatform:
		return []platform.Runtime{platform.NodeJS, platform.Python}
	}
	return nil
}

// checkRuntimes sees to it that the platform runs the functions' languages.
func (r *reader) checkRuntimes(m strict.Map) {
	s := &r.scenario
	able := runtimesOf(s.Platform.Name)
	if able == nil {
		return
	}
	items, _ := m.Get("functions").List("functions")
	for i, f := range s.Functions {
		if i >= len(items) || slices.Contains(able, f.Runtime) {
			continue
		}
		instead := "write runtime: " + oneOf(able)
		if f.Fixture != "" {
			instead += ", or add --runtime " + string(able[0])
		}
		items[i].Fault(fmt.Sprintf("runtime %s on platform %s", f.Runtime, s.Platform.Name), instead+", or use platform reference")
	}
}

// oneOf is "go, nodejs or python".
func oneOf(list []platform.Runtime) string {
	var names []string
	for _, r := range list {
		names = append(names, string(r))
	}
	if last := len(names) - 1; last > 0 {
		return commas(names[:last]) + " or " + names[last]
	}
	return names[0]
}

// checkReserved sees to it that no limit is given to who keeps none: traffic
// that was meant to be refused would be served.
func (r *reader) checkReserved(m strict.Map) {
	items, _ := m.Get("functions").List("functions")
	for i, f := range r.scenario.Functions {
		if f.Reserved > 0 && i < len(items) {
			items[i].Fault(fmt.Sprintf("reserved %d on platform %s, which limits none of a function's concurrency", f.Reserved, r.scenario.Platform.Name), "leave reserved out, or use platform reference")
		}
	}
}

// checkWhole finds what Lambda has only in whole seconds and MB, before anybody is
// asked about its cost.
func (r *reader) checkWhole(m strict.Map) {
	items, _ := m.Get("functions").List("functions")
	for i, f := range r.scenario.Functions {
		if i >= len(items) || f.Existing != "" {
			continue
		}
		if over := f.Timeout % time.Second; over != 0 {
			items[i].Fault(fmt.Sprintf("timeout %v on platform lambda, whose are whole seconds", f.Timeout), fmt.Sprintf("write timeout: %v", f.Timeout-over+time.Second))
		}
		if f.Memory%units.MB != 0 || f.Storage%units.MB != 0 {
			items[i].Fault("memory or storage on platform lambda, whose are whole MB", "write for example 512MB")
		}
	}
}

// completeServers sees to it that functions can be servers, and that nobody
// takes what only instances have for something that servers do.
func (r *reader) completeServers(m strict.Map) {
	s := &r.scenario
	items, _ := m.Get("functions").List("functions")
	var left []string
	for i, f := range s.Functions {
		if i < len(items) && f.Runtime == platform.Go && f.Code != "" {
			items[i].Fault("code in go on platform server: a bootstrap wants a Runtime API", "give a fixture, run your server yourself and use platform http, or use platform reference")
		}
		if i < len(r.declared) && (r.declared[i].sandboxes != nil || r.declared[i].starts != nil || f.Reserved > 0) {
			left = append(left, f.Name)
		}
	}
	if len(left) > 0 || r.overrides.Platform == serverPlatform {
		s.Notes = append(s.Notes, "platform server starts one server a function before the traffic: sandbox, start, reserved and keep-alive have no meaning there")
	}
}

// checkSize refuses schedules that nobody can mean.
func (r *reader) checkSize(m strict.Map) {
	total := time.Duration(0)
	for _, p := range r.scenario.Phases {
		total = min(total+p.Duration, longest+1)
	}
	if total > longest {
		m.Get("phases").Fault("the phases last longer than "+units.FormatDuration(longest), "shorten them, or use --time-scale")
		return
	}
	if err := r.scenario.checkSize(); err != nil {
		m.Get("phases").Fault(err.Error(), "lower rates or durations, or use --scale")
	}
}

// path is where a file that the scenario names is.
func (r *reader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, name)
}

// from says where paths in the file start from.
func (r *reader) from() string {
	if r.dir == "." {
		return "write a path from the scenario's folder"
	}
	return "write a path from the scenario's folder, " + r.dir
}

// commas is names for a message.
func commas(names []string) string { return strings.Join(names, ", ") }

func runtimeNames() []string {
	return []string{string(platform.Go), string(platform.NodeJS), string(platform.Python), string(platform.Wasm), string(platform.Image)}
}
