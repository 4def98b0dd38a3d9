package scenarios

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const mixture = `
name: mixture
functions: [{name: a, fixture: hello}, {name: b, fixture: hello}]
phases:
  - {name: one, duration: 2s, arrivals: {function: a, process: constant, rate: 2/s}}
  - {name: rest, duration: 1s, warmup: true, arrivals: []}
  - name: two
    duration: 2s
    arrivals:
      - {function: b, process: gap, gap: 1s}
      - {function: a, process: burst, count: 2, at: 1s}
      - {function: b, process: constant, rate: 2/s, consumer: web}
`

func TestSchedule(t *testing.T) {
	got, err := load(t, mixture, Overrides{}).Schedule()
	if err != nil {
		t.Fatal(err)
	}
	const s, half = time.Second, 500 * time.Millisecond
	want := &Schedule{
		Times:  []time.Duration{0, half, s, s + half, 3 * s, 3 * s, 3*s + half, 4 * s, 4 * s, 4 * s, 4 * s, 4*s + half},
		Source: []uint16{0, 0, 0, 0, 1, 3, 3, 1, 2, 2, 3, 3},
		Sources: []Source{
			{Phase: 0, Function: "a"},
			{Phase: 2, Function: "b"},
			{Phase: 2, Entry: 1, Function: "a"},
			{Phase: 2, Entry: 2, Function: "b", Consumer: "web"},
		},
		Phases: []PhaseSpan{
			{Name: "one", Start: 0, End: 2 * s, Offered: 4},
			{Name: "rest", Start: 2 * s, End: 3 * s, Warmup: true},
			{Name: "two", Start: 3 * s, End: 5 * s, Offered: 8},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("schedule (-want +got):\n%s", diff)
	}
}

func TestExpectedLeavesChanceAndWarmupOut(t *testing.T) {
	s := load(t, `
name: chance
seed: 3
functions: [{name: a, fixture: hello}, {name: b, fixture: hello}]
phases:
  - {name: warm, duration: 9s, warmup: true, arrivals: {function: a, process: constant, rate: 5/s}}
  - name: go
    duration: 2.5s
    arrivals:
      - {function: a, process: poisson, rate: .1/s}
      - {function: b, process: ramp, from: 0/s, to: 4/s}
  - {name: end, duration: 1s, arrivals: {function: a, process: burst, count: 3}}
`, Overrides{})
	got, span := s.Expected()
	if diff := cmp.Diff(map[string]float64{"a": 3.25, "b": 5}, got); diff != "" || span != 3500*time.Millisecond {
		t.Errorf("in %v (want 3.5s) expected (-want +got):\n%s", span, diff)
	}
}

// The golden file keeps schedules from changing without anybody noticing.
func TestScheduleGolden(t *testing.T) {
	var got strings.Builder
	for _, name := range Suite() {
		s, err := LoadEmbedded(name, Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%-14s %s\n", name, fingerprint(t, s))
	}
	const file = "testdata/schedules.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("schedules have changed (-want +got):\n%s", diff)
	}
}

func fingerprint(t *testing.T, s *Scenario) string {
	t.Helper()
	schedule, err := s.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(schedule.Times) {
		t.Errorf("%s: times descend", s.Name)
	}
	hash := sha256.New()
	if err := errors.Join(binary.Write(hash, binary.LittleEndian, schedule.Times), binary.Write(hash, binary.LittleEndian, schedule.Source)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%6d %x", len(schedule.Times), hash.Sum(nil)[:8])
}

func TestSeedDecidesTheSchedule(t *testing.T) {
	seed := uint64(2)
	first := fingerprint(t, load(t, shop, Overrides{}))
	if again := fingerprint(t, load(t, shop, Overrides{})); again != first {
		t.Errorf("the same seed gave %s and %s", first, again)
	}
	if other := fingerprint(t, load(t, shop, Overrides{Seed: &seed})); other == first {
		t.Errorf("two seeds gave the same schedule %s", first)
	}
}

// An entry that is added, or changed, leaves the others' times as they are.
func TestEntriesAreIndependent(t *testing.T) {
	const head = `
name: x
functions: [{name: a, fixture: hello}, {name: b, fixture: hello}]
phases:
  - name: p
    duration: 10s
    arrivals:
      - {function: a, process: poisson, rate: 100/s}
`
	const more = "      - {function: b, process: bursty, rate: 50/s, cv: 2}\n"
	times := func(text string) []time.Duration {
		schedule, err := load(t, text, Overrides{}).Schedule()
		if err != nil {
			t.Fatal(err)
		}
		var of []time.Duration
		for i, at := range schedule.Times {
			if schedule.Sources[schedule.Source[i]].Function == "a" {
				of = append(of, at)
			}
		}
		return of
	}
	if diff := cmp.Diff(times(head), times(head+more)); diff != "" {
		t.Errorf("times of a changed with b (-without +with):\n%s", diff)
	}
}

func TestScheduleRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		s    Scenario
		want string
	}{
		"nothing": {Scenario{Name: "x"}, "schedule x: no arrivals at all: raise rates or durations"},
		"too much": {
			Scenario{Name: "x", Phases: []Phase{{Duration: time.Hour, Arrivals: []Arrivals{{Process: "poisson", Rate: 1e6}}}}},
			"schedule x: about 3,600,000,000 arrivals, and the most is 50,000,000",
		},
		"unknown": {
			Scenario{Name: "x", Phases: []Phase{{Name: "p", Duration: time.Hour, Arrivals: []Arrivals{{Process: "chaos"}}}}},
			`schedule x, phase p: unknown arrival process "chaos"`,
		},
	} {
		if _, err := c.s.Schedule(); err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", name, err, c.want)
		}
	}
}

