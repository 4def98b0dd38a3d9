package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/analysis/strict"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/fixtures/presets"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

// The platforms that a scenario can name.
const (
	referencePlatform = "reference"
	httpPlatform      = "http"
	serverPlatform    = "server"
	lambdaPlatform    = "lambda"
	workersPlatform   = "workers"
	dockerPlatform    = "docker"
	openwhiskPlatform = "openwhisk"
)

func platformNames() []string {
	return []string{referencePlatform, httpPlatform, serverPlatform, lambdaPlatform, workersPlatform, dockerPlatform, openwhiskPlatform}
}

// evicting are the platforms on which a function can be put away on demand.
func evicting() []string {
	return []string{referencePlatform, lambdaPlatform, workersPlatform, dockerPlatform, openwhiskPlatform}
}

// defaultPlatform is a platform with the options that the file does not give.
func defaultPlatform(name string) Platform {
	switch name {
	case httpPlatform:
		return Platform{Name: name, Timeout: 30 * time.Second}
	case serverPlatform:
		return Platform{Name: name, Workers: 1}
	case lambdaPlatform:
		return Platform{Name: name, Timeout: 30 * time.Second}
	case workersPlatform, openwhiskPlatform:
		return Platform{Name: name}
	case dockerPlatform:
		return Platform{Name: name, Docker: Docker{Tier: "plain"}}
	}
	return Platform{Name: name, Sandbox: "process", Start: "plain", Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}}
}

// longest is more than any experiment takes, and far from an overflow.
const longest = 30 * 24 * time.Hour

