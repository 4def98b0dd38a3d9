package scenarios

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coldcurve/coldcurve/analysis/budget"
	"github.com/coldcurve/coldcurve/analysis/units"
	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
)

const shop = `
name: flash-sale
description: A sale opens, traffic jumps tenfold for half a minute.
seed: 7
platform: reference
functions:
  - {name: shop, fixture: hello, runtime: go, memory: 512MB, payload: {size: 1KiB}}
phases:
  - {name: before, duration: 20s, arrivals: {process: poisson, rate: 100/s}}
  - {name: sale, duration: 30s, arrivals: {process: poisson, rate: 1000/s}}
expect:
  - {metric: latency.p99, start: warm, phase: sale, max: 50ms}
  - {metric: cold_share, phase: sale, max: 5%}
`

func TestParse(t *testing.T) {
	got, err := Parse("shop.yaml", []byte(shop), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Scenario{
		Name:        "flash-sale",
		Description: "A sale opens, traffic jumps tenfold for half a minute.",
		Seed:        7,
		Platform:    Platform{Name: "reference", Sandbox: "process", Start: "plain", Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute}},
		Functions: []Function{{
			Name: "shop", Sandbox: "process", Start: "plain", Fixture: "hello", Runtime: platform.Go, Memory: 512 << 20, MemoryGiven: true, Timeout: 30 * time.Second,
			Payload: Payload{Size: 1024},
		}},
		Phases: []Phase{
			{Name: "before", Duration: 20 * time.Second, Arrivals: []Arrivals{{Function: "shop", Process: "poisson", Rate: 100}}},
			{Name: "sale", Duration: 30 * time.Second, Arrivals: []Arrivals{{Function: "shop", Process: "poisson", Rate: 1000}}},
		},
		Expect: []budget.Budget{
			{Metric: "latency.p99", Start: "warm", Phase: "sale", Max: &budget.Bound{Text: "50ms", Value: 50e6}, Line: 12, Column: 5},
			{Metric: "cold_share", Phase: "sale", Max: &budget.Bound{Text: "5%", Value: .05}, Line: 13, Column: 5},
		},
		InFlight: InFlight{Max: 10_000, When: "drop"},
		Source:   "shop.yaml",
		Text:     []byte(shop),
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Payload{}, "Data")); diff != "" {
		t.Errorf("scenario (-want +got):\n%s", diff)
	}
	if n := len(got.Functions[0].Payload.Data); n != 1024 {
		t.Errorf("payload of 1KiB has %d bytes", n)
	}
}

// Every key of every mapping, set to something that is not its default.
const everything = `
name: everything
platform: {name: reference, keep_alive: 2s, sandbox: process, concurrency: 3, start_burst: 500, start_rate: 60/m, queue: 7, queue_timeout: 1.5s, binding: late}
max_in_flight: 1e3
when_full: wait
functions:
  - {name: a, fixture: cpu, runtime: python, memory: 1GB, timeout: 5s, env: {A: "1"}, reserved: 2, package_size: 20MB, payload: {json: {b: [1, 2.5, null, true, "x"], a: {}}}}
  - {name: b, code: code, runtime: nodejs, handler: index.handler, payload: {file: code/data.bin}}
  - {name: c, image: "registry.example/shop:1", runtime: image, handler: app.handler}
phases:
  - name: all
    duration: 1h
    warmup: true
    arrivals:
      - {function: a, consumer: web, process: constant, rate: .1/s}
      - {function: a, process: ramp, from: 0, to: 5/s, even: true}
      - {function: a, process: step, from: 0/s, to: 5/s, at: 1m, even: true}
      - {function: a, process: spike, from: 1/s, to: 5/s, at: 1m, width: 2m, even: true}
      - {function: a, process: sine, mean: 5/s, amplitude: 4/s, period: 60s, even: true}
      - {function: b, process: bursty, rate: 5/s, cv: 4}
      - {function: b, process: burst, count: 200, at: 5s}
      - {function: b, process: gap, gap: 5s}
      - {function: b, process: replay, file: code/trace.csv, speed: 60}
  - {name: none, duration: .2s, arrivals: []}
expect:
  - {metric: throughput, function: b, min: 5/s}
`