func BenchmarkSchedule(b *testing.B) {
	for name, arrivals := range map[string][]Arrivals{
		"entries=1": {{Process: "poisson", Rate: 1e4}},
		"entries=3": {{Process: "poisson", Rate: 3e3}, {Process: "constant", Rate: 4e3}, {Process: "poisson", Rate: 3e3}},
	} {
		s := Scenario{Seed: 1, Phases: []Phase{{Duration: 100 * time.Second, Arrivals: arrivals}}}
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				schedule, err := s.Schedule()
				if err != nil {
					b.Fatal(err)
				}
				n += len(schedule.Times)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "arrivals/s")
		})
	}
}

func TestScheduleWithout(t *testing.T) {
	const text = `name: x
functions: [{name: a, fixture: hello}, {name: b, fixture: hello}]
phases:
  - name: one
    duration: 10s
    arrivals: [{function: a, process: poisson, rate: 20/s}, {function: b, process: poisson, rate: 30/s}]
  - {name: two, duration: 5s, arrivals: {function: b, process: poisson, rate: 10/s}}
`
	whole, err := load(t, text, Overrides{}).Schedule()
	if err != nil {
		t.Fatal(err)
	}
	left := whole.Without("b", "nobody")
	var want []time.Duration
	for i, at := range whole.Times {
		if whole.Sources[whole.Source[i]].Function == "a" {
			want = append(want, at)
		}
	}
	if diff := cmp.Diff(want, left.Times); diff != "" || len(want) == 0 {
		t.Errorf("arrivals at a (-want +got):\n%s", diff)
	}
	for i, id := range left.Source {
		if left.Sources[id].Function != "a" {
			t.Fatalf("arrival %d is at %s", i, left.Sources[id].Function)
		}
	}
	if p := left.Phases; p[0].Offered != uint64(len(want)) || p[1].Offered != 0 || p[1].End != 15*time.Second {
		t.Errorf("phases %+v, want %d arrivals in the first and none in the second", p, len(want))
	}
	if whole.Phases[1].Offered == 0 {
		t.Error("the whole schedule has changed")
	}
}
