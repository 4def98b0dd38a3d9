package lifecycle_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the pool does now into the transcripts")

// TestTranscripts replays testdata/*.txt. A transcript is read line by line:
//
//	# comment
//	policy keep_alive=10s concurrency=2      begins an empty pool
//	1s arrive r1                             a step; what it does follows, indented
//	    start i1 for r1
//	limit 3                                  holds from the next step on; does nothing itself
//	provision 2                              holds from the next step on; does nothing itself
//	memory 10                                a budget that the pools after it share
//	pool a size=3 keep_alive=10s             begins one of several pools
//	1s a arrive r1                           a step of one of several
//	counts                                   those that are not 0 follow
//	state i1                                 the state follows
//	deadline                                 the next one follows
//
// Instances are named i1, i2, ... in the order of their starts.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("glob testdata/*.txt: %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := replay(string(want))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs (-file +pool); -update rewrites it:\n%s", file, diff)
			}
		})
	}
}

// replay gives the transcript with the pool's answers in place of those it has.
func replay(text string) (string, error) {
	var out strings.Builder
	var s *script
	var m *shared
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "    ") {
			continue
		}
		out.WriteString(line + "\n")
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		var answers []string
		var err error
		if fields[0] == "memory" {
			s, m = nil, &shared{pools: map[string]*script{}}
			err = m.begin(fields[1:])
		} else if m != nil && fields[0] != "policy" {
			answers, err = m.do(fields)
		} else if fields[0] == "policy" {
			m = nil
			var policy lifecycle.Policy
			if policy, err = parsePolicy(fields[1:]); err == nil {
				err = policy.Validate()
			}
			if err == nil {
				s = newScript(policy, "i")
			}
		} else if s == nil {
			err = fmt.Errorf("no policy yet")
		} else {
			answers, err = s.do(fields)
		}
		if err != nil {
			return "", fmt.Errorf("line %d: %q: %w", n+1, line, err)
		}
		for _, a := range answers {
			out.WriteString("    " + a + "\n")
		}
	}
	return out.String(), nil
}

func parsePolicy(settings []string) (p lifecycle.Policy, err error) {
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		if err := parseSetting(&p, key, value); err != nil {
			return p, err
		}
	}
	return p, nil
}

// parseSetting reads a setting into a policy. A setting without a value is a switch.
func parseSetting(p *lifecycle.Policy, key, value string) error {
	durations := map[string]*time.Duration{
		"keep_alive": &p.KeepAlive, "start_every": &p.StartEvery, "queue_timeout": &p.QueueTimeout,
		"ping_every": &p.Ping.Every, "pause_after": &p.PauseAfter, "period": &p.Period, "ahead_retry": &p.AheadRetry,
	}
	numbers := map[string]*int{
		"concurrency": &p.Concurrency, "start_burst": &p.StartBurst, "queue": &p.QueueLimit, "slots": &p.Slots,
		"ping_count": &p.Ping.Count,
	}
	switches := map[string]*bool{"late_binding": &p.LateBinding, "pause": &p.Pause}
	if key == "hybrid" {
		p.Hybrid = &lifecycle.Hybrid{}
		return nil
	}
	var err error
	if d := durations[key]; d != nil {
		*d, err = time.ParseDuration(value)
	} else if n := numbers[key]; n != nil {
		*n, err = strconv.Atoi(value)
	} else if b := switches[key]; b != nil {
		*b = true
	} else if key == "noise" {
		p.Noise, err = strconv.ParseFloat(value, 64)
	} else if key == "seed" {
		p.Seed, err = strconv.ParseUint(value, 10, 64)
	} else if key == "provisioned" { // 0s:2,10s:1
		err = parsePoints(value, func(from time.Duration, count float64) {
			p.Provisioned = append(p.Provisioned, lifecycle.Level{From: from, Count: int(count)})
		})
	} else if key == "survival" { // 300s:1,360s:0
		err = parsePoints(value, func(idle time.Duration, alive float64) {
			p.Survival = append(p.Survival, lifecycle.Survivor{Idle: idle, Alive: alive})
		})
	} else {
		err = fmt.Errorf("no setting %q", key)
	}
	return err
}

// parsePoints reads TIME:NUMBER,TIME:NUMBER,...
func parsePoints(text string, add func(time.Duration, float64)) error {
	for point := range strings.SplitSeq(text, ",") {
		at, number, _ := strings.Cut(point, ":")
		t, err := time.ParseDuration(at)
		n, err2 := strconv.ParseFloat(number, 64)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		add(t, n)
	}
	return nil
}

// script is a pool with the names that its transcript uses.
type script struct {
	pool   *lifecycle.Pool
	prefix string // of its instances' names
	byName map[string]lifecycle.Instance
	names  map[lifecycle.Instance]string
}

func newScript(policy lifecycle.Policy, prefix string) *script {
	return &script{lifecycle.New(policy), prefix, map[string]lifecycle.Instance{}, map[lifecycle.Instance]string{}}
}

