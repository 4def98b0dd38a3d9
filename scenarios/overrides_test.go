package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/google/go-cmp/cmp"
)

const tuned = `
name: tuned
platform: {name: reference, keep_alive: 4s, concurrency: 5}
functions: [{name: hello, fixture: hello}]
phases:
  - name: a
    duration: 10s
    arrivals:
      - {process: constant, rate: 10/s}
      - {process: spike, from: 1/s, to: 5/s, at: 2s, width: 6s}
      - {process: sine, mean: 5/s, amplitude: 4/s, period: 8s}
      - {process: burst, count: 3, at: 5s}
      - {process: gap, gap: 2s}
`

func load(t *testing.T, text string, o Overrides) *Scenario {
	t.Helper()
	s, err := Parse("x.yaml", []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScale(t *testing.T) {
	got := load(t, tuned, Overrides{Scale: .1})
	want := load(t, tuned, Overrides{})
	a := want.Phases[0].Arrivals
	a[0].Rate = 1
	a[1].From, a[1].To = .1, .5
	a[2].Mean, a[2].Amplitude = .5, .4
	a[3].Count = 1 // .3 would be nobody
	want.Notes = []string{"rates and counts are multiplied by 0.1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scaled by .1 (-want +got):\n%s", diff)
	}
}

func TestTimeScale(t *testing.T) {
	got := load(t, tuned, Overrides{TimeScale: .5})
	want := load(t, tuned, Overrides{})
	const s = time.Second
	want.Platform.Policy.KeepAlive = 2 * s
	want.Phases[0].Duration = 5 * s
	a := want.Phases[0].Arrivals
	a[1].At, a[1].Width = 1*s, 3*s
	a[2].Period = 4 * s
	a[3].At = 2500 * time.Millisecond
	a[4].Gap = s
	want.Notes = []string{"durations and keep-alive are multiplied by 0.5"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("time scaled by .5 (-want +got):\n%s", diff)
	}
}

func TestFlagsReplace(t *testing.T) {
	seed, forever := uint64(99), 3*time.Second
	got := load(t, tuned, Overrides{Seed: &seed, KeepAlive: &forever, TimeScale: .5, Sandboxes: []string{"process"}})
	if got.Seed != 99 || got.Platform.Policy.KeepAlive != forever {
		t.Errorf("seed %d, keep-alive %v, want 99 and 3s: what a flag says is not scaled", got.Seed, got.Platform.Policy.KeepAlive)
	}
}

// TestHTTPFlags wants them to count before the file's keys.
func TestHTTPFlags(t *testing.T) {
	web := strings.Replace(tuned, "{name: reference, keep_alive: 4s, concurrency: 5}",
		`{name: http, preset: azure, url: "http://127.0.0.1:1/{function}", host: a.example.com}`, 1)
	want := Platform{Name: "http", Preset: "azure", URL: "http://127.0.0.1:1/{function}", Host: "a.example.com", Timeout: 30 * time.Second}
	if diff := cmp.Diff(want, load(t, web, Overrides{}).Platform); diff != "" {
		t.Errorf("platform (-want +got):\n%s", diff)
	}
	want.Preset, want.URL, want.Host = "knative", "http://{function}.example.com", "b.example.com"
	got := load(t, web, Overrides{Preset: want.Preset, URL: want.URL, Host: want.Host})
	if diff := cmp.Diff(want, got.Platform); diff != "" {
		t.Errorf("platform (-want +got):\n%s", diff)
	}
}

// The other platform lacks the options of the file's; that is no fault.
func TestPlatformFlagDropsOptions(t *testing.T) {
	got := load(t, tuned, Overrides{Platform: "http", URL: "http://127.0.0.1:1/"})
	want := Platform{Name: "http", URL: "http://127.0.0.1:1/", Timeout: 30 * time.Second}
	if diff := cmp.Diff(want, got.Platform); diff != "" {
		t.Errorf("platform (-want +got):\n%s", diff)
	}
	web := strings.Replace(tuned, "{name: reference, keep_alive: 4s, concurrency: 5}", "{name: http, url: 'http://127.0.0.1:1/'}", 1)
	got = load(t, web, Overrides{Platform: "reference"})
	want = Platform{Name: "reference", Sandbox: "process", Start: "plain", Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}}
	if diff := cmp.Diff(want, got.Platform); diff != "" {
		t.Errorf("platform (-want +got):\n%s", diff)
	}
	named := strings.Replace(tuned, "{name: reference, keep_alive: 4s, concurrency: 5}", "reference", 1)
	got = load(t, named, Overrides{Platform: "http", URL: "http://127.0.0.1:1/"})
	if got.Platform.Name != "http" {
		t.Errorf("platform is %q, want http", got.Platform.Name)
	}
}

