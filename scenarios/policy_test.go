package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/fixtures"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/google/go-cmp/cmp"
)

// onPlatform is a scenario on a platform, with one function in Python.
func onPlatform(platform string) string {
	return `name: x
platform: ` + platform + `
functions: [{name: f, fixture: hello, runtime: python}]
phases: [{name: p, duration: 10s, arrivals: {process: gap, gap: 1s}}]
`
}

func TestPolicyKeys(t *testing.T) {
	const m, s = time.Minute, time.Second
	usual := lifecycle.Policy{KeepAlive: 10 * m}
	with := func(change func(*lifecycle.Policy)) lifecycle.Policy {
		p := usual
		change(&p)
		return p
	}
	for keys, want := range map[string]lifecycle.Policy{
		"":                    usual,
		"keep_alive: 0":       with(func(p *lifecycle.Policy) { p.KeepAlive = 0 }),
		"keep_alive: forever": with(func(p *lifecycle.Policy) { p.KeepAlive = -1 }),
		"keep_alive: {survival: [{idle: 300s, alive: 92%}, {idle: 6m, alive: 0%}]}": {
			Survival: []lifecycle.Survivor{{Idle: 5 * m, Alive: .92}, {Idle: 6 * m}},
		},
		"pause_after: 0s":                            with(func(p *lifecycle.Policy) { p.Pause = true }),
		"pause_after: 30s":                           with(func(p *lifecycle.Policy) { p.Pause, p.PauseAfter = true, 30*s }),
		"instance_concurrency: 80":                   with(func(p *lifecycle.Policy) { p.Slots = 80 }),
		"keep_alive: {hybrid: {}}":                   {Hybrid: &lifecycle.Hybrid{}},
		"keep_alive: {hybrid: {bin: 1s, head: 10%}}": {Hybrid: &lifecycle.Hybrid{Bin: s, Head: .1}},
		"ping: {every: 5m}":                          with(func(p *lifecycle.Policy) { p.Ping = lifecycle.Pings{Every: 5 * m, Count: 1} }),
		"routing_noise: 3%":                          with(func(p *lifecycle.Policy) { p.Noise = .03 }),
		"provisioned: 2":                             with(func(p *lifecycle.Policy) { p.Provisioned = []lifecycle.Level{{Count: 2}} }),
		"start_burst: 10, start_rate: 100/s":         with(func(p *lifecycle.Policy) { p.StartBurst, p.StartEvery = 10, 10*time.Millisecond }),
		"provisioned: [{from: 0s, count: 1}, {from: 8h, count: 5}], provisioned_period: 24h": with(func(p *lifecycle.Policy) {
			p.Provisioned, p.Period = []lifecycle.Level{{Count: 1}, {From: 8 * time.Hour, Count: 5}}, 24*time.Hour
		}),
	} {
		got, err := Parse("x.yaml", []byte(onPlatform("{name: reference, "+keys+"}")), Overrides{})
		if err != nil {
			t.Errorf("%s: %v", keys, err)
			continue
		}
		if diff := cmp.Diff(want, got.Platform.Policy); diff != "" {
			t.Errorf("%s (-want +got):\n%s", keys, diff)
		}
	}
}