func (s *script) do(fields []string) ([]string, error) {
	switch fields[0] {
	case "counts":
		return []string{describeCounts(s.pool.Counts())}, nil
	case "deadline":
		if at, ok := s.pool.NextDeadline(); ok {
			return []string{at.String()}, nil
		}
		return []string{"none"}, nil
	case "state":
		if len(fields) != 2 {
			return nil, fmt.Errorf("want: state INSTANCE")
		}
		name, err := s.instance(fields[1])
		return []string{s.pool.State(name).String()}, err
	case "limit", "provision":
		if len(fields) != 2 {
			return nil, fmt.Errorf("want: %s NUMBER", fields[0])
		}
		n, err := strconv.Atoi(fields[1])
		if fields[0] == "limit" {
			s.pool.Limit(n)
		} else {
			s.pool.Provision(n)
		}
		return nil, err
	}
	now, err := time.ParseDuration(fields[0])
	if err != nil {
		return nil, err
	}
	ev, err := s.event(fields[1:])
	if err != nil {
		return nil, err
	}
	var answers []string
	for _, a := range s.pool.Step(now, ev, nil) {
		answers = append(answers, s.acts(a))
	}
	return answers, nil
}

// acts describes an action and names the instance that it starts.
func (s *script) acts(a lifecycle.Action) string {
	if a.Kind == lifecycle.Start {
		name := fmt.Sprint(s.prefix, len(s.names)+1)
		s.names[a.Instance], s.byName[name] = name, a.Instance
	}
	return s.describe(a)
}

func (s *script) event(words []string) (ev lifecycle.Event, err error) {
	if len(words) == 0 {
		return ev, fmt.Errorf("want: TIME EVENT [INSTANCE] [REQUEST]")
	}
	for ev.Kind = lifecycle.Tick; ev.Kind.String() != words[0]; ev.Kind++ {
		if ev.Kind > lifecycle.Retire {
			return ev, fmt.Errorf("no event %q", words[0])
		}
	}
	for _, word := range words[1:] {
		if r, ok := strings.CutPrefix(word, "r"); ok {
			n, err := strconv.ParseUint(r, 10, 64)
			if err != nil {
				return ev, err
			}
			ev.Request = lifecycle.Request(n)
		} else if ev.Instance, err = s.instance(word); err != nil {
			return ev, err
		}
	}
	return ev, nil
}

// instance finds an instance by name; i0 is one that never was.
func (s *script) instance(name string) (lifecycle.Instance, error) {
	i, ok := s.byName[name]
	if !ok && name != "i0" {
		return 0, fmt.Errorf("no instance %q has been started", name)
	}
	return i, nil
}

func (s *script) describe(a lifecycle.Action) string {
	i, r := s.names[a.Instance], fmt.Sprintf("r%d", a.Request)
	switch a.Kind {
	case lifecycle.Start:
		if a.Ahead {
			return "start " + i + " ahead"
		}
		if a.Request == 0 {
			return "start " + i
		}
		return "start " + i + " for " + r
	case lifecycle.Serve:
		return fmt.Sprintf("serve %s on %s, %v", r, i, a.How)
	case lifecycle.Throttle:
		return fmt.Sprintf("throttle %s, %v", r, a.Why)
	case lifecycle.Fail:
		return fmt.Sprintf("fail %s with %s", r, i)
	case lifecycle.Enqueue:
		if a.Instance != 0 {
			return "enqueue " + r + " for " + i
		}
		return "enqueue " + r
	case lifecycle.Pause:
		return "pause " + i
	case lifecycle.Ping:
		return "ping"
	case lifecycle.Reap:
		return fmt.Sprintf("reap %s, %v", i, a.Why)
	default:
		return a.Kind.String() + " " + r
	}
}

func describeCounts(c lifecycle.Counts) string {
	var b strings.Builder
	for _, f := range []struct {
		name  string
		value uint64
	}{
		{"starting", uint64(c.Starting)}, {"idle", uint64(c.Idle)}, {"paused", uint64(c.Paused)}, {"busy", uint64(c.Busy)}, {"reaping", uint64(c.Reaping)},
		{"waiting", uint64(c.Waiting)}, {"bound", uint64(c.Bound)},
		{"arrived", c.Arrived}, {"served", c.Served}, {"throttled", c.Throttled}, {"failed", c.Failed}, {"dropped", c.Dropped},
		{"finished", c.Finished}, {"lost", c.Lost}, {"started", c.Started}, {"reaped", c.Reaped}, {"gone", c.Gone}, {"pings", c.Pings},
		{"ignored", c.Ignored}, {"clamped", c.Clamped},
	} {
		if f.value != 0 {
			fmt.Fprintf(&b, " %s=%d", f.name, f.value)
		}
	}
	if b.Len() == 0 {
		return "all 0"
	}
	return strings.TrimSpace(b.String())
}
