package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParsePolicy(t *testing.T) {
	const file = "keep_alive: 2m\nqueue: 5\n"
	p, err := ParsePolicy("p.yaml", []byte(file), Setting{"--keep-alive", "keep_alive", "30s"}, Setting{"--concurrency", "concurrency", "7"},
		Setting{"--start-rate", "start_rate", "10/s"}, Setting{"--start-burst", "start_burst", "3"})
	if err != nil {
		t.Fatal(err)
	}
	got := p.Policy
	if got.KeepAlive != 30*time.Second || got.QueueLimit != 5 || got.Concurrency != 7 || got.StartEvery != 100*time.Millisecond || got.StartBurst != 3 {
		t.Errorf("policy %+v", got)
	}
	if p, err := ParsePolicy("policy", nil); err != nil || p.Policy.KeepAlive != 10*time.Minute {
		t.Errorf("the default is %+v, %v; want a keep-alive of 10m", p.Policy, err)
	}
	lambda, err := ParsePolicy("policy", nil, Setting{"--profile", "profile", "lambda"}, Setting{"--start-delay", "start_delay", "profile"})
	if err != nil || len(lambda.Policy.Survival) == 0 || len(lambda.StartDelay) != 3 {
		t.Errorf("profile lambda: %+v, %v", lambda.Policy, err)
	}
	fixed, err := ParsePolicy("policy", nil, Setting{"--profile", "profile", "lambda"}, Setting{"--keep-alive", "keep_alive", "forever"})
	if err != nil || fixed.Policy.Survival != nil || fixed.Policy.KeepAlive != -1 || fixed.Policy.Noise != .03 {
		t.Errorf("lambda kept alive for ever: %+v, %v", fixed.Policy, err)
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		settings []Setting
		want     string
	}{
		"unit":       {"", []Setting{{"--keep-alive", "keep_alive", "10"}}, `--keep-alive: duration "10": a duration needs its unit; write 10s or 10ms`},
		"empty":      {"", []Setting{{"--queue", "queue", " "}}, "--queue: no value; write one, for example 10m"},
		"unknown":    {"", []Setting{{"--sweep", "keepalive", "1m"}}, `--sweep: unknown key "keepalive" of a policy; write keep_alive`},
		"half":       {"start_burst: 3\n", nil, "p: one of start_rate and start_burst without the other; write both, or none for unbounded starts"},
		"no queue":   {"", []Setting{{"--queue-timeout", "queue_timeout", "1s"}}, "p: queue_timeout without a queue; add queue: 100, or leave it out"},
		"profile":    {"profile: lamda\n", nil, `p:1:10: unknown profile "lamda"; write lambda`},
		"file":       {"keep_alive: 5\n", nil, `p:1:13: duration "5": a duration needs its unit; write 5s or 5ms`},
		"no code":    {"pool: {nodejs: 2}\n", nil, `p:1:1: unknown key "pool" in the policy`},
		"together":   {"keep_alive: 0s\npause_after: 0s\n", nil, "p: pause: needs a keep-alive, for without one nothing stands idle; change the keys that it names"},
		"not a map":  {"- 3\n", nil, "p:1:1: "},
		"replaced":   {"keep_alive: 5\n", []Setting{{"--keep-alive", "keep_alive", "5s"}}, ""},
		"numbers":    {"", []Setting{{"--provisioned", "provisioned", "[1, 2]"}}, "--provisioned: a level in the list says neither from when on nor how many; write [{from: 0s"},
		"bad syntax": {"", []Setting{{"--provisioned", "provisioned", "[{from: 0s"}}, "--provisioned: "},
	} {
		_, err := ParsePolicy("p", []byte(c.text), c.settings...)
		switch {
		case err == nil && c.want != "":
			t.Errorf("%s: accepted, want %s", name, c.want)
		case err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s\n got %v\nwant %s", name, err, c.want)
		}
	}
}

// TestStretches: what is walked is what is scheduled, request for request.
func TestStretches(t *testing.T) {
	s, err := Parse("s.yaml", []byte(`
name: two
seed: 5
functions: [{name: a, fixture: hello}, {name: b, fixture: hello}]
phases:
  - {name: p, duration: 10s, arrivals: [{function: a, process: poisson, rate: 20/s}, {function: b, process: constant, rate: 3/s}]}
  - {name: q, duration: 5s, arrivals: {function: a, process: bursty, rate: 30/s, cv: 3}}
`), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := s.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"a", "b"} {
		var want, got []time.Duration
		for i, at := range schedule.Times {
			if schedule.Sources[schedule.Source[i]].Function == f {
				want = append(want, at)
			}
		}
		stretches, err := s.Stretches(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, stretch := range stretches {
			for at := range stretch.Process.Times(stretch.Duration, stretch.Random()) {
				got = append(got, stretch.Start+at)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || !slices.IsSorted(got) || len(got) < 30 {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
}