func platformFields() fields[Platform] {
	const ref, web, server, cloud = referencePlatform, httpPlatform, serverPlatform, lambdaPlatform
	const isolates, docker, whisk = workersPlatform, dockerPlatform, openwhiskPlatform
	first := fields[Platform]{
		key("name", words("platform", platformNames()), func(p *Platform) *string { return &p.Name },
			"which platform").Must(platformNames()...),

		key("as", names(), func(p *Platform) *string { return &p.As },
			"what it is called among several platforms; the default is its name"),
		key("profile", words("profile", fixtures.ProfileNames()), func(p *Platform) *string { return &p.Profile },
			"a named platform's policy, which the other keys change").Of(ref),
		key("sandbox", words("sandbox", sandboxes()), func(p *Platform) *string { return &p.Sandbox },
			"what an instance is, for functions that do not say so").Of(ref).Defaults("process"),
		key("start", words("start", startTiers()), func(p *Platform) *string { return &p.Start },
			"how an instance is started, for functions that do not say so").Of(ref).Defaults("plain"),
	}
	last := fields[Platform]{
		key("preset", words("preset", presets.Names()), func(p *Platform) *string { return &p.Preset },
			"a named platform's way to be asked: path, token or key, what is throttled").Of(web),
		key("url", urls(), func(p *Platform) *string { return &p.URL },
			"where requests go; {function} in it is the function's name").Of(web),
		key("host", texts(), func(p *Platform) *string { return &p.Host },
			"host to ask for where one address serves many; {function} in it is the function's name").Of(web),
		key("method", words("method", methods()), func(p *Platform) *string { return &p.Method },
			"HTTP method; the default is GET, and POST where a payload is given").Of(web),
		key("expect_status", several("status", counts(200, 599)), func(p *Platform) *[]int { return &p.ExpectStatus },
			"status of an answer, or a list of all that are one; others are failures; the default is those below 300, and 304").Of(web),
		key("headers", headers(), func(p *Platform) *map[string]string { return &p.Headers },
			"sent with every request: texts, or {env: NAME} for what the environment has").Of(web),
		key("timeout", durations("30s", 1, longest), func(p *Platform) *time.Duration { return &p.Timeout },
			"longest wait for an answer; lambda: beside what the function may take").Of(web, cloud).Defaults("30s"),
		key("workers", counts(1, 1024), func(p *Platform) *int { return &p.Workers },
			"processors of this machine that each function's server gets").Of(server).Defaults(1),
		key("backlog", counts(1, 1_000_000), func(p *Platform) *int { return &p.Backlog },
			"most requests that a server has at a time, in service and waiting; more are refused; the default is no limit").Of(server),
		key("target", durations("300ms", 1, longest), func(p *Platform) *time.Duration { return &p.Target },
			"the p99 latency at which a server's capacity is stated; the default is none").Of(server),
		key("endpoint_url", urls(), func(p *Platform) *string { return &p.Lambda.Endpoint },
			"what speaks Lambda's API, in place of AWS").Of(cloud),
		key("region", texts(), func(p *Platform) *string { return &p.Lambda.Region },
			"AWS region; the default is that of AWS's own configuration").Of(cloud),
		key("aws_profile", texts(), func(p *Platform) *string { return &p.Lambda.Profile },
			"profile of AWS's own configuration").Of(cloud),
		key("role", texts(), func(p *Platform) *string { return &p.Lambda.Role },
			"ARN of the functions' execution role; may be left out where endpoint_url is this machine").Of(cloud),
		key("architecture", words("architecture", []string{"x86_64", "arm64"}), func(p *Platform) *string { return &p.Lambda.Architecture },
			"what functions run on; the default is this machine's").Of(cloud),
		key("snap_start", flags(), func(p *Platform) *bool { return &p.Lambda.SnapStart },
			"restore instances from snapshots of published versions").Of(cloud).Defaults(false),
		key("provisioned_concurrency", counts(1, 100_000), func(p *Platform) *int { return &p.Lambda.Provisioned },
			"instances of each function that are kept ready; the default is none").Of(cloud),
		key("change_existing", flags(), func(p *Platform) *bool { return &p.Lambda.Change },
			"functions that are there already may have a variable changed, and put back, to make their starts cold").Of(cloud).Defaults(false),
		key("workerd", texts(), func(p *Platform) *string { return &p.Workerd.Program },
			"the workerd program; the default is the one on the PATH, or npm's in ./node_modules").Of(isolates),
		key("compatibility_date", days("2026-01-31"), func(p *Platform) *string { return &p.Workerd.CompatibilityDate },
			"whose behaviour functions get, of all that Workers have had; the default is 2026-01-01").Of(isolates),
		key("oci_runtime", texts(), func(p *Platform) *string { return &p.Docker.OCIRuntime },
			"what runs containers: runc, crun, runsc (gVisor) or another that the engine has; the default is the engine's").Of(docker),
		key("tier", words("tier", dockerTiers()), func(p *Platform) *string { return &p.Docker.Tier },
			"plain: a start creates the container and starts it; created: it is there, and only started; paused: one that has answered is frozen until the next request").Of(docker).Defaults("plain"),
		key("ahead", counts(1, 64), func(p *Platform) *int { return &p.Docker.Ahead },
			"tier created: containers of each function that are kept created; the default is 2").Of(docker),
		key("network", texts(), func(p *Platform) *string { return &p.Docker.Network },
			"the engine's network that containers are in; the default is this machine's own").Of(docker),
		key("api_host", texts(), func(p *Platform) *string { return &p.OpenWhisk.APIHost },
			"host or URL of OpenWhisk's API; the default is WSK_APIHOST, or what wsk's own properties say").Of(whisk),
		key("namespace", texts(), func(p *Platform) *string { return &p.OpenWhisk.Namespace },
			"where actions are made; the default is WSK_NAMESPACE, or what wsk's own properties say").Of(whisk),
	}
	return slices.Concat(first, policyFields(), last)
}

// tiny is the least rate that is not 0.
const tiny units.Rate = math.SmallestNonzeroFloat64

// sandboxes are what an instance can be on the reference runtime.
func sandboxes() []string { return []string{"process", "namespace", "wasm", "container"} }

// dockerTiers are how much of a container is there before a request.
func dockerTiers() []string { return []string{"plain", "created", "paused"} }

// startTiers are the ways to start one.
func startTiers() []string { return []string{"plain", "pool", "zygote", "pause"} }

func methods() []string {
	return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
}

func bindingField() field[Platform] {
	ways := words("binding", []string{"early", "late"})
	return field[Platform]{
		Name:   "binding",
		Doc:    "early: a request that starts an instance is served by that one; late: by whichever comes free first",
		Schema: ways.Schema,
		Read: func(r *reader, v strict.Value, p *Platform) {
			if way, ok := ways.Read(r, v); ok {
				p.Policy.LateBinding = way == "late"
			}
		},
	}
}

