package scenarios

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures/presets"
	"github.com/coldcurve/coldcurve/platform"
)

// Overrides are what the command line says of a scenario. They are applied
// before it is checked; the zero value changes nothing.
type Overrides struct {
	// Platform replaces the platform. Options that the other platform does not
	// have are dropped.
	Platform string
	// URL is where platform http sends requests, Preset how it wants to be asked
	// there, Host which host it asks for. "" keeps them.
	URL, Preset, Host string
	// Endpoint, Region and Role are where platform lambda runs functions, and as
	// whom. "" keeps them.
	Endpoint, Region, Role string
	// Existing is what functions of the scenario are called where they are there
	// already, by function; "" is for the scenario's only one. Change lets them
	// be changed to make starts cold.
	Existing map[string]string
	Change   bool
	// OCIRuntime and Tier are how platform docker makes containers. "" keeps them.
	OCIRuntime, Tier string
	// Seed replaces the seed; nil keeps it.
	Seed *uint64
	// Scale multiplies rates and counts; a burst keeps at least one request,
	// and gaps stay. From [LeastFactor] to [MostFactor]; 0 is 1.
	Scale float64
	// TimeScale multiplies durations, periods, gaps, instants within a phase
	// and the platform's keep-alive, so that they keep their proportions, but
	// no rates. From [LeastFactor] to [MostFactor]; 0 is 1.
	TimeScale float64
	// KeepAlive replaces the reference runtime's keep-alive, unscaled; nil keeps it.
	KeepAlive *time.Duration
	// Runtime replaces the language of functions that are fixtures; "" keeps it.
	Runtime platform.Runtime
	// Sandboxes replace the reference runtime's sandbox; several run each
	// function in each of them. Nil keeps it.
	Sandboxes []string
	// Starts replace how instances are started, in the same way.
	Starts []string
	// Code is folders that replace what functions run, by function; "" is for
	// the scenario's only one.
	Code map[string]string
	// Env gives the environment's variables for headers that are taken from
	// there, "" for one that is not set, which is a fault; nil leaves such
	// headers empty, for who sends nothing.
	Env func(name string) string
	// Set is further keys, of the platform and of every function, with their
	// values as a file has them.
	Set []Setting

	badURL bool // it has been reported, and is not missing
}

// The limits of [Overrides.Scale] and [Overrides.TimeScale]. Below, a second
// would be less than a millisecond; above, more than a week.
const (
	LeastFactor = 1e-3
	MostFactor  = 1e6
)

// platform is the platform that counts where the file says own.
func (o Overrides) platform(own string) string { return cmp.Or(o.Platform, own) }

// Check returns what is wrong with the overrides by themselves, as Parse does.
func (o Overrides) Check() error {
	if faults := o.check(); len(faults) > 0 {
		return faults
	}
	return nil
}

// check returns what is wrong with the overrides by themselves, and takes it
// out of them, so that it is said once.
func (o *Overrides) check() Faults {
	var faults Faults
	add := func(flag, problem, instead string) {
		faults = append(faults, Fault{File: flag, Problem: problem, Instead: instead})
	}
	if o.KeepAlive != nil && *o.KeepAlive < 0 {
		add("--keep-alive", "a negative duration", "write 0 to reap at once, or for example 10m")
		o.KeepAlive = nil
	}
	word := func(flag, what string, given *string, allowed []string) {
		if *given != "" && !slices.Contains(allowed, *given) {
			add(flag, "unknown "+what+" "+strict.Quote(*given), strict.Instead(*given, allowed))
			*given = ""
		}
	}
	word("--platform", "platform", &o.Platform, platformNames())
	word("--preset", "preset", &o.Preset, presets.Names())
	known := func(flag, what string, given *[]string, allowed []string) {
		for _, word := range *given {
			if !slices.Contains(allowed, word) {
				add(flag, "unknown "+what+" "+strict.Quote(word), strict.Instead(word, allowed))
				*given = nil
			}
		}
	}
	if allowed := fixtureRuntimes(); o.Runtime != "" && !slices.Contains(allowed, string(o.Runtime)) {
		add("--runtime", "unknown runtime "+strict.Quote(string(o.Runtime)), strict.Instead(string(o.Runtime), allowed))
		o.Runtime = ""
	}
	known("--sandbox", "sandbox", &o.Sandboxes, sandboxes())
	known("--start", "start", &o.Starts, startTiers())
	if o.Tier != "" && !slices.Contains(dockerTiers(), o.Tier) {
		add("--tier", "unknown tier "+strict.Quote(o.Tier), strict.Instead(o.Tier, dockerTiers()))
		o.Tier = ""
	}
	checkFactor := func(flag string, factor *float64) {
		if *factor != 0 && !(*factor >= LeastFactor && *factor <= MostFactor) {
			add(flag, fmt.Sprintf("a factor of %g", *factor), fmt.Sprintf("write a number from %g to %.0f, for example 0.1", LeastFactor, MostFactor))
			*factor = 0
		}
	}
	checkFactor("--scale", &o.Scale)
	checkFactor("--time-scale", &o.TimeScale)
	if problem := badURL(o.Endpoint); o.Endpoint != "" && problem != "" {
		add("--endpoint-url", problem, "write for example http://127.0.0.1:9001")
		o.Endpoint = ""
	}
	if problem := badURL(o.URL); o.URL != "" && problem != "" {
		add("--url", problem, "write for example http://127.0.0.1:8080/")
		o.URL, o.badURL = "", true
	}
	return faults
}

// owned is an override that only one platform has.
type owned struct {
	flag, platform string
	given          bool
	drop           func()
}

