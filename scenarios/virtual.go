package scenarios

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/scenarios/arrival"
)

// What a simulation takes of a scenario: the policy and the arrivals, without
// anything that is deployed.

// Setting is a key of a policy that is not given in a file.
type Setting struct {
	From  string // what gave it, for faults: "--keep-alive"
	Key   string // as in a file: keep_alive
	Value string // as in a file: 10m
}

// idleKeys are keys of the platform that nothing reads where no code runs.
func idleKeys() []string { return []string{"async_retries", "async_waits", "pool", "bases"} }

// virtualFields are the keys of a policy by itself: those of a scenario's
// platform that decide about instances, and where the others are from.
func virtualFields() fields[Platform] {
	profile, _ := platformFields().Find("profile")
	fs := fields[Platform]{profile}
	for _, f := range policyFields() {
		if !slices.Contains(idleKeys(), f.Name) {
			fs = append(fs, f)
		}
	}
	return fs
}

// PolicyKeys are the keys of a policy by itself, each with what it means.
func PolicyKeys() [][2]string {
	var keys [][2]string
	for _, f := range virtualFields() {
		keys = append(keys, [2]string{f.Name, f.Doc})
	}
	return keys
}

// ParsePolicy reads a policy by itself: a mapping of keys as a scenario's
// platform reference has them (text may be nil), and settings that come before
// the keys of the text. An error is a [Faults].
func ParsePolicy(name string, text []byte, settings ...Setting) (Platform, error) {
	r := &reader{file: name}
	if len(text) == 0 {
		text = []byte("{}")
	}
	root, ok := strict.Parse(text, r.faults.Collect(name))
	m, isMap := root.Map("the policy")
	if !ok || !isMap {
		return Platform{}, r.faults.Err()
	}
	p := r.virtual(defaultPlatform(referencePlatform), m, settings)
	return p, r.faults.Err()
}

// With is a platform whose policy has some keys replaced. An error is a [Faults].
func (p Platform) With(settings ...Setting) (Platform, error) {
	r := &reader{file: "the policy"}
	p = r.virtual(p, strict.Map{}, settings)
	return p, r.faults.Err()
}

// virtual changes a platform by the keys of a mapping and by settings.
func (r *reader) virtual(p Platform, m strict.Map, settings []Setting) Platform {
	given := r.settings(settings)
	if profile := r.profileOf(m, given); profile != "" {
		r.profile = mustProfile(profile)
		p = r.profile.Platform
	}
	fs := virtualFields()
	for key := range m.All() {
		if _, known := fs.Find(key.Name()); !known {
			key.Unknown("the policy", fs.Names(referencePlatform))
		}
	}
	for _, f := range fs { // in the table's order, on which some keys rely
		v, replaced := given[f.Name]
		if !replaced {
			v = m.Get(f.Name)
		}
		if v.Given() {
			r.policy = p.Policy
			f.Read(r, v, &p)
		}
	}
	r.checkTogether(func(key string) bool { return m.Get(key).Given() || given[key].Given() }, &p, func(problem, instead string) {
		r.faults = append(r.faults, Fault{File: r.file, Problem: problem, Instead: instead})
	})
	return p
}

// settings reads the values that stand in no file.
func (r *reader) settings(settings []Setting) map[string]strict.Value {
	fs := virtualFields()
	given := make(map[string]strict.Value)
	for _, s := range settings {
		report := func(_ strict.Position, problem, instead string) {
			r.faults = append(r.faults, Fault{File: s.From, Problem: problem, Instead: instead})
		}
		if _, known := fs.Find(s.Key); !known {
			report(strict.Position{}, "unknown key "+strict.Quote(s.Key)+" of a policy", strict.Instead(s.Key, fs.Names(referencePlatform)))
			continue
		}
		if strings.TrimSpace(s.Value) == "" {
			report(strict.Position{}, "no value", "write one, for example 10m")
			continue
		}
		if v, ok := strict.Parse([]byte(s.Value), report); ok {
			given[s.Key] = v
		}
	}
	return given
}

// profileOf is the profile that a policy names, "" for none that is known;
// reading the key reports what is wrong with it.
func (r *reader) profileOf(m strict.Map, given map[string]strict.Value) string {
	v, ok := given["profile"]
	if !ok {
		v = m.Get("profile")
	}
	if name, ok := v.Plain(); ok && slices.Contains(fixtures.ProfileNames(), name) {
		return name
	}
	return ""
}

// checkTogether reports what keys say together that no policy can be.
func (r *reader) checkTogether(given func(key string) bool, p *Platform, fault func(problem, instead string)) {
	sound := len(r.faults) == 0
	if given("start_rate") != given("start_burst") && (p.Policy.StartEvery == 0 || p.Policy.StartBurst == 0) {
		fault("one of start_rate and start_burst without the other", "write both, or none for unbounded starts")
	}
	if p.Policy.QueueTimeout > 0 && p.Policy.QueueLimit == 0 {
		fault("queue_timeout without a queue", "add queue: 100, or leave it out")
	}
	if err := p.Policy.Validate(); err != nil && sound && len(r.faults) == 0 {
		for _, problem := range strings.Split(err.Error(), "\n") {
			fault(strings.TrimPrefix(problem, "lifecycle policy: "), "change the keys that it names")
		}
	}
}

// Stretch is the arrivals of one entry of a phase.
type Stretch struct {
	Start, Duration time.Duration
	Process         arrival.Process
	Random          func() *rand.Rand // its random source, the one that [Scenario.Schedule] uses
}

// Stretches are a function's arrivals as [Scenario.Schedule] draws them up,
// request for request, without drawing them up: by the beginning of their phase.
func (s *Scenario) Stretches(function string) ([]Stretch, error) {
	var list []Stretch
	start := time.Duration(0)
	for i, phase := range s.Phases {
		for k := range phase.Arrivals {
			a := &phase.Arrivals[k]
			if a.Function != function {
				continue
			}
			process, err := a.process()
			if err != nil {
				return nil, fmt.Errorf("phase %s: %w", phase.Name, err)
			}
			list = append(list, Stretch{start, phase.Duration, process, func() *rand.Rand { return source(s.Seed, i, k) }})
		}
		start += phase.Duration
	}
	return list, nil
}

// Length is how long all phases last.
func (s *Scenario) Length() time.Duration {
	total := time.Duration(0)
	for _, p := range s.Phases {
		total += p.Duration
	}
	return total
}