func TestBadFlags(t *testing.T) {
	negative := -time.Second
	fine := time.Second
	for _, c := range []struct {
		o    Overrides
		want []string
	}{
		{Overrides{Platform: "lambada", URL: "here", Runtime: "node", Sandboxes: []string{"wasp"}, KeepAlive: &negative, Scale: -1, TimeScale: 1e9}, []string{
			`--keep-alive: a negative duration; write 0 to reap at once, or for example 10m`,
			`--platform: unknown platform "lambada"; write lambda (there are: reference, http, server, lambda, workers, docker, openwhisk)`,
			`--runtime: unknown runtime "node"; write one of: go, nodejs, python, wasm`,
			`--sandbox: unknown sandbox "wasp"; write wasm (there are: process, namespace, wasm, container)`,
			`--scale: a factor of -1; write a number from 0.001 to 1000000, for example 0.1`,
			`--time-scale: a factor of 1e+09; write a number from 0.001 to 1000000, for example 0.1`,
			`--url: "here" is not an http or https URL; write for example http://127.0.0.1:8080/`,
		}},
		{Overrides{URL: "http://127.0.0.1:1/"}, []string{
			`--url: platform reference has no such option; leave it out, or add --platform http`,
		}},
		{Overrides{Platform: "http", URL: "http://127.0.0.1:1/", Sandboxes: []string{"process"}, KeepAlive: &fine}, []string{
			`--sandbox: platform http has no such option; leave it out, or add --platform reference`,
			`--keep-alive: platform http has no such option; leave it out, or add --platform reference`,
		}},
		{Overrides{Preset: "knative", Host: "hello.example.com"}, []string{
			`--preset: platform reference has no such option; leave it out, or add --platform http`,
			`--host: platform reference has no such option; leave it out, or add --platform http`,
		}},
		{Overrides{Platform: "http", URL: "http://127.0.0.1:1/", Preset: "open-faas"}, []string{
			`--preset: unknown preset "open-faas"; write openfaas (there are: azure, cloudflare, cloudrun, knative, openfaas)`,
		}},
		{Overrides{Platform: "http"}, []string{
			`--platform: platform http has no url; add --url, for example --url http://127.0.0.1:8080/`,
		}},
		{Overrides{Platform: "http", URL: "nix"}, []string{
			`--url: "nix" is not an http or https URL; write for example http://127.0.0.1:8080/`,
		}},
		{Overrides{Platform: "http", URL: "ftp://me:se@cret@host/?token=secret"}, []string{
			`--url: "ftp://...@host/" is not an http or https URL; write for example http://127.0.0.1:8080/`,
		}},
		{Overrides{Platform: "http", URL: "me:secret@host"}, []string{
			`--url: "...@host" is not an http or https URL; write for example http://127.0.0.1:8080/`,
		}},
		{Overrides{Platform: "http", URL: "http://me:secret@"}, []string{
			`--url: "http://...@" is not an http or https URL; write for example http://127.0.0.1:8080/`,
		}},
		{Overrides{Platform: "lambda", Endpoint: "127.0.0.1:9001"}, []string{
			`--endpoint-url: "127.0.0.1:9001" is not an http or https URL; write for example http://127.0.0.1:9001`,
		}},
		{Overrides{Endpoint: "http://127.0.0.1:9001", Region: "us-east-1", Role: "r"}, []string{
			`--endpoint-url: platform reference has no such option; leave it out, or add --platform lambda`,
			`--region: platform reference has no such option; leave it out, or add --platform lambda`,
			`--role: platform reference has no such option; leave it out, or add --platform lambda`,
		}},
		{Overrides{OCIRuntime: "crun", Tier: "warm"}, []string{
			`--tier: unknown tier "warm"; write one of: plain, created, paused`,
			`--oci-runtime: platform reference has no such option; leave it out, or add --platform docker`,
		}},
		{Overrides{TimeScale: 1e-12, Scale: 1e300}, []string{
			`--scale: a factor of 1e+300; write a number from 0.001 to 1000000, for example 0.1`,
			`--time-scale: a factor of 1e-12; write a number from 0.001 to 1000000, for example 0.1`,
		}},
		{Overrides{TimeScale: 1e6}, []string{
			`x.yaml:6:3: the phases last longer than 720h; shorten them, or use --time-scale`,
		}},
		{Overrides{Scale: 1e6}, []string{
			`x.yaml:6:3: about 192,092,963 arrivals, and the most is 50,000,000; lower rates or durations, or use --scale`,
		}},
	} {
		_, err := Parse("x.yaml", []byte(tuned), c.o)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(strings.Join(c.want, "\n"), got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.o, diff)
		}
	}
}