// urls are absolute http and https URLs.
func urls() form[string] {
	return form[string]{
		Read: func(_ *reader, v strict.Value) (string, bool) {
			text, ok := v.Text()
			if !ok {
				return "", false
			}
			if problem := badURL(text); problem != "" {
				v.Fault(problem, "write for example http://127.0.0.1:8080/")
				return "", false
			}
			return text, true
		},
		Schema: schema{"type": "string", "pattern": "^https?://."},
	}
}

// days are dates without a time.
func days(example string) form[string] {
	return form[string]{
		Read: func(_ *reader, v strict.Value) (string, bool) {
			text, ok := v.Quantity("a day", example)
			if _, err := time.Parse(time.DateOnly, text); ok && err != nil {
				v.Fault(strict.Quote(text)+" is not a day", "write for example "+example)
				ok = false
			}
			return text, ok
		},
		Example: example,
		Schema:  schema{"type": "string", "format": "date"},
	}
}

// badURL says what is wrong with a URL, "" for nothing.
func badURL(text string) string {
	u, err := url.Parse(strings.ReplaceAll(text, "{function}", "function"))
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("%s is not an http or https URL", strict.Quote(withoutSecrets(text)))
	}
	return ""
}

// withoutSecrets is text that was meant as a URL, less what may be a secret:
// the user's name and password, and the query. It cannot be parsed, so all
// that stands before an @ is taken for them.
func withoutSecrets(text string) string {
	text, _, _ = strings.Cut(text, "?")
	i := strings.LastIndex(text, "@")
	if i < 0 {
		return text
	}
	scheme, _, ok := strings.Cut(text[:i], "//")
	if !ok {
		scheme = ""
	} else {
		scheme += "//"
	}
	return scheme + "..." + text[i:]
}

// platforms are a name, or a mapping of name and options, or a list of those. A
// name from the command line replaces the file's; options that the other
// platform does not have go with it, and a note says which.
func platforms() form[Platform] {
	return form[Platform]{
		Read: func(r *reader, v strict.Value) (Platform, bool) {
			if v.IsList() {
				return r.listed(v)
			}
			return r.onePlatform(v, r.overrides.Platform)
		},
		Schema: platformSchema(),
	}
}

// onePlatform reads a name or a mapping; chosen is what the command line has in
// the name's place, "" for the name.
func (r *reader) onePlatform(v strict.Value, chosen string) (Platform, bool) {
	if v.IsScalar() {
		text, ok := words("platform", platformNames()).Read(r, v)
		return defaultPlatform(cmp.Or(chosen, text)), ok
	}
	m, ok := v.Map("platform")
	if !ok {
		return Platform{}, false
	}
	return r.platformAs(m, chosen), true
}

// listed reads a list of platforms, all of them, and gives the one that is
// chosen: by the command line, or else the first.
func (r *reader) listed(v strict.Value) (Platform, bool) {
	items, _ := v.List("platform")
	if len(items) == 0 {
		v.Fault("an empty list", "write at least one platform, or leave the key out")
		return Platform{}, false
	}
	chosen, found := 0, r.overrides.Platform == ""
	for i, item := range items {
		p, known := listedAs(item)
		if !known {
			continue // its fault comes below
		}
		if r.scenario.listed(p.Title) != nil {
			item.Fault("a second "+p.Title, "leave it out, or say what it is called: as: "+p.Name+"-2")
			return Platform{}, false
		}
		r.scenario.Platforms = append(r.scenario.Platforms, p)
		if p.Title == r.title {
			chosen, found = i, true
		}
	}
	for i, item := range items {
		if i != chosen {
			r.onePlatform(item, "") // for its faults
		}
	}
	if !found {
		r.mistitled()
		return defaultPlatform(r.overrides.Platform), true // that is not listed
	}
	return r.onePlatform(items[chosen], "") // last: it leaves behind what policies are held against
}

// Listed is one of several platforms.
type Listed struct {
	Title string // what tells it from the others
	Name  string // of the platform
}