func TestProfiles(t *testing.T) {
	for _, name := range fixtures.ProfileNames() {
		text, err := fixtures.Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProfile(name, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sourced := ""
		for _, s := range p.Sources {
			sourced += s.For + ", "
		}
		for _, key := range policyFields() {
			if strings.Contains(string(text), "\n  "+key.Name+":") && !strings.Contains(sourced, key.Name) {
				t.Errorf("%s: %s has no source", name, key.Name)
			}
		}
		s, err := Parse("x.yaml", []byte(onPlatform("{name: reference, profile: "+name+"}")), Overrides{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(p.Platform.Policy, s.Platform.Policy); diff != "" || len(s.Notes) != 1 || s.Platform.StartDelay != nil {
			t.Errorf("%s in a scenario: notes %q, delays %v, policy (-want +got):\n%s", name, s.Notes, s.Platform.StartDelay, diff)
		}
	}
}

// TestProfileIsChangedByKeys: what the file says replaces what the profile says.
func TestProfileIsChangedByKeys(t *testing.T) {
	s, err := Parse("x.yaml", []byte(onPlatform("{profile: lambda, keep_alive: 2s, start_delay: profile, name: reference}")), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	p := s.Platform.Policy
	if p.KeepAlive != 2*time.Second || p.Survival != nil || p.StartBurst != 1000 {
		t.Errorf("keep-alive %v, %d survivors, burst %d: want 2s, none, the profile's 1000", p.KeepAlive, len(p.Survival), p.StartBurst)
	}
	if q := s.Platform.StartDelay[platform.Python]; len(q) == 0 || q[0].Delay < 50*time.Millisecond {
		t.Errorf("start delays of Python: %v, want the profile's", q)
	}
	if notes := strings.Join(s.Notes, "\n"); !strings.Contains(notes, "emulated") || !strings.Contains(notes, "AWS Lambda") {
		t.Errorf("notes: %q, want the profile's name and that delays are emulated", notes)
	}
}

const matrix = `name: x
functions:
  - {name: a, fixture: hello, sandbox: [process, namespace]}
  - {name: b, fixture: hello, runtime: python, start: [plain, pool, zygote]}
  - {name: c, fixture: hello}
phases:
  - name: p
    duration: 10s
    arrivals: [{function: a, process: gap, gap: 1s}, {function: b, process: gap, gap: 2s}, {function: c, process: gap, gap: 5s}]
expect: [{metric: latency.p50, function: b, max: 1s}]
faults: [{fault: kill, function: a, share: 5%}]
`

func TestMatrix(t *testing.T) {
	s := load(t, matrix, Overrides{})
	var functions, arrivals []string
	for _, f := range s.Functions {
		functions = append(functions, fmt.Sprintf("%s %s %s", f.Name, f.Sandbox, f.Start))
	}
	for _, a := range s.Phases[0].Arrivals {
		arrivals = append(arrivals, fmt.Sprintf("%s %v from %v", a.Function, a.Gap, a.At))
	}
	want := []string{
		"a-process process plain", "a-namespace namespace plain",
		"b-plain process plain", "b-pool process pool", "b-zygote process zygote", "c process plain",
	}
	if diff := cmp.Diff(want, functions); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	want = []string{ // those with the same gap take turns
		"a-process 1s from 0s", "a-namespace 1s from 500ms",
		"b-plain 2s from 0s", "b-pool 2s from 666.666666ms", "b-zygote 2s from 1.333333333s", "c 5s from 0s",
	}
	if diff := cmp.Diff(want, arrivals); diff != "" {
		t.Errorf("arrivals (-want +got):\n%s", diff)
	}
	if len(s.Expect) != 3 || s.Expect[2].Function != "b-zygote" || len(s.Faults) != 2 || s.Faults[1].Function != "a-namespace" {
		t.Errorf("budgets %+v, faults %+v: want one for each copy", s.Expect, s.Faults)
	}
}

// TestMatrixFlag: what cannot be is left out and noted, unless nothing is left.
func TestMatrixFlag(t *testing.T) {
	s := load(t, matrix, Overrides{Sandboxes: []string{"namespace", "process"}, Starts: []string{"plain", "zygote"}})
	var names []string
	for _, f := range s.Functions {
		names = append(names, f.Name)
	}
	want := []string{"a-namespace", "a-process", "b-namespace-plain", "b-process-plain", "b-process-zygote", "c-namespace", "c-process"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	if got := strings.Join(s.Notes, "\n"); strings.Count(got, "left out") != 5 {
		t.Errorf("notes: %s\nwant five ways that cannot be", got)
	}
	_, err := Parse("x.yaml", []byte(matrix), Overrides{Starts: []string{"zygote"}})
	if err == nil || !strings.Contains(err.Error(), "go cannot fork") {
		t.Errorf("zygotes of Go functions: got %v", err)
	}
}

// TestPauseNeedsASandboxThatCan: by start and by policy.
func TestPauseNeedsASandboxThatCan(t *testing.T) {
	const file = `name: x
platform: {name: reference%s}
functions: [{name: f, fixture: hello, runtime: wasm%s}]
phases: [{name: p, duration: 10s, arrivals: {process: gap, gap: 1s}}]
`
	for _, text := range []string{fmt.Sprintf(file, ", pause_after: 1s", ""), fmt.Sprintf(file, "", ", start: pause")} {
		if _, err := Parse("x.yaml", []byte(text), Overrides{}); err == nil || !strings.Contains(err.Error(), "nothing to pause") {
			t.Errorf("%sgot %v", text, err)
		}
	}
}