// TestReplacedCodeIsNotLookedAt: a scenario whose Go code is built only for a
// comparison can be read, and still has to name code that can be run by itself.
func TestReplacedCodeIsNotLookedAt(t *testing.T) {
	const text = "name: shop\nfunctions: [{name: shop, code: no/such/folder}]\nphases: [{name: one, duration: 1s, arrivals: {process: gap, gap: 1s}}]\n"
	built := t.TempDir()
	if err := os.WriteFile(filepath.Join(built, "bootstrap"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "shop"} {
		s, err := Parse("shop.yaml", []byte(text), Overrides{Code: map[string]string{name: built}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Functions[0].Code; got != built {
			t.Errorf("code of %q is %s, want %s", name, got, built)
		}
	}
	if _, err := Parse("shop.yaml", []byte(text), Overrides{}); err == nil {
		t.Error("code that is nowhere is taken")
	}
}

// TestOn: of several platforms each gets the flags that it has; what none of
// them has stays, to be refused.
func TestOn(t *testing.T) {
	given := Overrides{URL: "http://127.0.0.1:8080/", Endpoint: "http://127.0.0.1:9001", Sandboxes: []string{"namespace"}, Scale: 2}
	reference, lambda, web, eu := Listed{"reference", "reference"}, Listed{"lambda", "lambda"}, Listed{"http", "http"}, Listed{"eu", "http"}
	for _, tt := range []struct {
		platform Listed
		among    []Listed
		want     Overrides
	}{
		{reference, []Listed{reference, lambda, web}, Overrides{Platform: "reference", Sandboxes: []string{"namespace"}, Scale: 2}},
		{lambda, []Listed{reference, lambda, web}, Overrides{Platform: "lambda", Endpoint: given.Endpoint, Scale: 2}},
		{web, []Listed{reference, lambda, web}, Overrides{Platform: "http", URL: given.URL, Scale: 2}},
		{lambda, []Listed{lambda, reference}, Overrides{Platform: "lambda", URL: given.URL, Endpoint: given.Endpoint, Scale: 2}},
		{lambda, []Listed{reference, lambda, eu}, Overrides{Platform: "lambda", Endpoint: given.Endpoint, Scale: 2}},
		{eu, []Listed{reference, lambda, eu}, Overrides{Platform: "eu", URL: given.URL, Scale: 2}},
	} {
		if diff := cmp.Diff(tt.want, given.On(tt.platform, tt.among), cmp.AllowUnexported(Overrides{})); diff != "" {
			t.Errorf("on %s of %v (-want +got):\n%s", tt.platform, tt.among, diff)
		}
	}
	_, err := Parse("x.yaml", []byte(tuned), given.On(lambda, []Listed{lambda, reference}))
	if err == nil || !strings.Contains(err.Error(), "--url: platform lambda has no such option") {
		t.Errorf("--url without http: %v", err)
	}
}

// TestForeignOptions: what another platform does without is said, by its place.
func TestForeignOptions(t *testing.T) {
	s := load(t, tuned, Overrides{Platform: "lambda", Role: "arn:aws:iam::123456789012:role/r"})
	want := []string{
		"x.yaml:3:29: platform lambda has no keep_alive and does without",
		"x.yaml:3:45: platform lambda has no concurrency and does without",
	}
	if diff := cmp.Diff(want, s.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestListOfPlatforms: each has its own options, the first is the one that
// counts if none is chosen, and all are checked.
func TestListOfPlatforms(t *testing.T) {
	text := strings.Replace(tuned, "{name: reference, keep_alive: 4s, concurrency: 5}",
		"[{name: reference, keep_alive: 4s}, {name: http, url: http://127.0.0.1:1/, method: POST}, lambda]", 1)
	for platform, holds := range map[string]func(*Platform) bool{
		"":          func(p *Platform) bool { return p.Name == "reference" && p.Policy.KeepAlive == 4*time.Second },
		"reference": func(p *Platform) bool { return p.Name == "reference" && p.Policy.KeepAlive == 4*time.Second },
		"http":      func(p *Platform) bool { return p.Name == "http" && p.Method == "POST" },
		"lambda":    func(p *Platform) bool { return p.Name == "lambda" },
		"server":    func(p *Platform) bool { return p.Name == "server" && p.Workers == 1 }, // that is not listed
	} {
		s := load(t, text, Overrides{Platform: platform})
		if !holds(&s.Platform) {
			t.Errorf("chosen %q: %+v", platform, s.Platform)
		}
		if diff := cmp.Diff([]Listed{{"reference", "reference"}, {"http", "http"}, {"lambda", "lambda"}}, s.Platforms); diff != "" {
			t.Errorf("chosen %q: listed (-want +got):\n%s", platform, diff)
		}
	}
	for listed, want := range map[string]string{
		"[]":                                   "an empty list",
		"[lambda, lambda]":                     "x.yaml:3:20: a second lambda; leave it out, or say what it is called: as: lambda-2",
		"[{name: lambda, as: docker}, docker]": "x.yaml:3:40: a second docker",
		"[{name: lambda, as: a b}]":            `"a b" is not a name`,
		"[reference, {name: server, keep_alive: 1s}]": "keep_alive",
		"[reference, lamda]":                          "write lambda",
		"[reference, [lambda]]":                       "a mapping for platform belongs here",
	} {
		text := strings.Replace(tuned, "{name: reference, keep_alive: 4s, concurrency: 5}", listed, 1)
		if _, err := Parse("x.yaml", []byte(text), Overrides{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", listed, err, want)
		}
	}
}

// TestTitles: platforms of a list may be the same one, if they are called
// otherwise; a title chooses one, and the platform's name none of several.
func TestTitles(t *testing.T) {
	text := strings.Replace(tuned, "{name: reference, keep_alive: 4s, concurrency: 5}",
		"[{name: http, as: eu, url: \"http://127.0.0.1:1/\"}, {name: http, as: us, url: \"http://127.0.0.1:2/\"}, reference]", 1)
	for chosen, want := range map[string]Platform{
		"":          {Name: "http", As: "eu", URL: "http://127.0.0.1:1/"},
		"eu":        {Name: "http", As: "eu", URL: "http://127.0.0.1:1/"},
		"us":        {Name: "http", As: "us", URL: "http://127.0.0.1:2/"},
		"reference": {Name: "reference"},
		"lambda":    {Name: "lambda"},
	} {
		p := load(t, text, Overrides{Platform: chosen}).Platform
		if got := (Platform{Name: p.Name, As: p.As, URL: p.URL}); !cmp.Equal(got, want) {
			t.Errorf("chosen %q: %+v, want %+v", chosen, got, want)
		}
	}
	for chosen, want := range map[string]string{
		"http": "--platform: http is called otherwise in x.yaml; write eu,us",
		"uk":   `--platform: unknown platform "uk"`,
	} {
		if _, err := Parse("x.yaml", []byte(text), Overrides{Platform: chosen}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("chosen %q: %v, want %q", chosen, err, want)
		}
	}
}