func TestParseEverything(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	code := filepath.Dir(write("code/data.bin", "\x00\x01"))
	write("code/index.mjs", "")
	write("code/trace.csv", "minute,count\n0,600\n1,0\n")
	got, err := Load(write("everything.yaml", everything), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	const s = time.Second
	want := Scenario{
		Name: "everything",
		Seed: 1,
		Platform: Platform{
			Name: "reference", Sandbox: "process", Start: "plain", Policy: lifecycle.Policy{
				KeepAlive: 2 * s, Concurrency: 3, StartBurst: 500, StartEvery: s,
				QueueLimit: 7, QueueTimeout: 1500 * time.Millisecond, LateBinding: true,
			},
		},
		InFlight: InFlight{Max: 1000, When: "wait"},
		Functions: []Function{
			{
				Name: "a", Fixture: "cpu", Runtime: platform.Python, Sandbox: "process", Start: "plain", Memory: 1 << 30, MemoryGiven: true, Timeout: 5 * s,
				Env: map[string]string{"A": "1"}, Reserved: 2, PackageSize: 20 << 20,
				Payload: Payload{
					JSON: []byte(`{"b":[1,2.5,null,true,"x"],"a":{}}`),
					Data: []byte(`{"b":[1,2.5,null,true,"x"],"a":{}}`),
				},
			},
			{
				Name: "b", Code: code, Runtime: platform.NodeJS, Sandbox: "process", Start: "plain", Handler: "index.handler", Memory: 1769 << 20, Timeout: 30 * s,
				Payload: Payload{File: filepath.Join(code, "data.bin"), Data: []byte{0, 1}},
			},
			{
				Name: "c", Sandbox: "container", Start: "plain", Image: "registry.example/shop:1", Runtime: platform.Image, Handler: "app.handler",
				Memory: 1769 << 20, Timeout: 30 * s,
			},
		},
		Phases: []Phase{
			{
				Name: "all", Duration: time.Hour, Warmup: true,
				Arrivals: []Arrivals{
					{Function: "a", Consumer: "web", Process: "constant", Rate: .1},
					{Function: "a", Process: "ramp", To: 5, Even: true},
					{Function: "a", Process: "step", To: 5, At: time.Minute, Even: true},
					{Function: "a", Process: "spike", From: 1, To: 5, At: time.Minute, Width: 2 * time.Minute, Even: true},
					{Function: "a", Process: "sine", Mean: 5, Amplitude: 4, Period: time.Minute, Even: true},
					{Function: "b", Process: "bursty", Rate: 5, CV: 4},
					{Function: "b", Process: "burst", Count: 200, At: 5 * s},
					{Function: "b", Process: "gap", Gap: 5 * s},
					{Function: "b", Process: "replay", File: filepath.Join(code, "trace.csv"), Speed: 60},
				},
			},
			{Name: "none", Duration: 200 * time.Millisecond, Arrivals: []Arrivals{}},
		},
		Expect: []budget.Budget{{Metric: "throughput", Function: "b", Min: &budget.Bound{Text: "5/s", Value: 5}, Line: 26, Column: 5}},
	}
	trace := &want.Phases[0].Arrivals[8].Trace
	trace.Counts = []uint32{600, 0}
	if diff := cmp.Diff(want, *got, cmpopts.IgnoreFields(Scenario{}, "Source", "Text")); diff != "" {
		t.Errorf("scenario (-want +got):\n%s", diff)
	}
}

func TestHTTPDeploysNothing(t *testing.T) {
	const text = `
name: x
platform: {name: http, url: "http://127.0.0.1:1/", method: PUT, expect_status: [201, 302], headers: {X-Id: "5"}, timeout: 2s}
functions:
  - {name: a, fixture: hello, runtime: python, memory: 1GB, payload: {json: 5}}
  - {name: b, code: ./nowhere}
  - {name: c}
phases: [{name: p, duration: 1s, arrivals: {function: a, process: gap, gap: 1s}}]
`
	got, err := Parse("x.yaml", []byte(text), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	platform := Platform{Name: "http", URL: "http://127.0.0.1:1/", Method: "PUT", ExpectStatus: []int{201, 302}, Headers: map[string]string{"X-Id": "5"}, Timeout: 2 * time.Second}
	if diff := cmp.Diff(platform, got.Platform); diff != "" {
		t.Errorf("platform (-want +got):\n%s", diff)
	}
	functions := []Function{{Name: "a", Payload: Payload{JSON: []byte("5"), Data: []byte("5")}}, {Name: "b"}, {Name: "c"}}
	if diff := cmp.Diff(functions, got.Functions); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	notes := []string{"platform http deploys nothing: of a, b only name and payload were used"}
	if diff := cmp.Diff(notes, got.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestHTTPNeedsNoFunction(t *testing.T) {
	const text = `
name: x
phases:
  - {name: p, duration: 1s, arrivals: [{process: gap, gap: 1s}, {function: target, process: gap, gap: 1s}]}
expect: [{metric: errors, function: target, max: 0}]
`
	got, err := Parse("x.yaml", []byte(text), Overrides{Platform: "http", URL: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Function{{Name: "target"}}, got.Functions); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	for a := range got.arrivals() {
		if a.Function != "target" {
			t.Errorf("arrivals at %q, want target", a.Function)
		}
	}
}

func TestPadding(t *testing.T) {
	for _, size := range []int{2, 3, 13, 14, 15, 16, 1024, 1 << 20} {
		text := padding(units.Bytes(size))
		if len(text) != size {
			t.Errorf("padding(%d) has %d bytes", size, len(text))
		}
		var object map[string]string
		if err := json.Unmarshal(text, &object); err != nil {
			t.Errorf("padding(%d) is not a JSON object: %v", size, err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("own.yaml", []byte(shop), 0o644); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{"quick": "embedded:quick", "own.yaml": "own.yaml", "./own.yaml": "./own.yaml"} {
		s, err := Find(arg, Overrides{})
		if err != nil {
			t.Errorf("Find(%s): %v", arg, err)
		} else if s.Source != want {
			t.Errorf("Find(%s) came from %s, want %s", arg, s.Source, want)
		}
	}
	for arg, want := range map[string]string{
		"quik":      `quik: the suite has no such scenario; write quick (there are: api-gateway, capacity, diurnal-web, events, flash-sale, idle, image-upload, nightly-batch, package-size, quick, runtimes, spike, sustained, tiers)`,
		"none.yaml": `none.yaml: open: no such file or directory; write the path of a scenario file`,
		".":         `.: read: is a directory; write the path of a scenario file`,
	} {
		_, err := Find(arg, Overrides{})
		if err == nil || err.Error() != want {
			t.Errorf("Find(%s)\n got %v\nwant %s", arg, err, want)
		}
	}
}

func TestHTTPKnowsItsStandIn(t *testing.T) {
	const text = `
name: x
phases: [{name: p, duration: 1s, arrivals: {function: shop, process: gap, gap: 1s}}]
`
	_, err := Parse("x.yaml", []byte(text), Overrides{Platform: "http", URL: "http://127.0.0.1:1/"})
	const want = `x.yaml:3:55: unknown function "shop"; write target`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// What is not played is said, and by the phase as the flags leave it.
func TestLongRecordingsAreNoted(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("t.csv", []byte("minute,count\n0,600\n1,0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const text = `
name: x
functions: [{name: a, fixture: hello}]
phases: [{name: p, duration: 10s, arrivals: {process: replay, file: t.csv, speed: 12}}]
`
	if notes := load(t, text, Overrides{}).Notes; len(notes) > 0 {
		t.Errorf("notes %q, want none", notes)
	}
	want := []string{
		"durations and keep-alive are multiplied by 0.5",
		"t.csv lasts 10.0 s at speed 12, and phase p 5.00 s: the rest is not played",
	}
	if diff := cmp.Diff(want, load(t, text, Overrides{TimeScale: .5}).Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// A fixture whose scenario gives no payload gets its own, but somebody else's
// server gets nothing that the file does not say.
func TestFixturesBringTheirPayload(t *testing.T) {
	const text = `
name: x
functions: [{name: a, fixture: thumbnail}]
phases: [{name: p, duration: 1s, arrivals: {process: gap, gap: 1s}}]
`
	got := load(t, text, Overrides{}).Functions[0].Payload
	if diff := cmp.Diff(Payload{Data: fixtures.Payload("thumbnail")}, got); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	got = load(t, text, Overrides{Platform: "http", URL: "http://127.0.0.1:1/"}).Functions[0].Payload
	if diff := cmp.Diff(Payload{}, got); diff != "" {
		t.Errorf("payload on http (-want +got):\n%s", diff)
	}
}