// owned are the overrides that only one platform has.
func (o *Overrides) owned() []owned {
	return []owned{
		{"--url", httpPlatform, o.URL != "", func() { o.URL = "" }},
		{"--preset", httpPlatform, o.Preset != "", func() { o.Preset = "" }},
		{"--host", httpPlatform, o.Host != "", func() { o.Host = "" }},
		{"--endpoint-url", lambdaPlatform, o.Endpoint != "", func() { o.Endpoint = "" }},
		{"--region", lambdaPlatform, o.Region != "", func() { o.Region = "" }},
		{"--role", lambdaPlatform, o.Role != "", func() { o.Role = "" }},
		{"--existing", lambdaPlatform, o.Existing != nil, func() { o.Existing = nil }},
		{"--change-existing", lambdaPlatform, o.Change, func() { o.Change = false }},
		{"--oci-runtime", dockerPlatform, o.OCIRuntime != "", func() { o.OCIRuntime = "" }},
		{"--tier", dockerPlatform, o.Tier != "", func() { o.Tier = "" }},
		{"--sandbox", referencePlatform, o.Sandboxes != nil, func() { o.Sandboxes = nil }},
		{"--start", referencePlatform, o.Starts != nil, func() { o.Starts = nil }},
		{"--keep-alive", referencePlatform, o.KeepAlive != nil, func() { o.KeepAlive = nil }},
	}
}

// On is the overrides for one platform of several that a scenario goes
// through: what only others of them have does not concern it.
func (o Overrides) On(p Listed, among []Listed) Overrides {
	o.Platform = p.Title
	for _, own := range o.owned() {
		if own.platform != p.Name && slices.ContainsFunc(among, func(other Listed) bool { return other.Name == own.platform }) {
			own.drop()
		}
	}
	return o
}

// misplaced are the overrides that the platform does not have.
func (o Overrides) misplaced(platform string) Faults {
	var faults Faults
	for _, own := range o.owned() {
		if own.given && platform != own.platform {
			faults = append(faults, Fault{File: own.flag, Problem: "platform " + platform + " has no such option", Instead: "leave it out, or add --platform " + own.platform})
		}
	}
	return faults
}

// apply changes a scenario that has been read.
func (o Overrides) apply(s *Scenario) {
	if o.Seed != nil {
		s.Seed = *o.Seed
	}
	if o.Scale != 0 && o.Scale != 1 {
		s.scaleRates(o.Scale)
		s.Notes = append(s.Notes, fmt.Sprintf("rates and counts are multiplied by %g", o.Scale))
	}
	if o.TimeScale != 0 && o.TimeScale != 1 {
		s.scaleTime(o.TimeScale)
		s.Notes = append(s.Notes, fmt.Sprintf("durations and keep-alive are multiplied by %g", o.TimeScale))
	}
	p := &s.Platform
	p.URL, p.Preset, p.Host = cmp.Or(o.URL, p.URL), cmp.Or(o.Preset, p.Preset), cmp.Or(o.Host, p.Host)
	l := &p.Lambda
	l.Endpoint, l.Region, l.Role = cmp.Or(o.Endpoint, l.Endpoint), cmp.Or(o.Region, l.Region), cmp.Or(o.Role, l.Role)
	l.Change = l.Change || o.Change
	d := &s.Platform.Docker
	d.OCIRuntime, d.Tier = cmp.Or(o.OCIRuntime, d.OCIRuntime), cmp.Or(o.Tier, d.Tier)
	if o.KeepAlive != nil {
		s.Platform.Policy.KeepAlive, s.Platform.Policy.Survival, s.Platform.Policy.Hybrid = *o.KeepAlive, nil, nil
	}
}

// scaleRates multiplies how many requests come.
func (s *Scenario) scaleRates(factor float64) {
	for a := range s.arrivals() {
		for _, rate := range []*units.Rate{&a.Rate, &a.From, &a.To, &a.Mean, &a.Amplitude} {
			*rate *= units.Rate(factor)
		}
		if a.Count > 0 {
			a.Count = max(int(math.Round(float64(a.Count)*factor)), 1)
		}
		if a.Process == replay {
			a.Scale = factor
		}
	}
}

// scaleTime multiplies how long everything takes that the scenario decides. A
// replay keeps its speed: it is cut shorter, as its rates are not to change.
func (s *Scenario) scaleTime(factor float64) {
	scale := func(ds ...*time.Duration) {
		for _, d := range ds {
			if *d > 0 {
				scaled := min(math.Round(float64(*d)*factor), float64(longest)*2) // refused later, not overflowing here
				*d = max(time.Duration(scaled), 1)
			}
		}
	}
	p := &s.Platform.Policy
	scale(&p.KeepAlive, &p.PauseAfter, &p.Period, &p.Ping.Every)
	for i := range s.Platform.AsyncWaits {
		scale(&s.Platform.AsyncWaits[i])
	}
	for i := range p.Survival {
		scale(&p.Survival[i].Idle)
	}
	for i := range p.Provisioned {
		scale(&p.Provisioned[i].From)
	}
	if p.Hybrid != nil {
		scale(&p.Hybrid.Bin, &p.Hybrid.Range, &p.Hybrid.Standard)
	}
	for i := range s.Phases {
		scale(&s.Phases[i].Duration)
	}
	for a := range s.arrivals() {
		scale(&a.Period, &a.At, &a.Width, &a.Gap)
	}
}

// arrivals yields every entry of every phase.
func (s *Scenario) arrivals() iter.Seq[*Arrivals] {
	return func(yield func(*Arrivals) bool) {
		for i := range s.Phases {
			for j := range s.Phases[i].Arrivals {
				if !yield(&s.Phases[i].Arrivals[j]) {
					return
				}
			}
		}
	}
}