// listed is the platform of a title, nil where there is none.
func (s *Scenario) listed(title string) *Listed {
	i := slices.IndexFunc(s.Platforms, func(p Listed) bool { return p.Title == title })
	if i < 0 {
		return nil
	}
	return &s.Platforms[i]
}

// Title is what tells the platform from others of a list.
func (p *Platform) Title() string { return cmp.Or(p.As, p.Name) }

// Listed is the platform as one of several.
func (p *Platform) Listed() Listed { return Listed{Title: p.Title(), Name: p.Name} }

// mistitled refuses the name of a platform that the list has by other titles.
func (r *reader) mistitled() {
	var titles []string
	for _, p := range r.scenario.Platforms {
		if p.Name == r.overrides.Platform {
			titles = append(titles, p.Title)
		}
	}
	if len(titles) > 0 {
		r.faults = append(r.faults, Fault{File: "--platform", Problem: r.overrides.Platform + " is called otherwise in " + r.file, Instead: "write " + strings.Join(titles, ",")})
	}
}

// listedAs is the platform that an entry names, if there is such a one; what is
// wrong with it is said where it is read.
func listedAs(v strict.Value) (p Listed, known bool) {
	if v.IsMap() {
		m, _ := v.Map("platform")
		p.Title, _ = m.Get("as").Plain()
		v = m.Get("name")
	}
	p.Name, _ = v.Plain()
	p.Title = cmp.Or(p.Title, p.Name)
	return p, slices.Contains(platformNames(), p.Name)
}

// resolve has the platform's title among the overrides, if it is one of the
// file's, be the name of that platform.
func (r *reader) resolve(root strict.Value) {
	if !root.IsMap() || r.overrides.Platform == "" {
		return
	}
	m, _ := root.Map("the scenario")
	list := m.Get("platform")
	if !list.IsList() {
		return
	}
	items, _ := list.List("platform")
	for _, item := range items {
		if p, known := listedAs(item); known && p.Title == r.overrides.Platform {
			r.title, r.overrides.Platform = p.Title, p.Name
		}
	}
}

func (r *reader) platform(m strict.Map) Platform { return r.platformAs(m, r.overrides.Platform) }

// platformAs reads a platform's options as those of chosen, "" for the one that
// they name.
func (r *reader) platformAs(m strict.Map, chosen string) Platform {
	own := referencePlatform
	if text, ok := m.Get("name").Text(); ok && slices.Contains(platformNames(), text) {
		own = text
	}
	fs, chosen := platformFields(), cmp.Or(chosen, own)
	if chosen != own {
		m = r.without(m, fs, own, chosen)
	}
	p := defaultPlatform(chosen)
	r.policy, r.profile, r.lacks = p.Policy, Profile{}, nil
	if name, ok := m.Get("profile").Plain(); ok && chosen == referencePlatform && slices.Contains(fixtures.ProfileNames(), name) {
		r.profile = mustProfile(name)
		p = r.profile.Platform
		r.policy = p.Policy
	}
	before := len(r.faults)
	fs.Into(&p, r, m, "platform "+chosen, chosen)
	p.Name = chosen
	if chosen == referencePlatform {
		r.checkPolicy(m, &p, before)
	}
	if v := m.Get("ahead"); v.Given() && chosen == dockerPlatform && cmp.Or(r.overrides.Tier, p.Docker.Tier) != "created" {
		v.Fault("only tier created has containers ahead", "add tier: created, or leave ahead out")
	}
	return p
}

// without is a platform's options less those that another one does not have;
// a note says which.
func (r *reader) without(m strict.Map, fs fields[Platform], own, chosen string) strict.Map {
	foreign := func(key string) bool {
		f, known := fs.Find(key)
		return known && f.Has(own) && !f.Has(chosen)
	}
	for key := range m.All() {
		if foreign(key.Name()) {
			r.scenario.Notes = append(r.scenario.Notes, fmt.Sprintf("%s:%d:%d: platform %s has no %s and does without",
				r.file, key.At().Line, key.At().Column, chosen, key.Name()))
		}
	}
	return m.Without(foreign)
}
